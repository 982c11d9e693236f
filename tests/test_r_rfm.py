"""Cuts of R's package rfm: R's own numbers, its floating point, and what hangs on the unit."""

from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from test_reference import loaded

from rfm_spark.core.cuts import Histogram
from rfm_spark.results.rfm.boundaries.bins import fit
from rfm_spark.results.rfm.boundaries.buckets import Buckets, ExactPlaces
from rfm_spark.results.rfm.boundaries.histograms import Sought, histograms
from rfm_spark.results.rfm.boundaries.r_rfm import r_rfm_cuts, r_rfm_places
from rfm_spark.results.rfm.boundaries.units import ValueUnit
from rfm_spark.results.rfm.settings import Dimension, Profile

EUROS = ValueUnit("EUR", "EUR", 2, has_all_digits=True)
TENS = range(10, 101, 10)

amounts = st.lists(st.integers(-300, 3_000) | st.integers(-(10**12), 10**12), min_size=1)


def histogram(values) -> Histogram:
    return Histogram(*np.unique(np.array(values, dtype=np.int64), return_counts=True))


def scores(values, cuts) -> list[int]:
    return reference.score_ascending(values, cuts).tolist()


@pytest.mark.parametrize(
    ("values", "one", "cuts"),
    [
        # quantile(seq(10, 100, 10), seq(0, 1, length.out = 6))[2:5] + 1 in R 4.2.2, and of others:
        (TENS, 1, [28.999999999999996, 47, 65, 83]),
        (TENS, 100, [1.28, 1.46, 1.6400000000000001, 1.8199999999999998]),
        (TENS, 1_000, [1.028, 1.046, 1.0640000000000001, 1.0820000000000001]),
        ([1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8], 1, [2, 3, 5.0000000000000009, 7]),
        (
            [190, 190, 190, 850, 850, 1200, 1525, 1990, 2090, 2775, 4200],
            100,
            [2.8999999999999999, 9.5, 16.250000000000004, 21.899999999999999],
        ),
    ],
)
def test_whoever_reaches_a_cut_of_r_passes_it_and_nobody_else(values, one, cuts):
    found = r_rfm_cuts(histogram(values), 5, one)
    for cut, whole in zip(cuts, found, strict=True):
        assert (whole - 1) / one < cut <= whole / one


def test_the_unit_of_money_decides_the_scores():
    in_thousands = r_rfm_cuts(histogram(TENS), 5, 1_000)
    assert scores(TENS, r_rfm_cuts(histogram(TENS), 5, 1)) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert scores(TENS, in_thousands) == [1] * 10


def test_a_customer_one_above_a_quantile_is_below_the_cut_where_r_rounds_up():
    # Of 11 values the seventh, 4, is the 60 % quantile, and R's is 4.0000000000000009.
    visits = [1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8]
    assert scores(visits, r_rfm_cuts(histogram(visits), 5, 1)) == [1, 1, 1, 2, 2, 3, 3, 3, 4, 5, 5]


@settings(max_examples=300, deadline=None)
@given(amounts, st.integers(3, 9), st.sampled_from([1, 100, 1_000]))
def test_scores_are_those_of_the_rule_of_r(values, asked, one):
    found = scores(values, r_rfm_cuts(histogram(values), asked, one))
    assert found == reference.r_rfm_scores(np.array(values) / one, asked).tolist()


def test_a_cut_that_no_table_can_hold_is_never_passed():
    assert r_rfm_cuts(histogram([2**63 - 1]), 3, 1_000_000) == [None, None]


def test_scores_that_nobody_has_are_told_with_what_would_fill_them():
    profile = Profile(monetary=Dimension(method="r_rfm"))
    found = fit(profile, "monetary", EUROS, histogram(TENS))
    assert found.cuts == [128, 146, 165, 182]
    assert found.why_collapsed == (
        "scores 2, 3, 4 and 5 are empty: no customer has a value there; "
        "`balanced` would give cuts 0.30, 0.50, 0.70, 0.90"
    )


@pytest.mark.parametrize(("place", "coarse"), [(2, None), (3, 1), (6, 1), (7, 2)])
def test_of_buckets_of_several_values_those_that_hold_a_place_are_too_coarse(place, coarse):
    buckets = Buckets(np.array([1, 2, 6]), np.array([1, 5, 9]), np.array([3, 4, 1]))
    found = ExactPlaces(lambda _: [place]).too_coarse(buckets)
    assert np.flatnonzero(found).tolist() == ([] if coarse is None else [coarse])


def test_the_customers_of_cdnow_are_scored_as_by_the_rule_of_r(spark, shared_data):
    connection = loaded("cdnow", shared_data)
    last = connection.sql("SELECT max(business_date) FROM receipts").fetchall()[0][0]
    customers = reference.rfm(connection, last, None)
    units = {"recency_days": 1, "frequency": 1, "monetary_cents": 100}
    rows = spark.createDataFrame(customers[list(units)]).repartition(3).persist()
    found = histograms(
        {
            name: Sought(
                rows,
                name,
                Buckets.one(int(values.min()), int(values.max()), len(values)),
                ExactPlaces(lambda total: r_rfm_places(total, 5)),
                most_buckets=64,  # so that amounts have to be looked into again
            )
            for name in units
            for values in [customers[name]]
        }
    )
    rows.unpersist()
    for name, one in units.items():
        passed = reference.score_ascending(customers[name], r_rfm_cuts(found[name], 5, one)) - 1
        wanted = reference.r_rfm_scores(customers[name].to_numpy() / one, 5) - 1
        assert passed.tolist() == wanted.tolist(), name
        assert len(set(passed.tolist())) >= 3, "each of these would tell cuts apart"
    assert found["monetary_cents"].rank_error > 0, "only what the cuts need is exact"
