"""k-means by blocks of rows finds what k-means by rows does, and leaves to it what it cannot do."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.ml.clustering import KMeans
from pyspark.ml.functions import array_to_vector
from pyspark.sql import functions as F
from support.clusters import three_crowds

from rfm_spark.results.clusters import block_solver
from rfm_spark.results.clusters.block_solver import BLOCK, ROW, fitted, solver_for
from rfm_spark.results.clusters.model import Training, fitted_model

NAMES = ["tenure_days", "frequency"]


def vectors(spark, points):
    rows = spark.createDataFrame([(point,) for point in points.tolist()], "point array<double>")
    return rows.coalesce(1).select(array_to_vector(F.col("point")).alias("features"))


def centres(kmeans, rows):
    found = np.array(fitted(kmeans, rows).clusterCenters())
    return found[np.lexsort(found.T)]


def test_both_find_the_same_centres(spark):
    rows = vectors(spark, np.random.default_rng(3).normal(size=(600, 3)))
    one, other = (centres(KMeans(k=5, seed=2, solver=one), rows) for one in (BLOCK, ROW))
    assert one.shape == (5, 3)
    assert one == pytest.approx(other, abs=1e-9)


def test_where_fewer_rows_differ_than_there_are_clusters_each_is_a_centre(spark):
    rows = vectors(spark, np.array([[1.0, 2.0], [5.0, 6.0]] * 40))
    assert centres(KMeans(k=4, seed=2, solver=BLOCK), rows).tolist() == [[1.0, 2.0], [5.0, 6.0]]


def test_blocks_are_for_many_customers():
    assert (solver_for(19_999), solver_for(20_000)) == (ROW, BLOCK)


def test_a_model_of_many_customers_is_made_by_blocks(spark, monkeypatch):
    features = three_crowds(spark).persist()
    training = Training(k=2, max_k=4, seed=5, starts=2)
    by_rows = fitted_model(features, NAMES, training)
    solvers, fit = [], KMeans.fit

    def noted(kmeans, rows):
        solvers.append(kmeans.getSolver())
        return fit(kmeans, rows)

    monkeypatch.setattr(KMeans, "fit", noted)
    monkeypatch.setattr(block_solver, "_LEAST_CUSTOMERS", 600)
    by_blocks = fitted_model(features, NAMES, training)
    assert solvers.count(BLOCK) == 3 * 3 + 2  # whole and halves for each number, and the starts
    assert by_blocks.model.centres == pytest.approx(by_rows.model.centres, abs=1e-9)
    assert by_blocks.k == by_rows.k == 3
