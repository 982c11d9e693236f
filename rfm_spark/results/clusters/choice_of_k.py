"""The number of clusters, chosen in a range: how far apart they are, and if they come again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

from pyspark.ml.clustering import KMeans, KMeansModel
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.side_by_side import side_by_side
from rfm_spark.results.clusters.block_solver import fitted

HALF = "half"
"""Of a sample: in which of two halves a customer is, by the hash of its id."""

AGREE = 0.8
"""Adjusted Rand index from which clusters of two halves are the same ones."""


@dataclass(frozen=True)
class Candidate:
    """A number of clusters, tried on a sample.

    Attributes:
        k: the number.
        silhouette: mean of the customers' (Rousseeuw 1987), with squared distances, -1 to 1.
        stability: adjusted Rand index (Hubert and Arabie 1985) of what models of two halves of the
            sample, each without the other, make of the whole: 1 where they agree on all pairs.
    """

    k: int
    silhouette: float
    stability: float


def candidates(vectors: DataFrame, ks: Sequence[int], kmeans: KMeans) -> list[Candidate]:
    """Every number of clusters, tried.

    Args:
        vectors: customers of a sample, in one sorted partition: `features` and HALF (0 or 1).
        ks: the numbers.
        kmeans: how to fit, but for their number.
    """
    kmeans = kmeans.copy().setPredictionCol("cluster")

    def tried(k: int) -> Candidate:
        one_k = kmeans.copy().setK(k)
        evaluator = ClusteringEvaluator(featuresCol="features", predictionCol="cluster")
        silhouette = evaluator.evaluate(fitted(one_k, vectors).transform(vectors))
        one, other = (fitted(one_k, vectors.where(F.col(HALF) == half)) for half in (0, 1))
        return Candidate(k, silhouette, adjusted_rand(_shared(vectors, one, other)))

    return side_by_side(vectors.sparkSession, tried, ks)


def _shared(vectors: DataFrame, one: KMeansModel, other: KMeansModel) -> dict[tuple[int, int], int]:
    first = one.transform(vectors).select("features", F.col("cluster").alias("one"))
    rows = other.transform(first).groupBy("one", "cluster").count().collect()
    return {(row["one"], row["cluster"]): row["count"] for row in rows}


def adjusted_rand(shared: Mapping[tuple[int, int], int]) -> float:
    """How far two ways to group the same customers agree, 0 being as much as by chance.

    Hubert and Arabie 1985, in integers until the last division.

    Args:
        shared: customers by their group in the one and in the other.

    >>> adjusted_rand({(0, 1): 5, (1, 0): 5})
    1.0
    >>> round(adjusted_rand({(0, 0): 3, (0, 1): 1, (1, 0): 1, (1, 1): 3}), 6)
    0.125
    """
    pairs = sum(comb(count, 2) for count in shared.values())
    sides = [
        sum(comb(sum(count for pair, count in shared.items() if pair[side] == group), 2)
            for group in {pair[side] for pair in shared})
        for side in (0, 1)
    ]  # fmt: skip
    every = comb(sum(shared.values()), 2)
    expected = sides[0] * sides[1]
    most = (sides[0] + sides[1]) * every
    if most == 2 * expected:  # one group on both sides, or each customer its own
        return 1.0
    return 2 * (pairs * every - expected) / (most - 2 * expected)


def chosen(found: Sequence[Candidate]) -> tuple[Candidate, str]:
    """The best candidate, and why, in words.

    Of those whose halves agree the one with the highest silhouette; where none does, the one whose
    halves agree most. Of equals the fewest clusters.
    """
    stable = [one for one in found if one.stability >= AGREE]
    span = f"of {found[0].k} to {found[-1].k} clusters"
    if stable:
        best = max(stable, key=lambda one: (one.silhouette, -one.k))
        why = (
            f"{span}, halves of the sample agree (adjusted Rand index of {AGREE:g} or more) on "
            f"{', '.join(str(one.k) for one in stable)}; of these {best.k} has the highest "
            f"silhouette, {best.silhouette:.3f}"
        )
        return best, why
    best = max(found, key=lambda one: (one.stability, -one.k))
    return best, (
        f"{span}, halves of the sample agree on none (adjusted Rand index of {AGREE:g} or more): "
        f"{best.k} is the most stable, {best.stability:.3f}, and would not come again as it is"
    )
