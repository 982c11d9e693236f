"""Moves between clusters: by customers' own behaviour, or because the model changed."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.assignment import assignments
from rfm_spark.results.clusters.model import ClusterModel

NOWHERE = 0
"""The cluster of who is not among those clustered on a day."""


def by_both_models(features: DataFrame, before: ClusterModel, now: ClusterModel) -> DataFrame:
    """Every customer's cluster by two models, in one pass.

    Args:
        features: `customer_features` of one day.
        before: the earlier model.
        now: the one of the day.

    Returns:
        One row per customer: `customer_id`, `before`, `now`.
    """
    columns = features.columns
    by_now = assignments(features, now).select(*columns, F.col("cluster").alias("now"))
    return assignments(by_now, before).select(
        "customer_id", F.col("cluster").alias("before"), "now"
    )


def cluster_moves(earlier: DataFrame, today: DataFrame) -> DataFrame:
    """Who went from which cluster to which, and why.

    Args:
        earlier: rows of `cluster_assignments` of the earlier day.
        today: `by_both_models`, `before` being the model of the earlier day.

    Returns:
        One row per `from_cluster`, `to_cluster` (NOWHERE for who is not there on that day) and
        `cause`, with `customers`: all of both days, once each.
    """
    was, by_values, now = F.col("was"), F.col("before"), F.col("now")
    both = earlier.select("customer_id", F.col("cluster").alias("was")).join(
        today, "customer_id", "full"
    )
    cause = (
        F.when(was.isNull(), "entered")
        .when(now.isNull(), "left")
        .when(was == now, "stayed")
        .when(by_values == now, "behaviour")
        .when(by_values == was, "model")
        .otherwise("both")
    )
    return both.groupBy(
        F.coalesce(was, F.lit(NOWHERE)).alias("from_cluster"),
        F.coalesce(now, F.lit(NOWHERE)).alias("to_cluster"),
        cause.alias("cause"),
    ).agg(F.count(F.lit(1)).alias("customers"))


def shared_customers(today: DataFrame) -> dict[tuple[int, int], int]:
    """Customers by their clusters in two models: at most as many pairs as there can be."""
    rows = today.groupBy("before", "now").count().collect()
    return {(row["before"], row["now"]): row["count"] for row in rows}
