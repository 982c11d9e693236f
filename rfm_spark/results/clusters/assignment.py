"""Assignment: every customer to its nearest centre, by a SQL expression."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.distances import (
    by_name,
    squared_distances,
    standard_column,
    standard_columns,
)
from rfm_spark.results.clusters.exact_sums import exact_mean, exact_sum
from rfm_spark.results.clusters.features.values import HALVES
from rfm_spark.results.clusters.model import ClusterModel
from rfm_spark.results.clusters.standard_units import Scale, natural_values


def assignments(features: DataFrame, model: ClusterModel) -> DataFrame:
    """The nearest and second nearest centre of every customer; of equals the lower number.

    Args:
        features: `customer_features`.
        model: centres, and how features become standard units.

    Returns:
        One row per customer: the columns of `features`, `<feature>_standard` of each scale,
        `cluster`, `distance`, `runner_up`, `runner_up_distance` and `margin` (NULL with one
        cluster), `is_outlier`.
    """
    squares = squared_distances(model.scales, model.centres)
    numbered = [
        F.struct(square.alias("squared"), F.lit(number).alias("cluster"))
        for number, square in zip(model.numbers, squares, strict=True)
    ]
    # Not array_sort: it compares by a function that is interpreted for every pair.
    nearest = F.sort_array(F.array(*numbered))
    standard = features.select("*", *standard_columns(model.scales))
    first, second = F.get("nearest", F.lit(0)), F.get("nearest", F.lit(1))
    distance, further = F.sqrt(first["squared"]), F.sqrt(second["squared"])
    return standard.withColumn("nearest", nearest).select(
        *[by_name(name) for name in standard.columns],
        first["cluster"].alias("cluster"),
        distance.alias("distance"),
        second["cluster"].alias("runner_up"),
        further.alias("runner_up_distance"),
        (further - distance).alias("margin"),
        (distance > model.outlier_distance).alias("is_outlier"),
    )


def cluster_sums(assigned: DataFrame, scales: Sequence[Scale], names: Sequence[str]) -> DataFrame:
    """Size, revenue, means and cost of every cluster.

    Args:
        assigned: from `assignments`.
        scales: features the clusters were made from.
        names: all features to describe; NULLs are left out of a mean.

    Returns:
        One row per cluster with customers: `cluster`, `customers`, `outliers`, `revenue_cents`,
        that of each of HALVES, `cost` (sum of squared distances), `<feature>_mean`, and of
        standard units `<feature>_sum`, `<feature>_squares`.
    """
    natural = natural_values(scales, names)
    standard = {scale.feature: standard_column(scale.feature) for scale in scales}
    return assigned.groupBy("cluster").agg(
        F.count(F.lit(1)).alias("customers"),
        F.count_if("is_outlier").alias("outliers"),
        F.sum(F.col("monetary_cents").cast("bigint")).alias("revenue_cents"),
        *[F.sum(half).alias(half) for half in HALVES],
        exact_sum(F.col("distance") * F.col("distance")).alias("cost"),
        *[exact_mean(column).alias(f"{name}_mean") for name, column in natural.items()],
        *[exact_sum(column).alias(f"{name}_sum") for name, column in standard.items()],
        *[exact_sum(column * column).alias(f"{name}_squares") for name, column in standard.items()],
    )
