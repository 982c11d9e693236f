"""The model: MLlib k-means on a bounded, ordered sample, refined on all customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from pyspark import StorageLevel
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.side_by_side import side_by_side
from rfm_spark.results.clusters.block_solver import fitted, solver_for
from rfm_spark.results.clusters.choice_of_k import HALF, Candidate, candidates, chosen
from rfm_spark.results.clusters.data_check import feature_notes
from rfm_spark.results.clusters.distances import Centres
from rfm_spark.results.clusters.features.feature import Transform
from rfm_spark.results.clusters.features.names import stored_columns
from rfm_spark.results.clusters.group_cuts import group_cuts
from rfm_spark.results.clusters.refinement import refined, true_costs
from rfm_spark.results.clusters.standard_units import Scale, fitted_scales

_HASHES = 1 << 20
_MAX_ITERATIONS = 50
_TOLERANCE = 1e-3
"""How far centres move in the last iteration: which customers are in a sample moves them by more,
and the passes over all customers go on from there."""
_FAR = 3.0
"""Times the root mean square distance from which a customer is an outlier."""
_LEAST_FAR = 1e-3
"""Nearer than this, in standard units, nobody is: distances of no more are roundings."""
_HALVES = 2


@dataclass(frozen=True)
class Training:
    """How a model is trained.

    Attributes:
        k: clusters asked for; fewer come out where fewer customers differ.
        max_k: where it is given, the number is chosen from k to this.
        seed: of the first centres of the first start.
        starts: fits on the sample, of which the one with the least cost of all customers stays.
        winsorise: share cut off at each end of a feature.
        max_customers: size of the sample.
        min_improvement: share of the cost that a pass over all customers must save.
        max_passes: most of these passes.
        groups: that each feature is cut in for micro-groups.
        transforms: by feature, of those that are not to have their own.
    """

    k: int
    seed: int = 1
    starts: int = 1
    winsorise: float = 0.01
    max_customers: int = 200_000
    min_improvement: float = 0.0001
    max_passes: int = 20
    groups: int = 3
    max_k: int | None = None
    transforms: Mapping[str, Transform] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterModel:
    """Centres and the scales they are in.

    Attributes:
        scales: one per feature.
        centres: one row per cluster, one column per feature, in standard units.
        numbers: of the clusters, in the order of their centres.
        outlier_distance: beyond it a customer is far from every centre.
        group_cuts: of each feature, ascending and lower-inclusive, in its own unit.
    """

    scales: list[Scale]
    centres: Centres
    numbers: Sequence[int]
    outlier_distance: float
    group_cuts: Sequence[Sequence[float]] = ()


@dataclass(frozen=True)
class Fit:
    """A model that has just been trained, and how that went.

    Attributes:
        model: numbered in no order yet.
        fitted_on: customers in the sample.
        start_costs: of each start, the sum of squared distances of all customers.
        pass_costs: the same after each pass, the last being the model's.
        notes: on the features, what is worth a look.
        k: clusters asked for, or chosen.
        k_reason: why these, of those that were chosen.
        candidates: numbers of clusters that were tried.
    """

    model: ClusterModel
    fitted_on: int
    start_costs: Sequence[float]
    pass_costs: Sequence[float]
    notes: Sequence[str]
    k: int
    k_reason: str | None = None
    candidates: Sequence[Candidate] = ()


def fitted_model(features: DataFrame, names: Sequence[str], training: Training) -> Fit | None:
    """k-means centres; the same for the same customers, however they are partitioned.

    k-means of MLlib, its first centres included, depends on how rows are spread over partitions. So
    it sees one partition in the order of customer ids: all customers, or where there are more than
    `max_customers`, those whose hashed id falls below their share. Passes over all customers follow
    (Lloyd 1982), whose sums do not depend on the order of rows.

    Args:
        features: `customer_features`; no habit in `names` is NULL.
        names: features to use, `with_values`; those that are the same for everybody are left out.
        training: how.

    Returns:
        The model; None where no feature differs between customers.
    """
    customers = features.count()
    used = features.select("customer_id", *stored_columns(names))
    sample = _sample(used, customers, training.max_customers)
    sample = sample.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        scales = fitted_scales(sample, names, training.winsorise, training.transforms)
        if not scales:
            return None
        cuts = group_cuts(sample, [scale.value() for scale in scales], training.groups)
        with _vectors(sample, scales) as vectors:
            solver = solver_for(min(customers, training.max_customers))
            kmeans = KMeans(
                seed=training.seed, maxIter=_MAX_ITERATIONS, tol=_TOLERANCE, solver=solver
            )
            tried, k, why = _number_of_clusters(vectors, kmeans, training)

            def centres_from(start: KMeans) -> Centres:
                return np.array(fitted(start, vectors).clusterCenters())

            starts = side_by_side(
                features.sparkSession, centres_from, _starts(kmeans.setK(k), training)
            )
        fitted_on = sample.count()
        notes = list(feature_notes(sample, names, scales))
    finally:
        sample.unpersist()
    costs = true_costs(features, scales, starts)
    best = min(range(len(starts)), key=lambda start: (costs[start], start))
    centres, pass_costs = refined(
        features, scales, starts[best], training.min_improvement, training.max_passes
    )
    far = max(_FAR * sqrt(pass_costs[-1] / customers), _LEAST_FAR)
    model = ClusterModel(scales, centres, range(1, len(centres) + 1), far, cuts)
    return Fit(model, fitted_on, costs, pass_costs, notes, k, why, tried)


@contextmanager
def _vectors(sample: DataFrame, scales: Sequence[Scale]) -> Iterator[DataFrame]:
    """The sample as MLlib takes it, and its two halves, while the context lasts."""
    half = F.pmod(F.xxhash64("customer_id", F.lit(HALF)), F.lit(2)).alias(HALF)
    names = [f"standard_{place}" for place in range(len(scales))]
    standard = [scale.standardised().alias(name) for scale, name in zip(scales, names, strict=True)]
    assembler = VectorAssembler(inputCols=names, outputCol="features")
    vectors = assembler.transform(sample.select(half, *standard)).select(HALF, "features").persist()
    try:
        vectors.count()  # kept, before several fits want them at once
        yield vectors
    finally:
        vectors.unpersist()


def _number_of_clusters(
    vectors: DataFrame, kmeans: KMeans, training: Training
) -> tuple[list[Candidate], int, str | None]:
    """What was tried, how many clusters there are to be, and why."""
    if training.max_k is None:
        return [], training.k, None
    halves = [row["count"] for row in vectors.groupBy(HALF).count().collect()]
    if len(halves) < _HALVES or min(halves) < training.max_k:
        why = (
            f"a half of the sample has fewer than {training.max_k} customers: none but "
            f"{training.k} was tried"
        )
        return [], training.k, why
    tried = candidates(vectors, range(training.k, training.max_k + 1), kmeans)
    best, why = chosen(tried)
    return tried, best.k, why


def _starts(kmeans: KMeans, training: Training) -> list[KMeans]:
    """One k-means for each start."""
    return [kmeans.copy().setSeed(_long(training.seed + start)) for start in range(training.starts)]


def _long(number: int) -> int:
    """A number that a BIGINT holds, counted on from its least after its greatest."""
    return (number + 2**63) % 2**64 - 2**63


def _sample(features: DataFrame, customers: int, max_customers: int) -> DataFrame:
    if customers > max_customers:
        share = max_customers * _HASHES // customers
        features = features.where(F.pmod(F.xxhash64("customer_id"), F.lit(_HASHES)) < share)
    return features.repartition(1).sortWithinPartitions("customer_id")
