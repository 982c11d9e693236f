"""Repeated receipts: rows of one delivery that are each a whole receipt and have the same id."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.rules import (
    EQUAL_LINE,
    OLDER_VERSION,
    REJECTED_BY_ANOTHER,
    REPEATED_ID,
    is_invalid,
    rejection_reasons,
)

_FIRST, _LAST = Window.unboundedPreceding, Window.unboundedFollowing
_FIELDS = (
    "customer_id",
    "receipt_ts",
    "business_date",
    "cents",
    "items",
    "category",
    "is_return",
    "is_visit",
    "has_promotion",
    "is_void",
    "store_id",
    "channel",
)


def repeats_judged(rows: DataFrame) -> DataFrame:
    """Rows of whole receipts, of which at most one purchase counts for each id and delivery.

    Returns are apart by their time: an order and its refunds are no versions of each other. Of the
    rows of one id (and time) the greatest `version` counts, and the others are OLDER_VERSION. Of
    rows that are equal in every field one counts, and the others are EQUAL_LINE; if they differ
    nobody can say which is right, and all of them are REPEATED_ID. One rejected row rejects all
    rows of its id.

    Args:
        rows: one row per raw row: `receipt_lines`, with all rows of each id and delivery.

    Returns:
        One row per raw row: all columns of `rows`, `reasons` and `is_dropped` (true for the rows
        that another one of the delivery replaces) brought up to date, `rows_of_id`, and `is_first`:
        true for the rows that are versions, and of a rejected id for one row.
    """
    # Rows without an id are no receipts: each is a group of its own, for they would be one task's.
    own = F.when(F.col("receipt_id").isNull(), F.md5("raw"))
    # Where nothing could be read, different rows look equal: their text tells.
    content = F.struct(*_FIELDS, "reasons", F.when(is_invalid(), F.col("raw")))
    returned_at = F.when(F.col("is_return"), F.col("receipt_ts"))
    keyed = rows.withColumns({"own": own, "content": content, "returned_at": returned_at})
    # One order serves all windows, that of the id first: rows are moved and sorted once.
    newest_first = [F.desc_nulls_last("version"), F.desc("content"), F.asc("raw")]
    id_key, everything = ("delivery", "receipt_id", "own"), (_FIRST, _LAST)
    of_id = Window.partitionBy(*id_key).orderBy("returned_at", *newest_first)
    of_time = Window.partitionBy(*id_key, "returned_at").orderBy(*newest_first)
    numbered = keyed.withColumns(
        {
            "rows_of_id": F.count(F.lit(1)).over(of_id.rowsBetween(*everything)),
            "is_first_of_id": F.row_number().over(of_id) == 1,
        }
    ).withColumns(
        {
            "place": F.row_number().over(of_time),
            "first": F.first(F.struct("version", "content")).over(of_time),
        }
    )
    is_newest = F.col("version").eqNullSafe(F.col("first.version"))
    is_other = is_newest & ~F.col("content").eqNullSafe(F.col("first.content"))
    differs = F.bool_or(is_other).over(of_time.rowsBetween(*everything))
    compared = numbered.withColumns({"is_older": ~is_newest, "differs": differs})
    is_bad = ~F.col("is_older") & (is_invalid() | F.col("differs"))
    judged = compared.withColumn(
        "is_id_rejected", F.bool_or(is_bad).over(of_id.rowsBetween(*everything))
    )
    is_dropped = F.col("receipt_id").isNotNull() & (F.col("is_older") | _is_equal())
    return judged.select(
        *[F.col(name) for name in rows.columns if name not in ("reasons", "is_dropped")],
        _reasons().alias("reasons"),
        is_dropped.alias("is_dropped"),
        "rows_of_id",
        F.when(F.col("is_id_rejected"), F.col("is_first_of_id"))
        .otherwise(F.col("place") == 1)
        .alias("is_first"),
    )


def _is_equal() -> Column:
    """True for rows of the newest version but one, where they do not differ."""
    return ~F.col("is_older") & ~F.col("differs") & (F.col("place") > 1)


def _reasons() -> Column:
    has_id = F.col("receipt_id").isNotNull()
    is_beside = F.col("is_id_rejected") & ~is_invalid() & ~F.col("differs")
    rules = {
        REPEATED_ID: F.col("differs"),
        EQUAL_LINE: _is_equal(),
        REJECTED_BY_ANOTHER: is_beside & ~_is_equal(),
    }
    # An older row is not judged: what is wrong with it was mended in its delivery.
    told = F.when(F.col("is_older"), OLDER_VERSION).otherwise(
        rejection_reasons(rules, F.col("reasons"))
    )
    return F.when(has_id, told).otherwise(F.col("reasons"))
