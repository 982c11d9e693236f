"""Reconciliation: where every receipt and every cent went."""

from __future__ import annotations

from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.tables.receipts import SUPERSEDED, VOID
from rfm_spark.transforms.receipt_versions import EQUAL_LINE
from rfm_spark.transforms.window import Window, in_window

RAW = "raw"
DROPPED = "dropped"
_PLACES = ("guests", "outside_window", "unscored", "scored")
TERMS = (RAW, "rejected", DROPPED, SUPERSEDED, VOID, *_PLACES)
"""All terms of the identity, the left side first."""
RECEIPTS_SOURCE = "receipts"


def reconciliation_terms(
    deliveries: DataFrame,
    quarantine: DataFrame,
    receipts: DataFrame,
    days: DataFrame,
    rfm: DataFrame,
    as_of: date,
    window: Window,
) -> DataFrame:
    """Every term of raw = rejected + dropped + superseded + void + guests + ... + scored.

    Each term is counted in the table that holds it, none is a difference of others. Dropped lines
    are money without a receipt: their equals keep it.

    Args:
        deliveries: all deliveries, with what they held before any rule.
        quarantine: all rejected rows.
        receipts: all versions.
        days: `customer_days`.
        rfm: `rfm` of one profile and day.
        as_of: the day described.
        window: the profile's window.

    Returns:
        One row per term: `term`, `receipts` (versions), `net_cents`.
    """
    taken = deliveries.where(F.col("source") == RECEIPTS_SOURCE)
    kept_out = quarantine.where(F.col("source") == RECEIPTS_SOURCE)
    only_dropped = F.col("reasons") == F.array(F.lit(EQUAL_LINE))
    parts = [
        taken.agg(_total("receipts", "receipts"), _total("net_cents")).select(
            F.lit(RAW).alias("term"), "receipts", "net_cents"
        ),
        kept_out.where(~only_dropped)
        .agg(F.count_distinct("delivery", "receipt_id").alias("receipts"), _total("net_cents"))
        .select(F.lit("rejected").alias("term"), "receipts", "net_cents"),
        kept_out.where(only_dropped)
        .agg(_total("net_cents"))
        .select(F.lit(DROPPED).alias("term"), F.lit(0).alias("receipts"), "net_cents"),
        _term_sums(
            receipts.select(F.col("status").alias("term"), F.lit(1).alias("receipts"), "net_cents"),
            (SUPERSEDED, VOID),
        ),
        _term_sums(_placed(days, rfm, in_window("day", as_of, window)), _PLACES),
    ]
    return reduce(DataFrame.unionByName, parts)


def _placed(days: DataFrame, rfm: DataFrame, is_inside: Column) -> DataFrame:
    """Sums of each customer, in the window and outside it, by term.

    Customers are added up before they are looked up in `rfm`, so that few rows have to meet.
    """
    measures = ("receipts", "net_cents")
    by_customer = days.groupBy("customer_id").agg(
        *[F.sum(F.when(is_inside, F.col(name))).alias(f"{name}_inside") for name in measures],
        *[F.sum(F.when(~is_inside, F.col(name))).alias(f"{name}_outside") for name in measures],
    )
    scored = rfm.select("customer_id", F.lit(True).alias("is_scored"))
    is_guest = F.col("customer_id").isNull()
    inside = F.when(F.col("is_scored"), "scored").otherwise("unscored")
    terms = {"inside": inside, "outside": F.lit("outside_window")}
    parts = [
        F.struct(
            F.when(is_guest, "guests").otherwise(term).alias("term"),
            *[F.col(f"{name}_{where}").alias(name) for name in measures],
        )
        for where, term in terms.items()
    ]
    return by_customer.join(scored, "customer_id", "left").select(F.inline(F.array(*parts)))


def _term_sums(rows: DataFrame, terms: tuple[str, ...]) -> DataFrame:
    """One row for each term, also for one that has nothing."""
    listed = F.explode(F.array(*[F.lit(term) for term in terms]))
    sums = rows.groupBy("term").agg(_total("receipts", "receipts"), _total("net_cents"))
    every = rows.sparkSession.range(1).select(listed.alias("term"))
    zero = F.lit(0)
    return every.join(sums, "term", "left").select(
        "term",
        F.coalesce("receipts", zero).alias("receipts"),
        F.coalesce("net_cents", zero).alias("net_cents"),
    )


def _total(column: str, name: str | None = None) -> Column:
    return F.coalesce(F.sum(column), F.lit(0)).alias(name or column)
