"""Micro-groups: combinations of groups of every feature that customers occupy."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.distances import (
    by_name,
    squared_distances,
    standard_columns,
    standard_name,
)
from rfm_spark.results.clusters.exact_sums import exact_mean
from rfm_spark.results.clusters.model import ClusterModel
from rfm_spark.results.clusters.standard_units import Scale, natural_values


def micro_groups(features: DataFrame, model: ClusterModel, names: Sequence[str]) -> DataFrame:
    """The occupied combinations of groups, and the cluster each was merged into.

    Args:
        features: `customer_features`.
        model: with cuts of every feature.
        names: all features to describe; NULLs are left out of a mean.

    Returns:
        One row per combination with customers: `micro_group` (a digit for each of the model's
        features, 1 the lowest values), `cluster` (of the centre nearest to its mean in standard
        units; of equals the lower number), `distance`, `customers`, `revenue_cents`,
        `revenue_per_customer_cents`, `means` by feature, and `<feature>_standard`, the means.
    """
    digits = [
        _group(scale, cuts) for scale, cuts in zip(model.scales, model.group_cuts, strict=True)
    ]
    standard = [standard_name(scale.feature) for scale in model.scales]
    means = natural_values(model.scales, names) | {name: by_name(name) for name in standard}
    grouped = (
        features.select("*", *standard_columns(model.scales))
        .groupBy(F.concat(*digits).alias("micro_group"))
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.sum(F.col("monetary_cents").cast("bigint")).alias("revenue_cents"),
            *[exact_mean(column).alias(name) for name, column in means.items()],
        )
    )
    squares = squared_distances(model.scales, model.centres)
    nearest = F.array_min(
        F.array(
            *[
                F.struct(square.alias("squared"), F.lit(number).alias("cluster"))
                for number, square in zip(model.numbers, squares, strict=True)
            ]
        )
    )
    by_feature = F.create_map(*[one for name in names for one in (F.lit(name), by_name(name))])
    return grouped.withColumn("nearest", nearest).select(
        "micro_group",
        F.col("nearest.cluster").alias("cluster"),
        F.sqrt("nearest.squared").alias("distance"),
        "customers",
        "revenue_cents",
        (F.col("revenue_cents") / F.col("customers")).alias("revenue_per_customer_cents"),
        by_feature.alias("means"),
        *[by_name(name) for name in standard],
    )


def possible(model: ClusterModel) -> int:
    """How many combinations there could be; a cut that comes twice leaves a group nobody is in."""
    count = 1
    for cuts in model.group_cuts:
        count *= len(cuts) + 1
    return count


def _group(scale: Scale, cuts: Sequence[float]) -> Column:
    """The group's digit: 1 + the number of cuts up to the value."""
    passed = [(scale.value() >= F.lit(cut)).cast("int") for cut in cuts]
    return sum(passed, F.lit(1)).cast("string")
