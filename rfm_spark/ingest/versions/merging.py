"""Merge of delivered and stored record versions: the newest delivery of each id is current."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.ingest.tables.receipts import (
    CURRENT,
    FORGOTTEN,
    IS_FORGOTTEN,
    REPLACES_OTHER,
    SUPERSEDED,
    VOID,
)

DECIDED_COLUMNS = ("status", REPLACES_OTHER)
"""Columns that depend on the other versions of a record."""


def with_status(
    versions: DataFrame, key: str, places: DataFrame, *, are_apart: bool = False
) -> DataFrame:
    """Record versions with their `status`; receipts with REPLACES_OTHER too.

    Of each key the version of the last delivery, in natural order of their names, is `current`, or
    `void` if it is voided; older ones are `superseded`. Of a receipt that has a purchase, returns
    are apart by their time: they never replace the purchase. What is void removes, of the same and
    of older deliveries, the return of its time, and where it is of no return everything. A purchase
    that itself has returned lines removes returns of older deliveries up to its day: it is told
    whole. A version of a customer who was forgotten is compared as any other, and `forgotten`
    whatever comes of it: or else an older one, of somebody else, would count again.

    Args:
        versions: one row per key, delivery and, for receipts, `receipt_ts`: accepted versions,
            those of receipts with the columns of `receipts`; all versions of a key must be
            included.
        key: name of the id column.
        places: `delivery_places` of all these deliveries.
        are_apart: whether returns are apart of receipts without a purchase too: where the purchase
            may lie too far back to be seen.

    Returns:
        One row per row of `versions`: its columns and DECIDED_COLUMNS, for all but receipts only
        `status`.
    """
    ordered = versions.join(F.broadcast(places), "delivery", "left")
    if not _are_receipts(versions):
        newest_first = Window.partitionBy(key).orderBy(F.desc("order"))
        is_newest = F.row_number().over(newest_first) == 1
        status = F.when(is_newest, CURRENT).otherwise(SUPERSEDED)
        return ordered.withColumn("status", status).select(*versions.columns, "status")
    # The wider window first, in the order of the other: rows are moved and sorted once.
    newest_first = Window.partitionBy(key, "returned_at").orderBy(F.desc("order"))
    of_receipt = (
        Window.partitionBy(key)
        .orderBy("returned_at", F.desc("order"))
        .rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    )
    is_purchase = F.col("returned_at").isNull() & ~F.col("is_void")
    told_whole = F.struct("order", "is_return", "business_date")
    ranked = ordered.withColumn("returned_at", _returned_at()).withColumns(
        {
            "has_purchase": F.bool_or(is_purchase).over(of_receipt) | F.lit(are_apart),
            "newest": F.max("order").over(of_receipt),
            "purchase": F.max(F.when(is_purchase, told_whole)).over(of_receipt),
        }
    )
    everything = (Window.unboundedPreceding, Window.unboundedFollowing)
    ranked = ranked.withColumns(
        {
            "place": F.row_number().over(newest_first),
            "before": F.lead(F.struct("customer_id", "business_date")).over(newest_first),
            "is_of_return": F.bool_or(~F.col("is_void")).over(
                newest_first.rowsBetween(*everything)
            ),
        }
    ).withColumn("newest_void", F.max(_order_of_void_receipt()).over(of_receipt))
    decided = {"status": _status(), REPLACES_OTHER: _replaces_other()}
    return ranked.withColumns(decided).select(*versions.columns, *DECIDED_COLUMNS)


def _returned_at() -> Column:
    """Instant of a version that only takes things back."""
    has_sales = F.col("is_visit") | (F.col("gross_cents") != 0)
    return F.when(F.col("is_return") & ~has_sales, F.col("receipt_ts"))


def _order_of_void_receipt() -> Column:
    """Of a version that voids the receipt: it is no return, or there is none of its time."""
    is_of_return = F.col("returned_at").isNotNull() & F.col("is_of_return")
    return F.when(F.col("is_void") & ~is_of_return, F.col("order"))


def _status() -> Column:
    is_newest = F.when(F.col("has_purchase"), F.col("place") == 1).otherwise(
        F.col("order") == F.col("newest")
    )
    is_return, purchase = F.col("returned_at").isNotNull(), F.col("purchase")
    is_voided = (is_return | ~F.col("is_void")) & (F.col("order") <= F.col("newest_void"))
    is_void_of_receipt = _order_of_void_receipt().isNotNull()
    is_told_again = (
        is_return
        & purchase["is_return"]
        & (F.col("order") < purchase["order"])
        & (F.col("business_date") <= purchase["business_date"])
    )
    is_gone = (is_voided & ~is_void_of_receipt) | is_told_again
    counts = is_newest & ~F.coalesce(is_gone, F.lit(False))
    decided = F.when(~counts, SUPERSEDED).when(F.col("is_void"), VOID).otherwise(CURRENT)
    return F.when(F.col(IS_FORGOTTEN), FORGOTTEN).otherwise(decided)


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
        One row per key, with `status`: `void` for a voided receipt, `forgotten` for one of a
        customer who was, else `current`; for receipts with REPLACES_OTHER too.
    """
    if not _are_receipts(versions):
        return versions.withColumn("status", F.lit(CURRENT))
    status = F.when(F.col(IS_FORGOTTEN), FORGOTTEN).when(F.col("is_void"), VOID).otherwise(CURRENT)
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
    stored: DataFrame,
    incoming: DataFrame,
    is_reloaded: Column,
    key: str,
    places: DataFrame,
    *,
    broadcast_keys: bool,
    are_apart: bool = False,
) -> tuple[DataFrame, DataFrame]:
    """Rows of the affected days after the merge of the deliveries being loaded.

    Args:
        stored: all stored rows of the affected days, one per key and delivery, including every
            version of every affected key.
        incoming: accepted versions of the deliveries being loaded, one per key and delivery.
        is_reloaded: true for stored rows of the deliveries being loaded, which are replaced.
        key: name of the id column.
        places: `delivery_places` of all these deliveries.
        broadcast_keys: whether to broadcast the affected keys, which avoids a shuffle of `stored`.
        are_apart: as of `with_status`.

    Returns:
        The versions of affected keys with their new status, and all other stored rows unchanged
        (versions of their keys may be outside the affected days); one row per key and delivery.
    """
    affected = affected_keys(stored, incoming, is_reloaded, key)
    affected = F.broadcast(affected) if broadcast_keys else affected
    other_versions = stored.join(affected, key, "left_semi").where(~is_reloaded)
    other_versions = other_versions.drop(*DECIDED_COLUMNS)
    unaffected = stored.join(affected, key, "left_anti")
    together = incoming.unionByName(other_versions)
    affected_versions = with_status(together, key, places, are_apart=are_apart)
    return affected_versions.select(*stored.columns), unaffected.select(*stored.columns)
