"""Training: centres from several starts, refined on all customers, and the choice of k."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from pyspark.sql import functions as F
from support.clusters import AXES, customers, further_customers, sample, three_crowds

from rfm_spark.results.clusters.assignment import assignments
from rfm_spark.results.clusters.choice_of_k import Candidate, adjusted_rand, chosen
from rfm_spark.results.clusters.data_check import feature_notes
from rfm_spark.results.clusters.model import Training, fitted_model
from rfm_spark.results.clusters.ranks import STEPS, ranked_values
from rfm_spark.results.clusters.refinement import refined
from rfm_spark.results.clusters.standard_units import Scale


@pytest.fixture(scope="module")
def crowd(spark):
    return three_crowds(spark).persist()


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


def test_everything_odd_at_once_still_gives_each_customer_a_cluster(spark):
    numbers = list(range(12))
    features = further_customers(
        spark,
        **{
            "attribute:alike": [7] * 12,
            "attribute:unknown": [None] * 12,
            "attribute:number": numbers,
            "attribute:the_same": [3 * one + 1 for one in numbers],
            "attribute:income": [*numbers[:11], 10**12],
        },
    )
    names = [f"attribute:{one}" for one in ("alike", "unknown", "number", "the_same", "income")]
    fit = fitted_model(features, names, Training(k=30))
    assert [scale.feature for scale in fit.model.scales] == names[2:]
    assert np.isfinite(fit.model.centres).all()
    assert 2 <= len(fit.model.centres) <= 12 < fit.k
    found = assignments(features, fit.model).collect()
    assert {row["customer_id"] for row in found} == {f"c{one:03}" for one in numbers}
    assert {row["cluster"] for row in found} <= set(fit.model.numbers)
    told = "\n".join(feature_notes(sample(features), names, fit.model.scales))
    for note in (
        "attribute:alike is the same",
        "attribute:unknown is a number of nobody",
        "tell the same",
    ):
        assert note in told


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


@pytest.mark.parametrize("customers", [1, 3, 1_024, 2_500])
def test_ranked_values_are_those_in_the_middle_of_equal_steps(spark, customers):
    draw = np.random.default_rng(customers)
    values = {"spend": draw.gamma(0.5, 100, customers), "visits": draw.integers(1, 9, customers)}
    rows = [{name: one[place].item() for name, one in values.items()} for place in range(customers)]
    sample = spark.createDataFrame(rows, "spend double, visits bigint").coalesce(1)
    found = ranked_values(sample, [F.col("spend"), F.col("visits")])
    shares = (np.arange(STEPS) + 0.5) / STEPS
    for name, told in zip(values, found, strict=True):
        assert told == [*np.quantile(values[name], shares, method="inverted_cdf")]
