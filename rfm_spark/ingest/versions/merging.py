"""Merge of delivered and stored record versions: the newest delivery of each id is current."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.core.natural_order import natural_order
from rfm_spark.ingest.tables.receipts import CURRENT, REPLACES_OTHER, SUPERSEDED, VOID

DECIDED_COLUMNS = ("status", REPLACES_OTHER)
"""Columns that depend on the other versions of a record."""


def with_status(versions: DataFrame, key: str) -> DataFrame:
    """Record versions with their `status`; receipts with REPLACES_OTHER too.

    Of each key the version of the last delivery, in natural order of their names, is `current`, or
    `void` if it is voided; older ones are `superseded`. Of a receipt that has a purchase, returns
    are apart by their time: they never replace the purchase, and only a void purchase of the same
    or a later delivery replaces them.

    Args:
        versions: one row per key, delivery and, for receipts, `receipt_ts`: accepted versions,
            those of receipts with the columns of `receipts`; all versions of a key must be
            included.
        key: name of the id column.

    Returns:
        One row per row of `versions`: its columns and DECIDED_COLUMNS, for all but receipts only
        `status`.
    """
    if not _are_receipts(versions):
        newest_first = Window.partitionBy(key).orderBy(F.desc(natural_order(F.col("delivery"))))
        is_newest = F.row_number().over(newest_first) == 1
        status = F.when(is_newest, CURRENT).otherwise(SUPERSEDED)
        return versions.withColumn("status", status)
    # The wider window first, in the order of the other: rows are moved and sorted once.
    newest_first = Window.partitionBy(key, "returned_at").orderBy(F.desc("order"))
    of_receipt = (
        Window.partitionBy(key)
        .orderBy("returned_at", F.desc("order"))
        .rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    )
    is_purchase = F.col("returned_at").isNull() & ~F.col("is_void")
    ordered = {"returned_at": _returned_at(), "order": natural_order(F.col("delivery"))}
    ranked = versions.withColumns(ordered).withColumns(
        {
            "has_purchase": F.bool_or(is_purchase).over(of_receipt),
            "newest": F.max("order").over(of_receipt),
            "newest_void": F.max(_order_of_void_purchase()).over(of_receipt),
        }
    )
    ranked = ranked.withColumns(
        {
            "place": F.row_number().over(newest_first),
            "before": F.lead(F.struct("customer_id", "business_date")).over(newest_first),
        }
    )
    decided = {"status": _status(), REPLACES_OTHER: _replaces_other()}
    return ranked.withColumns(decided).select(*versions.columns, *DECIDED_COLUMNS)


def _returned_at() -> Column:
    """Instant of a version that only takes things back."""
    has_sales = F.col("is_visit") | (F.col("gross_cents") != 0)
    return F.when(F.col("is_return") & ~has_sales, F.col("receipt_ts"))


def _order_of_void_purchase() -> Column:
    return F.when(F.col("returned_at").isNull() & F.col("is_void"), F.col("order"))


def _status() -> Column:
    is_newest = F.when(F.col("has_purchase"), F.col("place") == 1).otherwise(
        F.col("order") == F.col("newest")
    )
    is_voided = F.col("returned_at").isNotNull() & (F.col("order") <= F.col("newest_void"))
    counts = is_newest & ~F.coalesce(is_voided, F.lit(False))
    return F.when(~counts, SUPERSEDED).when(F.col("is_void"), VOID).otherwise(CURRENT)


def _replaces_other() -> Column:
    before = F.col("before")
    is_of_other = ~F.col("customer_id").eqNullSafe(before["customer_id"]) & (
        F.col("business_date") != before["business_date"]
    )
    return ~F.col("is_void") & F.coalesce(is_of_other, F.lit(False))


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
