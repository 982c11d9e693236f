"""Assignment: every customer to its nearest centre, by a SQL expression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.clustering.standard_units import Scale

EXACT = "decimal(30,6)"
"""Sums of decimals come out the same in any order of rows; sums of doubles do not."""


def assignments(
    features: DataFrame, scales: Sequence[Scale], centres: npt.NDArray[np.float64]
) -> DataFrame:
    """The nearest and second nearest centre of every customer; of equals the lower number.

    Args:
        features: `customer_features`.
        scales: how features become standard units.
        centres: one row per cluster, numbered from 1.

    Returns:
        One row per customer: `customer_id`, `cluster`, `distance`, `runner_up`,
        `runner_up_distance` (NULL with one cluster).
    """
    standard = features.select(
        "customer_id", *[scale.standardised().alias(scale.feature) for scale in scales]
    )
    numbered = [
        F.struct(_squared(scales, centre).alias("squared"), F.lit(number).alias("cluster"))
        for number, centre in enumerate(centres, start=1)
    ]
    nearest = F.array_sort(F.array(*numbered))
    ranked = standard.select("customer_id", nearest.alias("nearest"))
    first, second = F.get("nearest", F.lit(0)), F.get("nearest", F.lit(1))
    return ranked.select(
        "customer_id",
        first["cluster"].alias("cluster"),
        F.sqrt(first["squared"]).alias("distance"),
        second["cluster"].alias("runner_up"),
        F.sqrt(second["squared"]).alias("runner_up_distance"),
    )


def cluster_sums(
    assigned: DataFrame, features: DataFrame, scales: Sequence[Scale], names: Sequence[str]
) -> DataFrame:
    """Size, revenue, means and cost of every cluster.

    Args:
        assigned: from `assignments`.
        features: `customer_features`.
        scales: features the clusters were made from.
        names: all features to describe; NULLs are left out of a mean.

    Returns:
        One row per cluster with customers: `cluster`, `customers`, `revenue_cents`, `cost` (sum
        of squared distances), `<feature>_mean`, and of standard units `<feature>_sum`,
        `<feature>_squares`.
    """
    standard = {scale.feature: scale.standardised() for scale in scales}
    beside = features.join(assigned.select("customer_id", "cluster", "distance"), "customer_id")
    return beside.groupBy("cluster").agg(
        F.count(F.lit(1)).alias("customers"),
        F.sum(F.col("monetary_cents").cast("bigint")).alias("revenue_cents"),
        _sum(F.col("distance") * F.col("distance")).alias("cost"),
        *[F.avg(F.col(name).cast(EXACT)).cast("double").alias(f"{name}_mean") for name in names],
        *[_sum(column).alias(f"{name}_sum") for name, column in standard.items()],
        *[_sum(column * column).alias(f"{name}_squares") for name, column in standard.items()],
    )


def _squared(scales: Sequence[Scale], centre: Sequence[float] | npt.NDArray[np.float64]) -> Column:
    gaps = [
        F.col(scale.feature) - F.lit(float(at)) for scale, at in zip(scales, centre, strict=True)
    ]
    squares = [gap * gap for gap in gaps]
    return sum(squares[1:], squares[0])


def _sum(value: Column) -> Column:
    return F.sum(value.cast(EXACT)).cast("double")
