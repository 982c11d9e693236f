"""k-means of MLlib on blocks of rows, in a quarter of the time, where it can."""

from __future__ import annotations

from pyspark.ml.clustering import KMeans, KMeansModel
from pyspark.sql import DataFrame

BLOCK, ROW = "block", "row"
_LEAST_CUSTOMERS = 20_000
"""Of fewer, jobs take longer than what they work out, and blocks begin with some more of them."""


def solver_for(customers: int) -> str:
    """What k-means of so many customers is to be done by.

    MLlib left to itself goes through vectors row by row
    (`findings/mllib_kmeans_solver_auto.sh`).
    """
    return BLOCK if customers >= _LEAST_CUSTOMERS else ROW


def fitted(kmeans: KMeans, vectors: DataFrame) -> KMeansModel:
    """The model that `kmeans` finds, by rows where blocks cannot.

    Blocks need as many centres to begin with as there are to be clusters. There can be fewer where
    few customers differ, which a model without any pass tells: its centres are those that either
    solver begins with.

    Args:
        kmeans: how to fit; its solver is a `solver_for` so many customers.
        vectors: the customers.
    """
    if kmeans.getSolver() == BLOCK:
        begins_with = kmeans.copy().setSolver(ROW).setMaxIter(0).fit(vectors).clusterCenters()
        if len(begins_with) < kmeans.getK():
            kmeans = kmeans.copy().setSolver(ROW)
    return kmeans.fit(vectors)
