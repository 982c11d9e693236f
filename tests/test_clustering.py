"""Clustering: standard units, the model, assignments and personas."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import functions as F
from support import assert_rows, rows_of

from rfm_spark.results.clusters.assignment import assignments, cluster_sums
from rfm_spark.results.clusters.features.catalogue import FEATURE_NAMES
from rfm_spark.results.clusters.model import fitted_model
from rfm_spark.results.clusters.personas import persona, unique_personas
from rfm_spark.results.clusters.standard_units import Scale, fitted_scales
from rfm_spark.results.clusters.tables import CUSTOMER_FEATURES


@pytest.mark.parametrize(
    ("centre", "words"),
    [
        ({"frequency": 1.2, "monetary_cents": 0.9, "recency_days": -0.7},
         "Frequent visits, high spend, recent"),
        ({"frequency": -0.5, "tenure_days": 0.49}, "Rare visits"),
        ({"frequency": 0.49, "tenure_days": -0.49}, "Average in every way"),
        ({"frequency": 1, "basket_size": 4, "recency_days": 2, "return_share": -3},
         "Large baskets, few returns, long absent"),
        ({"visit_gap_days": -1, "basket_size": 1}, "Large baskets, short gaps"),
        ({}, "Average in every way"),
    ],
)  # fmt: skip
def test_a_persona_names_what_stands_out_most(centre, words):
    assert persona(centre) == words


def test_every_feature_has_words_for_both_ends():
    both = {persona({name: at}) for name in FEATURE_NAMES for at in (-1, 1)}
    assert len(both) == 2 * len(FEATURE_NAMES)


def test_equal_personas_are_told_apart_by_their_number():
    often, rarely = {"frequency": 1.0}, {"frequency": -1.0}
    assert unique_personas({1: often, 2: rarely, 3: often}) == {
        1: "Frequent visits (1)",
        2: "Rare visits",
        3: "Frequent visits (3)",
    }


def customers(spark, **columns):
    """Customers c000, c001, ... with these features; the others are NULL."""
    rows = [
        {"customer_id": f"c{n:03}"} | dict(zip(columns, map(_double, values), strict=True))
        for n, values in enumerate(zip(*columns.values(), strict=True))
    ]
    return rows_of(spark, CUSTOMER_FEATURES, rows)


def _double(value):
    return None if value is None else float(value)


def sample(features):
    return features.repartition(1).sortWithinPartitions("customer_id")


def log1p(values):
    return np.sign(values) * np.log1p(np.abs(values))


SPEND = np.concatenate([np.linspace(-50, 3_000, 49), [9_000_000]])
TENURE = np.arange(50) * 7.0


def test_standard_units_are_transformed_winsorised_and_standardised(spark):
    features = customers(spark, monetary_cents=SPEND, tenure_days=TENURE)
    money, tenure = fitted_scales(sample(features), ["monetary_cents", "tenure_days"], 0.1)
    for scale, values in ((money, log1p(SPEND)), (tenure, TENURE)):
        low, high = np.quantile(values, [0.1, 0.9])
        clipped = np.clip(values, low, high)
        assert (scale.low, scale.high) == pytest.approx((low, high))
        assert (scale.mean, scale.sd) == pytest.approx((clipped.mean(), clipped.std()))
    assert (money.transform, tenure.transform) == ("log1p", "none")
    shown = features.select("customer_id", money.standardised().alias("z")).orderBy("customer_id")
    found = np.array([row["z"] for row in shown.collect()])
    assert (found.mean(), found.std()) == pytest.approx((0, 1), abs=1e-9)
    assert found[-1] == found[-2] == found.max()  # the outlier is cut off at the bound


def test_without_winsorising_the_bounds_are_the_extremes(spark):
    (scale,) = fitted_scales(sample(customers(spark, tenure_days=TENURE)), ["tenure_days"], 0.0)
    assert (scale.low, scale.high) == (0.0, 343.0)


def test_a_feature_that_is_the_same_for_everybody_is_left_out(spark):
    only_one_differs = [0.0] * 49 + [1.0]  # and is winsorised away
    features = customers(
        spark, frequency=[3] * 50, tenure_days=TENURE, return_share=only_one_differs
    )
    names = ["frequency", "tenure_days", "return_share"]
    assert [scale.feature for scale in fitted_scales(sample(features), names, 0.05)] == [
        "tenure_days"
    ]


def unit(feature, low=-100.0, high=100.0):
    """A scale that leaves values as they are between its bounds."""
    return Scale(feature, "none", low, high, 0.0, 1.0)


PLANE = [unit("tenure_days"), unit("return_share")]


def test_a_customer_is_of_the_nearest_centre_and_the_second_is_its_runner_up(spark):
    random = np.random.default_rng(3)
    points = random.uniform(-9, 9, (200, 2))
    centres = random.uniform(-9, 9, (7, 2))
    features = customers(spark, tenure_days=points[:, 0], return_share=points[:, 1])
    found = assignments(features, PLANE, centres).orderBy("customer_id").collect()
    distances = np.sqrt(((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2))
    order = np.argsort(distances, axis=1, kind="stable")
    ranked = np.take_along_axis(distances, order, axis=1)
    assert [row["cluster"] for row in found] == (order[:, 0] + 1).tolist()
    assert [row["runner_up"] for row in found] == (order[:, 1] + 1).tolist()
    assert [row["distance"] for row in found] == pytest.approx(ranked[:, 0].tolist())
    assert [row["runner_up_distance"] for row in found] == pytest.approx(ranked[:, 1].tolist())


def test_of_equally_near_centres_the_lower_number_is_taken(spark):
    features = customers(spark, tenure_days=[0, 1], return_share=[0, 0])
    centres = np.array([[9.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]])
    names = ("customer_id", "cluster", "distance", "runner_up", "runner_up_distance")
    rows = [("c000", 2, 1.0, 3, 1.0), ("c001", 2, 0.0, 4, 0.0)]
    assert_rows(
        assignments(features, PLANE, centres),
        [dict(zip(names, row, strict=True)) for row in rows],
    )


def test_distances_are_between_winsorised_customers(spark):
    features = customers(spark, tenure_days=[1_000], return_share=[0])
    scales = [unit("tenure_days", high=5.0), unit("return_share")]
    found = assignments(features, scales, np.array([[4.0, 0.0]]))
    expected = {"cluster": 1, "distance": 1.0, "runner_up": None, "runner_up_distance": None}
    assert_rows(found, [expected])


def test_a_cluster_knows_its_size_revenue_means_and_cost(spark):
    features = customers(
        spark,
        tenure_days=[0, 4, 20],
        return_share=[0, 1, 0],
        monetary_cents=[10_00, 20_00, -5_00],
    )
    assigned = assignments(features, PLANE, np.array([[1.0, 0.0], [20.0, 2.0]]))
    assert_rows(
        cluster_sums(assigned, PLANE, ["tenure_days", "monetary_cents"]),
        [
            {"cluster": 1, "customers": 2, "revenue_cents": 30_00, "cost": 1.0 + 10.0,
             "tenure_days_mean": 2.0, "monetary_cents_mean": 15_00.0, "tenure_days_sum": 4.0,
             "tenure_days_squares": 16.0, "return_share_sum": 1.0},
            {"cluster": 2, "customers": 1, "revenue_cents": -5_00, "cost": 4.0,
             "tenure_days_mean": 20.0, "monetary_cents_mean": -5_00.0, "tenure_days_sum": 20.0,
             "tenure_days_squares": 400.0, "return_share_sum": 0.0},
        ],
    )  # fmt: skip


def test_a_mean_is_of_what_is_known_and_the_same_in_any_order(spark):
    features = customers(
        spark,
        tenure_days=[0] * 4,
        monetary_cents=[4e15, -3e15, 3e15, 4e15],  # their millionths do not fit a BIGINT
        average_receipt_cents=[0.1, 0.2, 0.3, 0.0],  # 0.6 only in another order
        visit_gap_days=[0.5, None, 2.0, None],
        product_range=[None] * 4,
    )
    names = ["monetary_cents", "average_receipt_cents", "visit_gap_days", "product_range"]
    means = [2e15, 0.15, 1.25, None]
    for rows in (features, features.orderBy(F.desc("customer_id")).coalesce(1)):
        assigned = assignments(rows, [unit("tenure_days")], np.array([[0.0]]))
        [found] = cluster_sums(assigned, [unit("tenure_days")], names).collect()
        assert [found[f"{name}_mean"] for name in names] == means


@pytest.fixture(scope="module")
def crowd(spark):
    random = np.random.default_rng(11)
    near = random.integers(0, 3, 600)
    features = customers(
        spark,
        tenure_days=near * 300 + random.integers(0, 60, 600),
        frequency=1 + near * 20 + random.integers(0, 5, 600),
        return_share=np.zeros(600),
    )
    return features.persist()


NAMES = ["tenure_days", "frequency", "return_share"]


def test_centres_are_the_same_however_the_customers_are_partitioned(crowd):
    shuffled = crowd.orderBy("frequency", "customer_id").repartition(7)
    models = [
        fitted_model(rows, NAMES, k=4, seed=5, winsorise=0.01, max_customers=max_customers)
        for max_customers in (10_000, 300)
        for rows in (crowd, shuffled, crowd.coalesce(1))
    ]
    for one, other, third in (models[:3], models[3:]):
        assert one.centres.tolist() == other.centres.tolist() == third.centres.tolist()
        assert one.scales == other.scales == third.scales
        assert one.fitted_on == other.fitted_on == third.fitted_on
    assert models[0].fitted_on == 600
    assert 0 < models[3].fitted_on < 450


def test_centres_are_found_in_standard_units_without_the_constant_features(crowd):
    model = fitted_model(crowd, NAMES, k=3, seed=5, winsorise=0.01, max_customers=10_000)
    assert [scale.feature for scale in model.scales] == ["tenure_days", "frequency"]
    assert model.centres.shape == (3, 2)
    # Three crowds, far apart: tenure tells them apart, and frequency with it.
    tenure, frequency = (np.argsort(model.centres[:, axis]).tolist() for axis in (0, 1))
    assert tenure == frequency
    assert np.diff(np.sort(model.centres[:, 0])).min() > 0.8


def test_where_nothing_differs_there_is_no_model(spark):
    same = customers(spark, tenure_days=[5] * 20)
    assert fitted_model(same, ["tenure_days"], 3, 1, 0.01, 10_000) is None


def test_fewer_different_customers_than_clusters_give_fewer_clusters(spark):
    two = customers(spark, tenure_days=[1] * 10 + [9] * 10)
    model = fitted_model(two, ["tenure_days"], 5, 1, 0.0, 10_000)
    assert sorted(model.centres[:, 0].tolist()) == pytest.approx([-1, 1])
