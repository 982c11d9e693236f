"""Clusters crossed with segments and cohorts, and the proof that nobody is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

SEGMENT, COHORT = "segment", "cohort"
BREAKDOWNS = (SEGMENT, COHORT)

_SUMS = ("customers", "revenue_cents")


def crossed(
    assignments: DataFrame, features: DataFrame, segments: DataFrame, as_of: date
) -> DataFrame:
    """Customers and revenue of each cluster by segment, and by month of the first visit.

    Args:
        assignments: rows of `cluster_assignments` of one model on one day.
        features: rows of `customer_features` of that day and the model's window.
        segments: `customer_id` and `segment` of that day, at most one row a customer.
        as_of: the day.

    Returns:
        One row per `cluster`, `breakdown` and `value` (NULL of who has no segment) that somebody
        has: `customers`, `revenue_cents`.
    """
    customers = (
        assignments.select("customer_id", "cluster")
        .join(features.select("customer_id", "tenure_days", "monetary_cents"), "customer_id")
        .join(segments.select("customer_id", "segment"), "customer_id", "left")
    )
    first_visit = F.date_sub(F.lit(as_of), F.col("tenure_days").cast("int"))
    values = {SEGMENT: F.col("segment"), COHORT: F.date_format(first_visit, "yyyy-MM")}
    groups = [
        F.struct(F.lit(name).alias("breakdown"), value.alias("value"))
        for name, value in values.items()
    ]
    return (
        customers.select(
            "cluster",
            F.col("monetary_cents").cast("bigint").alias("cents"),
            F.inline(F.array(*groups)),
        )
        .groupBy("cluster", "breakdown", "value")
        .agg(F.count(F.lit(1)).alias("customers"), F.sum("cents").alias("revenue_cents"))
    )


def clusters_left(assignments: DataFrame, features: DataFrame) -> DataFrame:
    """Clusters by those who are left in them: `clusters` counts who was forgotten since.

    Args:
        assignments: as of `crossed`.
        features: the same.

    Returns:
        One row per cluster that somebody is in: `cluster`, `customers`, `revenue_cents`.
    """
    money = features.select("customer_id", F.col("monetary_cents").cast("bigint").alias("cents"))
    return (
        assignments.select("customer_id", "cluster")
        .join(money, "customer_id", "left")  # who has no features is missed in `crossed`
        .groupBy("cluster")
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.coalesce(F.sum("cents"), F.lit(0)).alias("revenue_cents"),
        )
    )


def crossing_problems(
    rows: Sequence[Mapping[str, Any]], clusters: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """What does not add up to the clusters.

    Args:
        rows: of `crossed`.
        clusters: rows of `clusters` of the same model and day, or of `clusters_left`.
    """
    for breakdown in BREAKDOWNS:
        found = {name: Counter[int]() for name in _SUMS}
        for row in rows:
            if row["breakdown"] == breakdown:
                for name in _SUMS:
                    found[name][row["cluster"]] += row[name]
        for one in clusters:
            for name in _SUMS:
                told = found[name].pop(one["cluster"], 0)
                if told != one[name]:
                    yield f"cluster {one['cluster']} by {breakdown}: {told} of {one[name]} {name}"
        for cluster in found["customers"]:
            yield f"cluster {cluster} by {breakdown}: there is no such cluster"
