"""Identities: who of the customers is another one by now, and whose facts these are."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.attributes import latest_of_customers


def newest_merges(identities: DataFrame) -> DataFrame:
    """What counts of all that was delivered.

    Args:
        identities: the `identities` table.

    Returns:
        One row per old id that is not itself: `customer_id`, `merged_into` (the next one, which may
        have been merged as well), `valid_from`; of the latest day, then of the newest delivery.
    """
    newest = latest_of_customers(identities)
    is_another = F.col("customer_id") != F.col("merged_into")
    return newest.where(is_another).select("customer_id", "merged_into", "valid_from")


def followed_twice_as_far(merges: DataFrame) -> DataFrame:
    """Merges of which each follows the one that it leads to (pointer jumping, Wyllie 1979).

    Args:
        merges: one row per old id: `customer_id`, `merged_into`, `valid_from`.
    """
    joined = merges.join(_ends(merges), "merged_into", "left")
    further = F.coalesce("further", "merged_into").alias("merged_into")
    return joined.select("customer_id", further, "valid_from")


def leading_on(merges: DataFrame) -> DataFrame:
    """Those of the merges that lead to an id which was merged itself."""
    return merges.join(_ends(merges), "merged_into", "left_semi")


def changed_ids(before: DataFrame, after: DataFrame) -> DataFrame:
    """Old ids that are somebody else after than before.

    Args:
        before: `merged_customers`.
        after: the same.

    Returns:
        One row per such id: `customer_id`.
    """
    old, new = (
        rows.select("customer_id", F.col("merged_into").alias(name))
        for rows, name in ((before, "before"), (after, "after"))
    )
    is_same = F.col("before").eqNullSafe(F.col("after"))
    return old.join(new, "customer_id", "full").where(~is_same).select("customer_id")


def as_merged(rows: DataFrame, merged: DataFrame) -> DataFrame:
    """Rows of customers, each of who it is in the end; guests stay guests.

    Args:
        rows: with `customer_id`.
        merged: `merged_customers`.
    """
    final = merged.select("customer_id", "merged_into")
    return (
        rows.join(final, "customer_id", "left")
        .withColumn("customer_id", F.coalesce("merged_into", "customer_id"))
        .drop("merged_into")
    )


def with_all_ids(ids: DataFrame, merged: DataFrame) -> DataFrame:
    """Ids of customers, and all others that are the same customers by now.

    Args:
        ids: one row per id: `customer_id`.
        merged: `merged_customers`.

    Returns:
        One row per id: `customer_id`.
    """
    links = merged.select("customer_id", "merged_into")
    final = links.join(ids, "customer_id", "left_semi").select("merged_into")
    ends = final.unionByName(ids.select(F.col("customer_id").alias("merged_into")))
    others = links.join(ends, "merged_into", "left_semi").select("customer_id")
    own = ends.select(F.col("merged_into").alias("customer_id"))
    return own.unionByName(others).distinct()


def _ends(merges: DataFrame) -> DataFrame:
    """Each old id as the one that others were merged into."""
    return merges.select(
        F.col("customer_id").alias("merged_into"), F.col("merged_into").alias("further")
    )
