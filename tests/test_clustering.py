"""Clustering: standard units, the model, assignments and personas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pyspark.sql import functions as F
from support import assert_rows
from support.clusters import customers, log1p, sample

from rfm_spark.results.clusters.assignment import assignments, cluster_sums
from rfm_spark.results.clusters.data_check import feature_notes
from rfm_spark.results.clusters.description import ClusterSums, model_notes
from rfm_spark.results.clusters.features.catalogue import HABIT_NAMES
from rfm_spark.results.clusters.group_cuts import group_cuts
from rfm_spark.results.clusters.micro_groups import micro_groups, possible
from rfm_spark.results.clusters.model import ClusterModel
from rfm_spark.results.clusters.personas import description, persona, unique_personas
from rfm_spark.results.clusters.ranks import STEPS
from rfm_spark.results.clusters.representatives import REPRESENTATIVES, representatives
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.standard_units import Scale, fitted_scales


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


def test_a_description_has_the_means_and_the_effect_size_of_what_stands_out():
    centre = {"frequency": 1.2, "monetary_cents": -0.96, "recency_days": -0.4}
    means = {"frequency": 12.0, "monetary_cents": 1234567.0, "recency_days": 3.0}
    of_all = {"frequency": 4.25, "monetary_cents": 99.96, "recency_days": 5.0}
    told = "frequency 12 against 4.25 (+1.2); monetary_cents 1,234,567 against 100 (-1.0)"
    assert description(centre, means, of_all) == told
    assert description({"frequency": 0.1}, means, of_all) == ""


def test_every_feature_has_words_for_both_ends():
    both = {persona({name: at}) for name in HABIT_NAMES for at in (-1, 1)}
    assert len(both) == 2 * len(HABIT_NAMES)


def test_equal_personas_are_told_apart_by_their_number():
    often, rarely = {"frequency": 1.0}, {"frequency": -1.0}
    assert unique_personas({1: often, 2: rarely, 3: often}) == {
        1: "Frequent visits (1)",
        2: "Rare visits",
        3: "Frequent visits (3)",
    }


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


def test_a_transform_that_is_chosen_takes_the_place_of_the_features_own(spark):
    features = sample(customers(spark, monetary_cents=SPEND, tenure_days=TENURE))
    chosen = {"monetary_cents": "none", "tenure_days": "log1p"}
    scales = fitted_scales(features, list(chosen), 0.0, chosen)
    for scale, values in zip(scales, (SPEND, log1p(TENURE)), strict=True):
        assert scale.transform == chosen[scale.feature]
        assert (scale.low, scale.high) == pytest.approx((values.min(), values.max()))
        assert (scale.mean, scale.sd) == pytest.approx((values.mean(), values.std()))
    plain = Clusters()
    assert Clusters(transforms=chosen).trained_by != plain.trained_by
    assert Clusters(transforms={}).trained_by == plain.trained_by


def mid_ranks(values, among):
    """The share of those below, and half of the equal ones."""
    ordered = np.sort(among)
    below, up_to = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return (below + up_to) / (2 * len(among))


def test_a_rank_is_the_share_of_customers_below_and_half_of_the_equal_ones(spark):
    random = np.random.default_rng(41)
    often, rarely = random.integers(1, 4, 900), random.lognormal(3, 2, 2_100).round(1)
    values = np.concatenate([-often[:50], often, rarely])
    features = customers(spark, monetary_cents=values)
    chosen = {"monetary_cents": "rank"}
    (scale,) = fitted_scales(sample(features), ["monetary_cents"], 0.1, chosen)
    ranks = mid_ranks(values, values)
    low, high = np.quantile(ranks, [0.1, 0.9])
    clipped = np.clip(ranks, low, high)
    assert (scale.mean, scale.sd) == pytest.approx((clipped.mean(), clipped.std()), abs=5e-4)
    assert (scale.low, scale.high) == pytest.approx((low, high), abs=5e-4)
    # Customers of another day, too: between those that there were, and beyond them.
    others = np.concatenate([values, random.uniform(-5, 60, 500), [-9e15, 9e15]])
    shown = customers(spark, monetary_cents=others).orderBy("customer_id")
    found = np.array([row[0] for row in shown.select(scale.transformed()).collect()])
    order = np.argsort([f"c{n:03}" for n in range(len(others))])
    others = others[order]
    assert np.abs(found - mid_ranks(others, values)).max() <= 0.5 / STEPS + 1e-9
    assert (found.min(), found.max()) == (0, 1)
    by_value = dict(zip(others.tolist(), found.tolist(), strict=True))
    assert [by_value[one] for one in others.tolist()] == found.tolist()
    assert np.all(np.diff([by_value[one] for one in sorted(by_value)]) >= 0)


def test_ranks_of_few_customers_are_exact(spark):
    values = [7, 1, 1, 3, 9, 1, 3, 20]
    features = sample(customers(spark, frequency=values))
    (scale,) = fitted_scales(features, ["frequency"], 0.0, {"frequency": "rank"})
    shown = features.orderBy("customer_id").select(scale.transformed()).collect()
    assert [row[0] for row in shown] == [share / 16 for share in (11, 3, 3, 8, 13, 3, 8, 15)]


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


def a_model(scales, centres, outlier_distance=50.0):
    """Centres, numbered from 1."""
    at = np.array(centres, dtype=float)
    return ClusterModel(scales, at, range(1, len(at) + 1), outlier_distance)


def test_a_customer_is_of_the_nearest_centre_and_the_second_is_its_runner_up(spark):
    random = np.random.default_rng(3)
    points = random.uniform(-9, 9, (200, 2))
    centres = random.uniform(-9, 9, (7, 2))
    features = customers(spark, tenure_days=points[:, 0], return_share=points[:, 1])
    found = assignments(features, a_model(PLANE, centres)).orderBy("customer_id").collect()
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
        assignments(features, a_model(PLANE, centres)),
        [dict(zip(names, row, strict=True)) for row in rows],
    )


def test_distances_are_between_winsorised_customers(spark):
    features = customers(spark, tenure_days=[1_000], return_share=[0])
    scales = [unit("tenure_days", high=5.0), unit("return_share")]
    found = assignments(features, a_model(scales, [[4, 0]]))
    expected = {"cluster": 1, "distance": 1.0, "runner_up": None, "runner_up_distance": None}
    assert_rows(found, [expected])


def test_a_cluster_knows_its_size_revenue_means_and_cost(spark):
    features = customers(
        spark,
        tenure_days=[0, 4, 20],
        return_share=[0, 1, 0],
        monetary_cents=[10_00, 20_00, -5_00],
    )
    assigned = assignments(features, a_model(PLANE, [[1, 0], [20, 2]], outlier_distance=1.5))
    assert_rows(
        cluster_sums(assigned, PLANE, ["tenure_days", "monetary_cents"]),
        [
            {"cluster": 1, "customers": 2, "outliers": 1, "revenue_cents": 30_00,
             "cost": 11.0, "tenure_days_mean": 2.0,
             "monetary_cents_mean": 15_00.0, "tenure_days_sum": 4.0,
             "tenure_days_squares": 16.0, "return_share_sum": 1.0},
            {"cluster": 2, "customers": 1, "outliers": 1, "revenue_cents": -5_00, "cost": 4.0,
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
        assigned = assignments(rows, a_model([unit("tenure_days")], [[0]]))
        [found] = cluster_sums(assigned, [unit("tenure_days")], names).collect()
        assert [found[f"{name}_mean"] for name in names] == means


def test_a_customer_far_from_every_centre_is_an_outlier(spark):
    features = customers(spark, tenure_days=[0, 3, 10], return_share=[0, 0, 0])
    model = a_model(PLANE, [[0, 0], [10, 0]], outlier_distance=2.5)
    names = ("customer_id", "cluster", "margin", "is_outlier")
    rows = [("c000", 1, 10.0, False), ("c001", 1, 4.0, True), ("c002", 2, 10.0, False)]
    assert_rows(assignments(features, model), [dict(zip(names, row, strict=True)) for row in rows])


def sums_of_clusters(*clusters):
    """Customers and sums in standard units of PLANE and promotion_response, by cluster."""
    names = ("tenure_days", "return_share", "promotion_response")
    return ClusterSums(
        {
            number: {"customers": customers}
            | {f"{name}_sum": float(at) for name, at in zip(names, at_sums, strict=True)}
            for number, (customers, *at_sums) in enumerate(clusters, start=1)
        }
    )


def test_what_a_training_could_not_give_is_told_in_words():
    sums = sums_of_clusters((10, 5, 1, 5), (10, -5, -1, -5))
    few, empty = model_notes(5, a_model(PLANE, [[0, 0], [1, 1], [9, 9]]), sums)
    assert few.startswith("5 are asked for, and there are 3: ")
    assert empty.startswith("nobody is nearest to 1 of 3 centres")
    space = [*PLANE, unit("promotion_response")]
    assert list(model_notes(2, a_model(space, [[0, 0, 0], [1, 1, 1]]), sums)) == []


def test_a_feature_that_alone_sets_clusters_apart_is_told():
    space = a_model([*PLANE, unit("promotion_response")], [[0, 0, 0], [1, 1, 1]])
    [told] = model_notes(2, space, sums_of_clusters((10, 9, 1, 3), (10, -9, -1, -3)))
    assert told.startswith("tenure_days alone is 89% of what sets clusters apart")


def test_constant_and_equal_features_and_an_extreme_customer_are_told(spark):
    random = np.random.default_rng(2)
    spend = [*random.integers(100, 200, 200).tolist(), 10**12]
    features = customers(
        spark,
        monetary_cents=spend,
        average_receipt_cents=[2 * one for one in spend],
        visit_gap_days=[30] * 201,
        tenure_days=random.integers(0, 300, 201).tolist(),
    )
    names = ["monetary_cents", "average_receipt_cents", "visit_gap_days", "tenure_days"]
    scales = fitted_scales(sample(features), names, 0.01)
    constant, equal, *extreme = feature_notes(sample(features), names, scales)
    assert constant.startswith("visit_gap_days is the same for everybody")
    assert equal.startswith("monetary_cents and average_receipt_cents tell the same (correlation 1")
    assert [one.partition(":")[0] for one in extreme] == names[:2]


def test_features_are_cut_in_groups_of_nearly_equal_size_that_keep_ties_together(spark):
    features = customers(
        spark,
        tenure_days=list(range(90)),
        frequency=[1] * 50 + [2] * 10 + [3] * 25 + [7] * 5,
        return_share=[0] * 60 + [1] * 30,
    )
    columns = [F.col(name) for name in ("tenure_days", "frequency", "return_share")]
    assert group_cuts(sample(features), columns, 3) == [[30, 60], [2, 3], [1, 1]]
    assert group_cuts(sample(features), columns[:2], 2) == [[45], [2]]


def test_micro_groups_hold_every_customer_once_and_lead_to_the_nearest_cluster(spark):
    features = customers(
        spark,
        tenure_days=[0, 2, 2, 10, 12, 12],
        return_share=[0, 0, 0, 0, 0, 8],
        monetary_cents=[100, 200, 300, 400, 500, -50],
    )
    model = replace(a_model(PLANE, [[1, 0], [11, 1], [13, 9]]), group_cuts=[[2, 10], [1]])
    found = micro_groups(features, model, ["tenure_days", "monetary_cents"])
    names = ("micro_group", "cluster", "distance", "customers", "revenue_cents", "means")
    rows = [
        ("11", 1, 1.0, 1, 100, {"tenure_days": 0.0, "monetary_cents": 100.0}),
        ("21", 1, 1.0, 2, 500, {"tenure_days": 2.0, "monetary_cents": 250.0}),
        ("31", 2, 1.0, 2, 900, {"tenure_days": 11.0, "monetary_cents": 450.0}),
        ("32", 3, 2**0.5, 1, -50, {"tenure_days": 12.0, "monetary_cents": -50.0}),
    ]
    assert_rows(found, [dict(zip(names, row, strict=True)) for row in rows])
    assert possible(model) == 6


def test_the_nearest_customers_are_those_first_by_distance_and_id(spark):
    random = np.random.default_rng(11)
    rows = [
        (f"c{n:04}", int(cluster), round(float(distance), 2))  # many are as far as others
        for n, (cluster, distance) in enumerate(
            zip(random.integers(1, 4, 2000), random.random(2000), strict=True)
        )
    ] + [("few", 9, 0.5), ("a few", 9, 0.5)]
    assigned = spark.createDataFrame(rows, "customer_id string, cluster int, distance double")
    found = representatives(assigned.repartition(7)).collect()
    for cluster in (1, 2, 3, 9):
        of_cluster = sorted((distance, name) for name, own, distance in rows if own == cluster)
        told = [(row["place"], row["distance"], row["customer_id"])
                for row in found if row["cluster"] == cluster]  # fmt: skip
        nearest = of_cluster[:REPRESENTATIVES]
        assert sorted(told) == [(place, *one) for place, one in enumerate(nearest, start=1)]
