"""Clustering: standard units, the model, assignments and personas."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from pyspark.sql import functions as F
from support import assert_rows, rows_of

from rfm_spark.results.clusters.assignment import assignments, cluster_sums
from rfm_spark.results.clusters.choice_of_k import Candidate, adjusted_rand, chosen
from rfm_spark.results.clusters.data_check import feature_notes
from rfm_spark.results.clusters.description import ClusterSums, model_notes
from rfm_spark.results.clusters.features.catalogue import FEATURE_NAMES
from rfm_spark.results.clusters.group_cuts import group_cuts
from rfm_spark.results.clusters.micro_groups import micro_groups, possible
from rfm_spark.results.clusters.model import ClusterModel, Training, fitted_model
from rfm_spark.results.clusters.personas import description, persona, unique_personas
from rfm_spark.results.clusters.refinement import refined
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


def test_a_description_has_the_means_and_the_effect_size_of_what_stands_out():
    centre = {"frequency": 1.2, "monetary_cents": -0.96, "recency_days": -0.4}
    means = {"frequency": 12.0, "monetary_cents": 1234567.0, "recency_days": 3.0}
    of_all = {"frequency": 4.25, "monetary_cents": 99.96, "recency_days": 5.0}
    told = "frequency 12 against 4.25 (+1.2); monetary_cents 1,234,567 against 100 (-1.0)"
    assert description(centre, means, of_all) == told
    assert description({"frequency": 0.1}, means, of_all) == ""


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


def in_one_order(fit):
    """A fit whose centres and scales can be compared."""
    model = fit.model
    told = (fit.fitted_on, fit.start_costs, fit.pass_costs, model.outlier_distance)
    return model.centres.tolist(), model.scales, told


def test_a_model_is_the_same_however_the_customers_are_partitioned(crowd):
    shuffled = crowd.orderBy("frequency", "customer_id").repartition(7)
    training = Training(k=4, seed=5, starts=2, max_customers=300)
    one, other = (fitted_model(rows, NAMES, training) for rows in (crowd.coalesce(1), shuffled))
    assert in_one_order(one) == in_one_order(other)
    assert 0 < one.fitted_on < 450


def test_centres_are_found_in_standard_units_without_the_constant_features(crowd):
    model = fitted_model(crowd, NAMES, Training(k=3, seed=5)).model
    assert [scale.feature for scale in model.scales] == ["tenure_days", "frequency"]
    assert model.centres.shape == (3, 2)
    # Three crowds, far apart: tenure tells them apart, and frequency with it.
    tenure, frequency = (np.argsort(model.centres[:, axis]).tolist() for axis in (0, 1))
    assert tenure == frequency
    assert np.diff(np.sort(model.centres[:, 0])).min() > 0.8


def test_where_nothing_differs_there_is_no_model(spark):
    same = customers(spark, tenure_days=[5] * 20)
    assert fitted_model(same, ["tenure_days"], Training(k=3)) is None


def test_fewer_different_customers_than_clusters_give_fewer_clusters(spark):
    two = customers(spark, tenure_days=[1] * 10 + [9] * 10)
    model = fitted_model(two, ["tenure_days"], Training(k=5, winsorise=0.0)).model
    assert sorted(model.centres[:, 0].tolist()) == pytest.approx([-1, 1])


def standardised(points):
    return (points - points.mean(axis=0)) / points.std(axis=0)


def lloyd(points, centres, times):
    """Costs of centres, each the means of the customers nearest to the ones before."""
    costs = []
    for _ in range(times):
        squares = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
        near = squares.argmin(axis=1)
        costs.append(squares.min(axis=1).sum())
        centres = np.array([
            points[near == one].mean(axis=0) if (near == one).any() else centre
            for one, centre in enumerate(centres)
        ])  # fmt: skip
    return costs


POINTS = np.random.default_rng(17).integers(0, 400, (300, 2)).astype(float)


@pytest.fixture(scope="module")
def cloud(spark):
    features = customers(spark, tenure_days=POINTS[:, 0], promotion_response=POINTS[:, 1])
    return features.persist()


def scales_of(points, names):
    return [
        Scale(name, "none", -1e9, 1e9, float(of.mean()), float(of.std()))
        for name, of in zip(names, points.T, strict=True)
    ]


AXES = ["tenure_days", "promotion_response"]


def test_each_pass_moves_centres_to_the_means_of_all_customers(cloud):
    first = np.array([[0.0, 0.0], [0.1, 0.0], [2.0, 2.0], [90.0, 90.0]])
    scales = scales_of(POINTS, AXES)
    expected = lloyd(standardised(POINTS), first, 40)
    assert expected[0] > 1.2 * expected[-1]
    _, few = refined(cloud, scales, first, min_improvement=0.0, max_passes=3)
    assert few == pytest.approx(expected[:3], rel=1e-6)
    centres, costs = refined(cloud, scales, first, min_improvement=0.03, max_passes=30)
    assert costs == pytest.approx(expected[: len(costs)], rel=1e-6)
    saved = [1 - after / before for before, after in pairwise(costs)]
    assert min(saved[:-1]) > 0.03 >= saved[-1]
    assert costs[-1] == pytest.approx(lloyd(standardised(POINTS), centres, 1)[0], rel=1e-6)
    assert centres[3].tolist() == [90.0, 90.0]  # nobody is nearest to it


def test_the_start_with_the_least_cost_of_all_customers_stays(cloud):
    training = Training(k=9, seed=1, starts=3, winsorise=0.0)
    fit = fitted_model(cloud, AXES, training)
    assert len(set(fit.start_costs)) > 1
    assert fit.pass_costs[0] == pytest.approx(min(fit.start_costs))
    best = fit.start_costs.index(min(fit.start_costs))
    alone = fitted_model(cloud, AXES, replace(training, seed=1 + best, starts=1))
    assert alone.model.centres.tolist() == fit.model.centres.tolist()


def test_a_model_of_a_sample_costs_hardly_more_than_that_of_all(spark):
    random = np.random.default_rng(23)
    points = np.concatenate([random.normal(at, 12, (1500, 2)) for at in (0, 70, 190, 320)])
    many = customers(spark, tenure_days=points[:, 0], promotion_response=points[:, 1]).persist()
    whole, of_few = (
        fitted_model(many, AXES, Training(k=4, starts=2, winsorise=0.0, max_customers=size))
        for size in (100_000, 1_000)
    )
    assert of_few.fitted_on < 1_200
    # The few have scales of their own: costs are compared in the units of all.
    units = points.std(axis=0)
    costs = []
    for fit in (whole, of_few):
        mean, sd = ([getattr(one, name) for one in fit.model.scales] for name in ("mean", "sd"))
        centres = np.array(mean) + np.array(sd) * fit.model.centres
        costs += lloyd(points / units, centres / units, 1)
    assert costs[1] < 1.001 * costs[0]


def test_the_seed_of_a_start_is_a_long(spark):
    two = customers(spark, tenure_days=[1] * 10 + [9] * 10)
    fit = fitted_model(two, ["tenure_days"], Training(k=2, seed=2**63 - 1, starts=2))
    assert len(fit.start_costs) == 2


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
    names = ["tenure_days", "frequency", "return_share"]
    assert group_cuts(sample(features), names, 3) == [[30, 60], [2, 3], [1, 1]]
    assert group_cuts(sample(features), names[:2], 2) == [[45], [2]]


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


BLOBS = np.array([(20, 20), (20, 300), (300, 20), (300, 300)])


def test_k_is_that_of_blobs_that_are_far_apart_and_told_with_the_reason(spark):
    random = np.random.default_rng(31)
    near = random.integers(0, 4, 400)
    points = BLOBS[near] + random.integers(0, 30, (400, 2))
    features = customers(spark, tenure_days=points[:, 0], promotion_response=points[:, 1])
    fit = fitted_model(features, AXES, Training(k=3, max_k=5, seed=4))
    assert (fit.k, len(fit.model.centres)) == (4, 4)
    tried = {one.k: one for one in fit.candidates}
    assert list(tried) == [3, 4, 5]
    assert tried[4].stability == 1.0
    assert tried[4].silhouette > max(tried[3].silhouette, tried[5].silhouette)
    assert fit.k_reason.startswith("of 3 to 5 clusters, halves of the sample agree")
    scales = fit.model.scales
    at = np.array([[(x - s.mean) / s.sd for x, s in zip(p, scales, strict=True)] for p in points])
    labels = ((at[:, None, :] - fit.model.centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert len(set(zip(near.tolist(), labels.tolist(), strict=True))) == 4  # each blob is a cluster
    assert tried[4].silhouette == pytest.approx(silhouette(at, labels), abs=1e-3)


def test_with_too_few_customers_for_two_halves_no_other_number_is_tried(spark):
    features = customers(spark, tenure_days=[1, 20, 300], promotion_response=[5, 9, 1])
    fit = fitted_model(features, AXES, Training(k=2, max_k=3, seed=4))
    assert (fit.k, fit.candidates) == (2, [])
    assert fit.k_reason == "a half of the sample has fewer than 3 customers: none but 2 was tried"


def test_where_every_customer_is_a_centre_nobody_is_an_outlier(spark):
    features = customers(spark, tenure_days=[1, 20, 300, 7, 91], promotion_response=[5, 9, 1, 3, 2])
    fit = fitted_model(features, AXES, Training(k=6, seed=4))
    found = assignments(features, fit.model)
    assert [row["is_outlier"] for row in found.collect()] == [False] * 5


def silhouette(points, labels):
    """Of Rousseeuw 1987, of squared distances, pair by pair."""
    squares = ((points[:, None, :] - points[None]) ** 2).sum(axis=2)
    found = []
    for place, label in enumerate(labels):
        means = {
            other: squares[place, labels == other].sum()
            / ((labels == other).sum() - (other == label))
            for other in set(labels.tolist())
        }
        own = means.pop(label)
        next_best = min(means.values())
        found.append((next_best - own) / max(own, next_best))
    return np.mean(found)


def test_where_halves_agree_on_no_number_the_most_stable_is_taken():
    found = [Candidate(2, 0.3, 0.5), Candidate(3, 0.9, 0.1), Candidate(4, 0.2, 0.5)]
    best, why = chosen(found)
    assert best.k == 2
    assert "agree on none" in why
    best, why = chosen([*found, Candidate(5, 0.4, 0.8), Candidate(6, 0.4, 0.9)])
    assert best.k == 5
    assert "of these 5 has the highest silhouette, 0.400" in why


def test_the_adjusted_rand_index_is_of_pairs():
    random = np.random.default_rng(5)
    one, other = random.integers(0, 3, (2, 40))
    same = [[labels[:, None] == labels[None] for labels in (one, other)]][0]
    upper = np.triu_indices(40, 1)
    a, b = (pairs[upper] for pairs in same)
    expected = a.sum() * b.sum() / len(a)
    told = ((a & b).sum() - expected) / ((a.sum() + b.sum()) / 2 - expected)
    shared = Counter(zip(one.tolist(), other.tolist(), strict=True))
    assert adjusted_rand(shared) == pytest.approx(told)
    assert adjusted_rand({(0, 0): 7}) == 1.0
