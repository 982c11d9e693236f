"""Repeated receipts: rows of one delivery that are each a whole receipt and have the same id."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.rules import (
    EQUAL_LINE,
    OLDER_VERSION,
    REPEATED_ID,
    is_invalid,
    rejection_reasons,
)

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
    """Rows of whole receipts, of which at most one counts for each id and delivery.

    Of the rows of one id the greatest `version` counts, and the others are OLDER_VERSION. Of rows
    that are equal in every field one counts, and the others are EQUAL_LINE; if they differ nobody
    can say which is right, and all of them are REPEATED_ID.

    Args:
        rows: one row per raw row: `receipt_lines`, with all rows of each id and delivery.

    Returns:
        One row per raw row: all columns of `rows`, `reasons` and `is_dropped` (true for the rows
        that another one of the delivery replaces) brought up to date, `rows_of_id`, and `is_first`:
        true for one row of each id and delivery, the one that counts where there is one.
    """
    # Rows without an id are no receipts: each is a group of its own, for they would be one task's.
    own = F.when(F.col("receipt_id").isNull(), F.md5("raw"))
    same_id = Window.partitionBy("delivery", "receipt_id", own)
    # Where nothing could be read, different rows look equal: their text tells.
    content = F.struct(*_FIELDS, "reasons", F.when(is_invalid(), F.col("raw")))
    ordered = rows.withColumn("greatest", F.max("version").over(same_id)).withColumn(
        "newest", F.when(F.col("version").eqNullSafe(F.col("greatest")), content)
    )
    numbered = ordered.withColumns(
        {
            "differs": ~F.min("newest").over(same_id).eqNullSafe(F.max("newest").over(same_id)),
            "rows_of_id": F.count(F.lit(1)).over(same_id),
            "place": F.row_number().over(same_id.orderBy(F.desc_nulls_last("newest"), "raw")),
        }
    )
    is_older, has_id = F.col("newest").isNull(), F.col("receipt_id").isNotNull()
    is_equal = ~F.col("differs") & (F.col("place") > 1)
    # An older row is not judged: what is wrong with it was mended in its delivery.
    reasons = F.when(is_older, OLDER_VERSION).otherwise(
        rejection_reasons(
            {REPEATED_ID: has_id & F.col("differs"), EQUAL_LINE: has_id & is_equal},
            F.col("reasons"),
        )
    )
    return numbered.select(
        *[_judged(name, has_id & (is_older | is_equal), reasons) for name in rows.columns],
        "rows_of_id",
        (F.col("place") == 1).alias("is_first"),
    )


def _judged(name: str, is_dropped: Column, reasons: Column) -> Column:
    changed = {"is_dropped": is_dropped, "reasons": reasons}
    return changed[name].alias(name) if name in changed else F.col(name)
