"""Repeats: rows of one key in one delivery, of which at most one can be right."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.rules import EQUAL_LINE, is_invalid, rejection_reasons


def with_repeats_rejected(rows: DataFrame, key: Sequence[str], content: Column) -> DataFrame:
    """Rows with the reasons of those that their delivery brings more than once.

    Of equal rows one counts, and the others are EQUAL_LINE; if they differ nobody can say which is
    right, as rows of a delivery have no order, and all of them are rejected.

    Args:
        rows: one row per raw row, with `delivery`, `raw`, `reasons` and the key.
        key: columns that, with the delivery, make a row the only one.
        content: what equal rows have in common.

    Returns:
        One row per raw row: all columns of `rows`, `reasons` brought up to date.
    """
    # Rejected rows may have no customer: each is a group of its own, for they would be one task's.
    own = Window.partitionBy("delivery", *key, F.when(is_invalid(), F.md5("raw")))
    differs = ~F.min(content).over(own).eqNullSafe(F.max(content).over(own))
    is_repeat = F.row_number().over(own.orderBy("raw")) > 1
    repeats = {
        "customer_repeated": ~is_invalid() & differs,
        EQUAL_LINE: ~is_invalid() & ~differs & is_repeat,
    }
    return rows.withColumn("reasons", rejection_reasons(repeats, F.col("reasons")))
