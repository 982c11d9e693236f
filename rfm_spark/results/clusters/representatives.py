"""Representatives: the customers whom each cluster can be pictured by."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

REPRESENTATIVES = 5
"""Customers of each cluster."""


def representatives(assigned: DataFrame) -> DataFrame:
    """The customers nearest to the centre of their cluster; of equals the first by id.

    Each task keeps as many of each cluster before rows move: none sees all customers.

    Args:
        assigned: rows of `cluster_assignments` of one model on one day.

    Returns:
        One row per cluster and `place`, 1 the nearest, to REPRESENTATIVES or the last customer:
        `cluster`, `place`, `customer_id`, `distance`.
    """
    nearest_first = Window.partitionBy("cluster").orderBy("distance", "customer_id")
    return (
        assigned.withColumn("place", F.row_number().over(nearest_first))
        .where(F.col("place") <= REPRESENTATIVES)
        .select("cluster", "place", "customer_id", "distance")
    )
