"""Repeated ids: the few receipts that come more than once, found by hashes of their ids alone.

All others can go straight to their table: no shuffle moves them. A hash of 64 bits takes eight
bytes a row; ids that share one by chance are compared by id later, like real repetitions.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

HASH = "id_hash"


def id_hashes(rows: DataFrame) -> DataFrame:
    """One row per row that has a `receipt_id`: its `id_hash`."""
    return rows.where(F.col("receipt_id").isNotNull()).select(F.xxhash64("receipt_id").alias(HASH))


def repeated_hashes(incoming: DataFrame, stored: DataFrame | None) -> DataFrame:
    """Hashes that come more than once, or are stored already.

    Args:
        incoming: `id_hashes` of the rows that came.
        stored: `id_hashes` of the rows that are there; None where there are none.

    Returns:
        One row per `id_hash`.
    """
    counted = incoming.groupBy(HASH).count()
    repeated = counted.where(F.col("count") > 1).select(HASH)
    if stored is None:
        return repeated
    return repeated.union(stored.join(incoming, HASH, "left_semi")).distinct()


def with_is_single(rows: DataFrame, repeated: DataFrame) -> DataFrame:
    """Adds `is_single`: whether the row's receipt comes once; false for a row without an id."""
    joined = rows.join(repeated, F.xxhash64("receipt_id") == F.col(HASH), "left")
    single = F.col(HASH).isNull() & F.col("receipt_id").isNotNull()
    return joined.withColumn("is_single", single).drop(HASH)
