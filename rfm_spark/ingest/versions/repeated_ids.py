"""Detection of repeated receipt ids by 64-bit hashes, so that single receipts need no shuffle.

Ids whose hashes collide are treated as repeated and compared by id later.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

ID_HASH = "id_hash"


def id_hashes(rows: DataFrame) -> DataFrame:
    """Hashes (`id_hash`) of receipt ids: one row per row with a `receipt_id`."""
    return rows.where(F.col("receipt_id").isNotNull()).select(
        F.xxhash64("receipt_id").alias(ID_HASH)
    )


def repeated_hashes(incoming: DataFrame, stored: DataFrame | None) -> DataFrame:
    """Hashes of the ids that are delivered more than once, or are stored already.

    Args:
        incoming: `id_hashes` of the rows being loaded: one row per row.
        stored: `id_hashes` of the stored receipt versions: one row per version; None without any.

    Returns:
        One row per `id_hash`.
    """
    counts = incoming.groupBy(ID_HASH).count()
    repeated = counts.where(F.col("count") > 1).select(ID_HASH)
    if stored is None:
        return repeated
    return repeated.union(stored.join(incoming, ID_HASH, "left_semi")).distinct()


def with_is_single(rows: DataFrame, repeated: DataFrame) -> DataFrame:
    """Adds `is_single`: true for the only row of its receipt id, false for a row without an id.

    Args:
        rows: one row per raw row, with `receipt_id`.
        repeated: one row per repeated `id_hash`.

    Returns:
        One row per raw row: all columns of `rows`, and `is_single`.
    """
    rows_with_hash = rows.join(repeated, F.xxhash64("receipt_id") == F.col(ID_HASH), "left")
    is_single = F.col(ID_HASH).isNull() & F.col("receipt_id").isNotNull()
    return rows_with_hash.withColumn("is_single", is_single).drop(ID_HASH)
