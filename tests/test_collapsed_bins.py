"""Collapsed bins: which scores nobody has, why, and what would fill them."""

from __future__ import annotations

import numpy as np
import pytest

from rfm_spark.core.cuts import (
    Histogram,
    balanced_cuts,
    bin_shares,
    quantile_cuts,
)
from rfm_spark.results.rfm.boundaries.collapsed import collapsed_bins, why_collapsed
from rfm_spark.results.rfm.boundaries.natural import natural_cuts
from rfm_spark.results.rfm.boundaries.units import ValueUnit

TIMES = ValueUnit("visit", "visits")
POINTS = ValueUnit("point", "points", 6)
CUTS = {"quantile": quantile_cuts, "balanced": balanced_cuts, "natural": natural_cuts}


def told(sizes, method, cuts=None, rank_error=0.0, low_is_best=False, unit=TIMES):
    """What is said of customers by value, scored 1 to 5; None where no bin is empty."""
    found = Histogram(np.array([*sizes]), np.array([*sizes.values()]), rank_error)
    cuts = cuts or CUTS[method](found, 5)
    places = collapsed_bins(bin_shares(found, cuts))
    empty = {place: 5 - place if low_is_best else 1 + place for place in places}
    return why_collapsed(found, method, cuts, empty, unit) if empty else None


VISITS = {1: 62, 2: 14, 3: 9, 5: 8, 9: 7}


def test_ties_that_fill_several_bins_are_named_with_what_would_fill_the_others():
    assert told(VISITS, "quantile") == (
        "scores 2 and 3 are empty: 62.0% of customers have 1 visit; "
        "`balanced` would give cuts 2, 3, 5, 9"
    )


def test_recency_names_the_scores_from_the_other_end():
    assert told(VISITS, "quantile", low_is_best=True).startswith("scores 3 and 4 are empty: 62.0%")


def test_a_score_that_no_value_reaches_is_told_of_the_greatest_value():
    top_heavy = {1: 5, 2: 5, 3: 5, 4: 5, 5: 5, 6: 75}
    assert told(top_heavy, "quantile") == (
        "scores 3, 4 and 5 are empty: 75.0% of customers have 6 visits; "
        "`balanced` would give cuts 2, 3, 4, 6"
    )


@pytest.mark.parametrize("method", ["quantile", "balanced", "natural"])
def test_fewer_values_than_scores_are_the_reason_by_any_method(method):
    assert told({1: 5, 4: 5}, method).endswith("empty: there are only 2 different values")
    assert told({7: 3}, method) == "scores 2, 3, 4 and 5 are empty: all customers have 7 visits"


def test_fixed_cuts_with_nobody_between_are_told():
    assert told(VISITS, "fixed", [2, 3, 4, 9]) is None
    assert told(VISITS, "fixed", [2, 3, 4, 5]) == (
        "score 4 is empty: no customer has a value there; `balanced` would give cuts 2, 3, 5, 9"
    )
    assert told(VISITS, "fixed", [0, 1, 2, 3]).startswith("scores 1 and 2 are empty: no customer")


def test_nothing_is_told_of_values_that_fill_every_score():
    for method in ("balanced", "natural"):
        assert told(VISITS, method) is None


def test_what_balanced_would_give_is_told_only_where_every_value_is_known():
    sizes = {**VISITS, 100: 1, 900: 1}
    assert told(sizes, "quantile", rank_error=0.01).endswith("of customers have 1 visit")


def test_values_and_cuts_are_told_as_people_write_them():
    points = {value * 500_000: size for value, size in VISITS.items()}
    assert told(points, "quantile", unit=POINTS) == (
        "scores 2 and 3 are empty: 62.0% of customers have 0.5 points; "
        "`balanced` would give cuts 1, 1.5, 2.5, 4.5"
    )
