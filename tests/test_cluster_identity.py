"""Identity: clusters keep their numbers from model to model, and moves tell why customers moved."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import assert_rows, rows_of

from rfm_spark.results.clusters.assignment import assignments
from rfm_spark.results.clusters.identity import SAME, kept_numbers
from rfm_spark.results.clusters.moves import by_both_models, cluster_moves
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.tables import CUSTOMER_FEATURES
from rfm_spark.results.clusters.training import trained

FIRST, LATER = date(2026, 1, 31), date(2026, 2, 28)


@pytest.mark.parametrize(
    ("shared", "numbers"),
    [
        ({(1, 1): 9, (2, 2): 9}, {1: 1, 2: 2}),
        ({(1, 2): 9, (2, 1): 9}, {2: 1, 1: 2}),
        ({(1, 1): 60, (1, 2): 40, (2, 2): 10}, {1: 1, 2: 8}),  # 60 of 100, 10 of 50
        ({(1, 1): 5, (1, 2): 5}, {1: 1, 2: 8}),  # exact halves: the lower number
        ({(5, 1): 10, (3, 1): 10}, {1: 3, 2: 8}),
        ({}, {1: 8, 2: 9}),
    ],
)
def test_a_cluster_is_the_old_one_that_it_shares_half_of_all_with(shared, numbers):
    assert kept_numbers([shared], [1, 2], last_number=7) == numbers


def test_what_one_model_does_not_know_the_next_one_is_asked():
    first, second = {(1, 2): 9, (4, 1): 2, (4, 3): 9}, {(1, 1): 9, (5, 3): 9, (6, 4): 9}
    # 1 is taken, by what it was the day before; 3 is known, and not asked for again.
    assert kept_numbers([first, second], [1, 2, 3, 4, 5], 7) == {2: 1, 3: 4, 4: 6, 1: 8, 5: 9}
    all_known = iter([{(1, 1): 9}, second])
    assert kept_numbers(all_known, [1], 7) == {1: 1}
    assert next(all_known) == second


@settings(deadline=None)
@given(
    st.dictionaries(st.tuples(st.integers(1, 4), st.integers(1, 4)), st.integers(1, 30), min_size=1)
)
def test_matched_pairs_are_those_of_the_best_assignment_of_all_that_share_enough(shared):
    """Against every assignment there is: what Hungarian finds among pairs of half or more."""
    old, new = ({pair[side] for pair in shared} for side in (0, 1))

    def overlap(before, after):
        both = shared.get((before, after), 0)
        either = sum(n for pair, n in shared.items() if pair[0] == before or pair[1] == after)
        value = both / either if either else 0.0
        return value if value >= SAME else 0.0

    padded = [*sorted(old), *[None] * len(new)]
    best = max(
        sum(overlap(before, after) for before, after in zip(chosen, sorted(new), strict=True))
        for chosen in permutations(padded, len(new))
    )
    found = kept_numbers([shared], sorted(new), last_number=9)
    assert sum(overlap(found[after], after) for after in new) == pytest.approx(best)
    assert len(set(found.values())) == len(found)


def customers(spark, random, names, near):
    """Customers around three places that are far apart."""
    rows = [
        {
            "customer_id": name,
            "tenure_days": float(at * 300 + random.integers(0, 60)),
            "frequency": float(1 + at * 20 + random.integers(0, 5)),
            "monetary_cents": float(1000 + at * 500),
            "first_half_cents": 500,
            "second_half_cents": 500,
        }
        for name, at in zip(names, near, strict=True)
    ]
    return rows_of(spark, CUSTOMER_FEATURES, rows).persist()


NAMES = ["tenure_days", "frequency"]


@pytest.fixture(scope="module")
def two_months(spark):
    random = np.random.default_rng(3)
    names = [f"c{n:03}" for n in range(200)]
    near = random.integers(0, 3, 200)
    later = near.copy()
    later[:20] = (later[:20] + 1) % 3  # twenty of them behave otherwise
    new = [*names[10:], *[f"n{n}" for n in range(30)]]
    return (
        customers(spark, random, names, near),
        customers(spark, random, new, [*later[10:], *random.integers(0, 3, 30)]),
    )


@pytest.fixture(scope="module")
def first_model(two_months):
    return trained(two_months[0], NAMES, Clusters(k=3, starts=1), [], 0, FIRST)


def places(stored):
    """The number of the cluster at each of the three places, the lowest first."""
    at = sorted(zip(stored.model.centres[:, 0], stored.model.numbers, strict=True))
    return [number for _, number in at]


def test_the_first_model_is_numbered_by_revenue_per_customer(first_model):
    assert places(first_model) == [3, 2, 1]
    assert (first_model.columns["last_number"], first_model.version.day) == (3, FIRST)
    assert sum(first_model.columns["shares"]) == pytest.approx(1)


def test_numbers_survive_another_seed_and_the_data_of_next_month(two_months, first_model):
    other_seed = trained(
        two_months[0], NAMES, Clusters(k=3, seed=4, starts=1), [first_model], 3, LATER
    )
    assert places(other_seed) == [3, 2, 1]
    rules = Clusters(k=4, seed=9, starts=1)
    next_month = trained(two_months[1], NAMES, rules, [first_model], 5, LATER)
    # A place that is cut in two keeps its number in the greater part, if it has one at all; what
    # is new gets a number that none has had.
    numbers = next_month.model.numbers
    assert numbers == sorted(numbers)
    assert len({1, 2, 3} & set(numbers)) >= 2
    assert set(numbers) <= {1, 2, 3, 6, 7}
    assert next_month.columns["last_number"] == max(numbers)


def test_moves_add_up_and_are_by_behaviour_where_the_model_stays(two_months, first_model):
    before, now = two_months
    model = first_model.model
    were = assignments(before, model).select("customer_id", "cluster")
    found = cluster_moves(were, by_both_models(now, model, model)).collect()
    by_cause = {}
    for row in found:
        by_cause[row["cause"]] = by_cause.get(row["cause"], 0) + row["customers"]
    assert by_cause == {"stayed": 180, "behaviour": 10, "entered": 30, "left": 10}
    for day, side in ((before, "from_cluster"), (now, "to_cluster")):
        sizes = {row["cluster"]: row["count"] for row in
                 assignments(day, model).groupBy("cluster").count().collect()}  # fmt: skip
        told = {}
        for row in found:
            told[row[side]] = told.get(row[side], 0) + row["customers"]
        told.pop(0)
        assert told == sizes


def test_the_cause_of_a_move(spark):
    were = spark.createDataFrame(
        [("stayed", 1), ("behaved", 1), ("relabelled", 1), ("both", 1), ("left", 2)],
        "customer_id string, cluster int",
    )
    today = spark.createDataFrame(
        [("stayed", 2, 1), ("behaved", 2, 2), ("relabelled", 1, 2), ("both", 3, 2), ("new", 1, 3)],
        "customer_id string, before int, now int",
    )
    names = ("from_cluster", "to_cluster", "cause", "customers")
    rows = [
        (1, 1, "stayed", 1),
        (1, 2, "behaviour", 1),
        (1, 2, "model", 1),
        (1, 2, "both", 1),
        (2, 0, "left", 1),
        (0, 3, "entered", 1),
    ]
    assert_rows(cluster_moves(were, today), [dict(zip(names, row, strict=True)) for row in rows])
