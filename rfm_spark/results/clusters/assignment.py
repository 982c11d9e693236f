"""Assignment: every customer to its nearest centre, by a SQL expression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.standard_units import Scale

_MILLIONTHS = 1e6
"""Sums of integers come out the same in any order of rows, sums of doubles do not."""


def assignments(
    features: DataFrame, scales: Sequence[Scale], centres: npt.NDArray[np.float64]
) -> DataFrame:
    """The nearest and second nearest centre of every customer; of equals the lower number.

    Args:
        features: `customer_features`.
        scales: how features become standard units.
        centres: one row per cluster, numbered from 1.

    Returns:
        One row per customer: the columns of `features`, `<feature>_standard` of each scale,
        `cluster`, `distance`, `runner_up`, `runner_up_distance` (NULL with one cluster).
    """
    standard = {_standard(scale): scale.standardised() for scale in scales}
    numbered = [
        F.struct(_squared(scales, centre).alias("squared"), F.lit(number).alias("cluster"))
        for number, centre in enumerate(centres, start=1)
    ]
    # Not array_sort: it compares by a function that is interpreted for every pair.
    nearest = F.sort_array(F.array(*numbered))
    ranked = features.withColumns(standard).withColumn("nearest", nearest)
    first, second = F.get("nearest", F.lit(0)), F.get("nearest", F.lit(1))
    return ranked.select(
        *features.columns,
        *standard,
        first["cluster"].alias("cluster"),
        F.sqrt(first["squared"]).alias("distance"),
        second["cluster"].alias("runner_up"),
        F.sqrt(second["squared"]).alias("runner_up_distance"),
    )


def cluster_sums(assigned: DataFrame, scales: Sequence[Scale], names: Sequence[str]) -> DataFrame:
    """Size, revenue, means and cost of every cluster.

    Args:
        assigned: from `assignments`.
        scales: features the clusters were made from.
        names: all features to describe; NULLs are left out of a mean.

    Returns:
        One row per cluster with customers: `cluster`, `customers`, `revenue_cents`, `cost` (sum
        of squared distances), `<feature>_mean`, and of standard units `<feature>_sum`,
        `<feature>_squares`.
    """
    standard = {scale.feature: F.col(_standard(scale)) for scale in scales}
    return assigned.groupBy("cluster").agg(
        F.count(F.lit(1)).alias("customers"),
        F.sum(F.col("monetary_cents").cast("bigint")).alias("revenue_cents"),
        _sum(F.col("distance") * F.col("distance")).alias("cost"),
        *[_mean(F.col(name)).alias(f"{name}_mean") for name in names],
        *[_sum(column).alias(f"{name}_sum") for name, column in standard.items()],
        *[_sum(column * column).alias(f"{name}_squares") for name, column in standard.items()],
    )


def _standard(scale: Scale) -> str:
    return f"{scale.feature}_standard"


def _squared(scales: Sequence[Scale], centre: Sequence[float] | npt.NDArray[np.float64]) -> Column:
    gaps = [
        F.col(_standard(scale)) - F.lit(float(at)) for scale, at in zip(scales, centre, strict=True)
    ]
    squares = [gap * gap for gap in gaps]
    return sum(squares[1:], squares[0])


def _mean(value: Column) -> Column:
    """Whole units, whose sum fits a BIGINT as money does, and millionths, added up apart.

    NULLs are left out; NULL where there is nothing else.
    """
    whole = F.floor(value)
    millionths = F.rint((value - whole) * _MILLIONTHS).cast("bigint")
    return F.try_divide(F.sum(whole) + F.sum(millionths) / _MILLIONTHS, F.count(value))


def _sum(value: Column) -> Column:
    """Of standard units, so that a BIGINT of millionths holds them."""
    return F.sum(F.rint(value * _MILLIONTHS).cast("bigint")) / _MILLIONTHS
