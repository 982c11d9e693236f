"""Whole receipts: versions of receipts that are given as one row each."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.business_time import year_month
from rfm_spark.ingest.rows.rules import is_invalid
from rfm_spark.ingest.versions.receipt_versions import VERSION_KEY, gross_cents, no_categories
from rfm_spark.ingest.versions.repeated_receipts import repeats_judged


def single_receipt_versions(lines: DataFrame, with_categories: bool) -> DataFrame:
    """Receipt versions of rows that are whole receipts and the only row of their id.

    Args:
        lines: one row per receipt: `receipt_lines` where `is_single`.
        with_categories: whether to fill `categories`.

    Returns:
        One row per `delivery` and `receipt_id`: the columns of `receipt_versions`.
    """
    return lines.select(*_version_of_row(with_categories))


def whole_receipt_versions(rows: DataFrame, with_categories: bool) -> DataFrame:
    """Receipt versions of rows that are whole receipts, several of an id among them.

    Args:
        rows: one row per raw row: `receipt_lines`, with all rows of each id and delivery.
        with_categories: whether to fill `categories`.

    Returns:
        One row per raw row: the columns of `receipt_versions`, and `rows_of_id`. The rows that
        `repeats_judged` calls first are the versions; all others are counted in rows whose
        `receipt_id` is NULL.
    """
    id_of_version = F.when(F.col("is_first"), F.col("receipt_id"))
    counted = repeats_judged(rows).withColumn("receipt_id", id_of_version)
    return counted.select(*_version_of_row(with_categories), "rows_of_id")


def whole_rows_to_quarantine(rows: DataFrame, repeated: DataFrame) -> DataFrame:
    """Raw rows of whole receipts that go to quarantine, with all rejection reasons.

    Args:
        rows: one row per raw row: `receipt_lines`.
        repeated: `delivery` and `receipt_id` of which there are several rows.

    Returns:
        One row per raw row that is invalid, or that another one of its delivery replaces or
        contradicts: the columns of `rows`.
    """
    # An order and its refunds are versions of one id: joined as they are, they would multiply.
    ids = repeated.select(*VERSION_KEY).distinct()
    of_several = ids.withColumn("is_repeated", F.lit(True))
    candidates = rows.join(of_several, [*VERSION_KEY], "left").where(
        is_invalid() | F.col("is_repeated")
    )
    return (
        repeats_judged(candidates.select(*rows.columns)).where(is_invalid()).select(*rows.columns)
    )


def _version_of_row(with_categories: bool) -> list[Column]:
    """Columns of `receipt_versions` of a row that is a whole receipt."""
    category = F.struct("category", "items", F.col("cents").alias("net_cents"))
    is_rejected = is_invalid() & ~F.col("is_dropped")
    as_they_are = ("is_visit", "is_return", "has_promotion", "store_id", "channel")
    return [
        *[F.col(name) for name in (*VERSION_KEY, "customer_id", "receipt_ts", "business_date")],
        year_month(F.col("business_date")).alias("month"),
        F.col("cents").alias("net_cents"),
        gross_cents().alias("gross_cents"),
        F.col("items"),
        F.lit(1).alias("lines"),
        *[F.col(name) for name in as_they_are],
        (F.array(category) if with_categories else no_categories()).alias("categories"),
        is_rejected.cast("bigint").alias("rejected_lines"),
        F.col("is_dropped").cast("bigint").alias("dropped_lines"),
        F.lit(False).alias("two_customers"),
        F.col("is_void"),
        is_rejected.alias("is_rejected"),
    ]
