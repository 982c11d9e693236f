"""The model: MLlib k-means on a bounded, ordered sample of customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyspark import StorageLevel
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.standard_units import Scale, fitted_scales

_HASHES = 1 << 20
_MAX_ITERATIONS = 100
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class ClusterModel:
    """Centres and the scales they are in.

    Attributes:
        scales: one per feature.
        centres: one row per cluster, one column per feature, in standard units.
        fitted_on: customers in the sample.
    """

    scales: list[Scale]
    centres: npt.NDArray[np.float64]
    fitted_on: int


def fitted_model(
    features: DataFrame,
    names: Sequence[str],
    k: int,
    seed: int,
    winsorise: float,
    max_customers: int,
) -> ClusterModel | None:
    """k-means centres; the same for the same customers, however they are partitioned.

    k-means, its first centres included, depends on how rows are spread over partitions. So it
    sees one partition in the order of customer ids: all customers, or where there are more than
    `max_customers`, those whose hashed id falls below their share.

    Args:
        features: `customer_features`; no feature in `names` is NULL.
        names: features to use; those that are the same for everybody are left out.
        k: clusters asked for; fewer come out where fewer customers differ.
        seed: of the first centres.
        winsorise: share cut off at each end of a feature.
        max_customers: size of the sample.

    Returns:
        The model; None where no feature differs between customers.
    """
    sample = _sample(features.select("customer_id", *names), max_customers)
    sample = sample.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        scales = fitted_scales(sample, names, winsorise)
        if not scales:
            return None
        standard = sample.select(*[scale.standardised().alias(scale.feature) for scale in scales])
        assembler = VectorAssembler(inputCols=standard.columns, outputCol="features")
        kmeans = KMeans(k=k, seed=seed, maxIter=_MAX_ITERATIONS, tol=_TOLERANCE)
        model = kmeans.fit(assembler.transform(standard).select("features"))
        return ClusterModel(scales, np.array(model.clusterCenters()), sample.count())
    finally:
        sample.unpersist()


def _sample(features: DataFrame, max_customers: int) -> DataFrame:
    customers = features.count()
    if customers > max_customers:
        share = max_customers * _HASHES // customers
        features = features.where(F.pmod(F.xxhash64("customer_id"), F.lit(_HASHES)) < share)
    return features.repartition(1).sortWithinPartitions("customer_id")
