"""Representatives: the customers whom each cluster can be pictured by."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

REPRESENTATIVES = 5
"""Customers of each cluster."""


def representatives(assigned: DataFrame) -> DataFrame:
    """The customers nearest to the centre of their cluster; of equals the first by id.

    An aggregation that keeps as many of each cluster on its way: no task sees all customers.

    Args:
        assigned: rows of `cluster_assignments` of one model on one day.

    Returns:
        One row per cluster and `place`, 1 the nearest, to REPRESENTATIVES or the last customer:
        `cluster`, `place`, `customer_id`, `distance`.
    """
    one = F.struct("distance", "customer_id")
    nearest = F.min_by(one, one, REPRESENTATIVES)
    found = assigned.groupBy("cluster").agg(nearest.alias("nearest"))
    return found.select("cluster", F.posexplode("nearest").alias("before", "one")).select(
        "cluster", (F.col("before") + 1).alias("place"), "one.customer_id", "one.distance"
    )
