"""Merge of delivered and stored record versions: the newest delivery of each id is current."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.ingest.tables.receipts import CURRENT, REPLACES_OTHER, SUPERSEDED, VOID

DECIDED_COLUMNS = ("status", REPLACES_OTHER)
"""Columns that depend on the other versions of a record."""


def with_status(versions: DataFrame, key: str) -> DataFrame:
    """Record versions with their `status`.

    Args:
        versions: one row per key and delivery: accepted versions with `key`, `delivery` and, for
            receipts, `is_void`, `customer_id` and `business_date`; all versions of a key must be
            included.
        key: name of the id column.

    Returns:
        One row per key and delivery, with `status`: for each key the version of the last
        delivery, by name, is `current`, or `void` if it is voided; older ones are `superseded`.
        For receipts with REPLACES_OTHER too, found in the same pass.
    """
    newest_first = Window.partitionBy(key).orderBy(F.desc("delivery"))
    is_newest = F.row_number().over(newest_first) == 1
    ranked = with_single_version_status(versions.withColumn("is_newest", is_newest))
    status = F.when(F.col("is_newest"), F.col("status")).otherwise(SUPERSEDED)
    decided = ranked.withColumn("status", status).drop("is_newest")
    if not _are_receipts(versions):
        return decided
    before = F.lead(F.struct("customer_id", "business_date")).over(newest_first)
    replaces_other = (
        ~F.col("is_void")
        & ~F.col("customer_id").eqNullSafe(before["customer_id"])
        & (F.col("business_date") != before["business_date"])
    )
    return decided.withColumn(REPLACES_OTHER, F.coalesce(replaces_other, F.lit(False)))


def with_single_version_status(versions: DataFrame) -> DataFrame:
    """Record versions with their `status`, for versions that are the only one of their key.

    Args:
        versions: one row per key: accepted versions, for receipts with `is_void`.

    Returns:
        One row per key, with `status`: `void` for a voided receipt, else `current`; for receipts
        with REPLACES_OTHER too.
    """
    if not _are_receipts(versions):
        return versions.withColumn("status", F.lit(CURRENT))
    status = F.when(F.col("is_void"), VOID).otherwise(CURRENT)
    return versions.withColumns({"status": status, REPLACES_OTHER: F.lit(False)})


def _are_receipts(versions: DataFrame) -> bool:
    return "is_void" in versions.columns


def affected_keys(
    stored: DataFrame, incoming: DataFrame, is_reloaded: Column, key: str
) -> DataFrame:
    """Keys whose `status` must be decided again: those delivered now or loaded before.

    Args:
        stored: rows of the table, one per key and delivery.
        incoming: accepted versions of the deliveries being loaded, one per key and delivery.
        is_reloaded: true for stored rows of the deliveries being loaded.
        key: name of the id column.

    Returns:
        One row per key.
    """
    loaded_before = stored.where(is_reloaded).select(key)
    return incoming.select(key).union(loaded_before).distinct()


def merged_versions(
    stored: DataFrame, incoming: DataFrame, is_reloaded: Column, key: str, *, broadcast_keys: bool
) -> tuple[DataFrame, DataFrame]:
    """Rows of the affected days after the merge of the deliveries being loaded.

    Args:
        stored: all stored rows of the affected days, one per key and delivery, including every
            version of every affected key.
        incoming: accepted versions of the deliveries being loaded, one per key and delivery.
        is_reloaded: true for stored rows of the deliveries being loaded, which are replaced.
        key: name of the id column.
        broadcast_keys: whether to broadcast the affected keys, which avoids a shuffle of `stored`.

    Returns:
        The versions of affected keys with their new status, and all other stored rows unchanged
        (versions of their keys may be outside the affected days); one row per key and delivery.
    """
    affected = affected_keys(stored, incoming, is_reloaded, key)
    affected = F.broadcast(affected) if broadcast_keys else affected
    other_versions = stored.join(affected, key, "left_semi").where(~is_reloaded)
    other_versions = other_versions.drop(*DECIDED_COLUMNS)
    unaffected = stored.join(affected, key, "left_anti")
    affected_versions = with_status(incoming.unionByName(other_versions), key)
    return affected_versions.select(*stored.columns), unaffected.select(*stored.columns)
