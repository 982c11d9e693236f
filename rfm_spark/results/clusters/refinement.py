"""Refinement: passes over all customers, each one aggregation, that improve centres."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.distances import (
    Centres,
    by_name,
    squared_distances,
    standard_columns,
)
from rfm_spark.results.clusters.exact_sums import exact_sum
from rfm_spark.results.clusters.standard_units import Scale


def true_costs(
    features: DataFrame, scales: Sequence[Scale], starts: Sequence[Centres]
) -> list[float]:
    """The sum of squared distances of all customers to the nearest centre, of every start.

    Args:
        features: `customer_features`.
        scales: how features become standard units.
        starts: centres, one row per cluster each.

    Returns:
        One cost per start, the same in any order of rows.
    """
    standard = features.select(*standard_columns(scales))
    costs = [exact_sum(_least(squared_distances(scales, one))) for one in starts]
    return [float(cost or 0) for cost in standard.agg(*costs).collect()[0]]


def refined(
    features: DataFrame,
    scales: Sequence[Scale],
    centres: Centres,
    min_improvement: float,
    max_passes: int,
) -> tuple[Centres, list[float]]:
    """Centres moved to the means of their customers until that saves too little (Lloyd 1982).

    A centre that nobody is nearest to stays where it is.

    Args:
        features: `customer_features`.
        scales: how features become standard units.
        centres: one row per cluster.
        min_improvement: share of the cost that a pass must save for another one to follow.
        max_passes: most of them.

    Returns:
        The centres, and after each pass the sum of squared distances of all customers: the last is
        that of the centres.
    """
    costs: list[float] = []
    best, moved = centres, centres
    while len(costs) < max_passes:
        cost, after = _pass(features, scales, moved)
        if costs and cost > costs[-1]:  # by less than what sums are rounded to
            break
        best = moved
        costs.append(cost)
        if cost == 0:  # means of rounded sums would be further away
            break
        if len(costs) > 1 and costs[-2] - cost <= min_improvement * costs[-2]:
            break
        moved = after
    return best, costs


def _pass(features: DataFrame, scales: Sequence[Scale], centres: Centres) -> tuple[float, Centres]:
    """The cost of centres, and the means of the customers nearest to each."""
    squares = squared_distances(scales, centres)
    nearest = F.array_min(
        F.array(
            *[
                F.struct(square.alias("squared"), F.lit(place).alias("place"))
                for place, square in enumerate(squares)
            ]
        )
    )
    standard = features.select(*standard_columns(scales))
    rows = (
        standard.withColumn("nearest", nearest)
        .groupBy(F.col("nearest.place").alias("place"))
        .agg(
            F.count(F.lit(1)).alias("customers"),
            exact_sum(F.col("nearest.squared")).alias("cost"),
            *[exact_sum(by_name(name)).alias(name) for name in standard.columns],
        )
        .collect()
    )
    moved = np.array(centres, dtype=np.float64)
    for row in rows:
        moved[row["place"]] = [row[name] / row["customers"] for name in standard.columns]
    return fsum(row["cost"] for row in rows), moved


def _least(squares: Sequence[Column]) -> Column:
    return squares[0] if len(squares) == 1 else F.least(*squares)
