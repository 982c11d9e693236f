"""One version each: of all deliveries of a receipt or interaction, the newest wins whole."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.ingest.tables.receipts import CURRENT, SUPERSEDED, VOID


def with_status(versions: DataFrame, key: str) -> DataFrame:
    """Decides which version of each key is current.

    Args:
        versions: accepted versions with `key`, `delivery` and, where the source can cancel,
            `is_void`; all versions of a key must be there, each from another delivery.
        key: the id column.

    Returns:
        The same rows with `status`: of each key the version of the last delivery, by name, is
        `current`, or `void` where it cancels; the others are `superseded`.
    """
    newest_first = Window.partitionBy(key).orderBy(F.desc("delivery"))
    is_newest = F.row_number().over(newest_first) == 1
    own = with_own_status(versions.withColumn("is_newest", is_newest))
    status = F.when(F.col("is_newest"), F.col("status")).otherwise(SUPERSEDED)
    return own.withColumn("status", status).drop("is_newest")


def with_own_status(versions: DataFrame) -> DataFrame:
    """The same for versions that are the only ones of their key."""
    void = F.col("is_void") if "is_void" in versions.columns else F.lit(False)
    return versions.withColumn("status", F.when(void, VOID).otherwise(CURRENT))


def touched_keys(stored: DataFrame, incoming: DataFrame, came: Column, key: str) -> DataFrame:
    """Keys whose versions must be compared again: they come, or these deliveries had them before.

    Args:
        stored: rows of the table, of any days.
        incoming: accepted versions of the deliveries that came.
        came: true for stored rows that one of these deliveries brought before.
        key: the id column.

    Returns:
        One row per key.
    """
    had_before = stored.where(came).select(key)
    return incoming.select(key).union(had_before).distinct()


def merged_versions(
    stored: DataFrame, incoming: DataFrame, came: Column, key: str, *, are_few: bool
) -> tuple[DataFrame, DataFrame]:
    """What the affected days hold once the deliveries that came are taken in.

    Args:
        stored: rows of the table: all rows of the affected days, among them every version of
            every touched key.
        incoming: accepted versions of the deliveries that came.
        came: true for stored rows that one of these deliveries brought before: they are replaced.
        key: the id column.
        are_few: every task can hold all touched keys, so that no other row need be moved.

    Returns:
        The versions of touched keys, compared with each other; and all other rows as they were:
        their other versions can lie on other days.
    """
    touched = touched_keys(stored, incoming, came, key)
    touched = F.broadcast(touched) if are_few else touched
    older = stored.join(touched, key, "left_semi").where(~came).drop("status")
    untouched = stored.join(touched, key, "left_anti")
    compared = with_status(incoming.unionByName(older), key)
    return compared.select(*stored.columns), untouched.select(*stored.columns)
