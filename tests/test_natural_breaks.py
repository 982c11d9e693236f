"""Natural breaks: by hand, against every possible set of cuts, and where numbers are hard."""

from __future__ import annotations

import time

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from rfm_spark.core.cuts import Histogram, balanced_cuts, bin_shares
from rfm_spark.results.rfm.boundaries.natural import explained, natural_cuts

whole_numbers = st.lists(st.integers(-6, 6), min_size=1, max_size=40)
near_and_far = st.lists(
    st.integers(-6, 6) | st.integers(-(10**15), 10**15), min_size=1, max_size=12
)
scores_asked = st.integers(3, 9)
transforms = st.sampled_from(["none", "log1p"])


def histogram(values) -> Histogram:
    return Histogram(*np.unique(np.array(values, dtype=np.int64), return_counts=True))


def test_cuts_lie_where_the_gaps_are():
    visits = [1, 1, 1, 2, 2, 20, 21, 22, 22, 60, 61]
    assert natural_cuts(histogram(visits), 3, "none") == [20, 60]


def test_a_value_counts_as_often_as_it_occurs():
    # Of 0, 4, 9 and 100 two share a bin. Once each, 0 with 4 costs 8, and 4 with 9 costs 12.5. With
    # 0 and 4 ten times, 0 with 4 costs 80, and 4 with 9 costs 10 / 11 * 25 = 22.7.
    once = histogram([0, 4, 9, 100])
    assert natural_cuts(once, 3, "none") == [9, 100]
    often = Histogram(np.array([0, 4, 9, 100]), np.array([10, 10, 1, 1]))
    assert natural_cuts(often, 3, "none") == [4, 100]


def test_by_default_distances_are_those_of_logarithms():
    # ln 2, ln 11, ln 12, ln 101, ln 201: in logarithms 100 and 200 are near, 1 and 10 are not.
    money = histogram([1, 10, 11, 100, 200])
    assert natural_cuts(money, 3) == natural_cuts(money, 3, "log1p") == [10, 100]
    assert natural_cuts(money, 3, "none") == [100, 200]


def test_negative_values_lie_below_zero_as_far_as_positive_ones_above():
    money = histogram([-1000, -900, -1, 0, 1, 900, 1000])
    for transform in ("log1p", "none"):
        assert natural_cuts(money, 3, transform) == [-1, 900]


@pytest.mark.parametrize("transform", ["log1p", "none"])
def test_of_equally_natural_cuts_the_lexicographically_smallest_wins(transform):
    # The lower two may share a bin, or the upper two: cuts are [30, 31] or [-30, 30].
    assert natural_cuts(histogram([-31, -30, 30, 31]), 3, transform) == [-30, 30]
    assert natural_cuts(histogram(range(10, 50, 10)), 3, "none") == [20, 30]


def test_equal_optima_are_equal_though_their_sums_are_rounded_differently():
    # 3 with 5, and 5 with 7, cost 3 * 2 / 5 * 4 = 4.8 alike; the rest costs nothing.
    five = Histogram(np.array([0, 3, 5, 7, 11]), np.array([2, 3, 2, 3, 3]))
    assert natural_cuts(five, 4, "none") == [3, 5, 11]


@pytest.mark.parametrize("values", [[7], [7, 7, 7], [-3, 5], [1, 2, 2, 3], [1, 2, 3, 4, 5]])
def test_no_more_values_than_scores_are_spread_as_by_balanced_cuts(values):
    assert natural_cuts(histogram(values), 5) == balanced_cuts(histogram(values), 5)


@settings(max_examples=200, deadline=None)
@given(whole_numbers, scores_asked, transforms)
def test_natural_cuts_are_those_of_brute_force(values, scores, transform):
    found = natural_cuts(histogram(values), scores, transform)
    assert found == reference.brute_force_natural_cuts(values, scores, transform)


@settings(max_examples=150, deadline=None)
@given(near_and_far, scores_asked, transforms)
def test_no_cuts_of_values_near_and_far_have_a_smaller_sum_of_squares(values, scores, transform):
    found = natural_cuts(histogram(values), scores, transform)
    best = reference.brute_force_natural_cuts(values, scores, transform)
    one, other = (reference.scatter_of_bins(values, cuts, transform) for cuts in (found, best))
    assert one <= other * (1 + 1e-9)


def test_one_large_value_leaves_the_small_ones_their_breaks():
    # Sums of squares of the whole are 10^36, of the bins of small values below 10.
    values = [1, 2, 3, 51, 52, 53, 101, 102, 103, 10**18]
    assert natural_cuts(histogram(values), 4, "none") == [51, 101, 10**18]


def test_values_that_only_differ_in_the_last_digits_of_64_bits_are_told_apart():
    start = 2**62
    values = [start, start + 1, start + 2, start + 40, start + 41, start + 90]
    cuts = natural_cuts(histogram(values), 3, "none")
    assert cuts == [start + 40, start + 90]
    ends = [-(2**63), -(2**63) + 1, -5, 0, 5, 2**63 - 2, 2**63 - 1]
    for transform in ("none", "log1p"):
        assert natural_cuts(histogram(ends), 3, transform) == [-5, 2**63 - 2]


def test_every_bin_holds_somebody_and_ties_stay_together():
    values = np.random.default_rng(3).geometric(0.05, 5_000)
    cuts = natural_cuts(histogram(values), 9)
    assert cuts == sorted(set(cuts))
    assert all(bin_shares(histogram(values), cuts))
    assert set(cuts) <= set(values.tolist())


def test_4096_values_take_well_under_a_second():
    random = np.random.default_rng(5)
    values = np.unique(random.lognormal(9, 2, 9_000).astype(np.int64))[:4_096]
    money = Histogram(values, random.integers(1, 10_000, 4_096))
    began = time.process_time()
    natural_cuts(money, 9)
    assert time.process_time() - began < 2  # 0.16 s where nothing else runs


def scatter(values) -> float:
    return float(((values - values.mean()) ** 2).sum()) if len(values) else 0.0


def scatter_within(values, cuts) -> float:
    """Of every value by itself."""
    values = np.asarray(values, dtype=float)
    place = np.searchsorted([cut for cut in cuts if cut is not None], values, side="right")
    return sum(scatter(values[place == one]) for one in np.unique(place))


DRAW = np.random.default_rng(22)
SHAPES = {
    "visits": 1 + DRAW.negative_binomial(1, 0.3, 900),
    "days": DRAW.integers(0, 365, 900),
    "cents": np.round(100 * np.exp(DRAW.normal(4, 1.2, 900))).astype(int),
    "one far away": np.array([*range(100), 10**9]),
    "ties": np.repeat([1, 2, 3, 9, 10, 40], [60, 20, 10, 5, 3, 2]),
    "few": np.array([1, 2, 3, 50, 51, 90]),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("scores", [3, 5])
def test_the_sum_of_squares_is_that_of_jenkspy(name, scores):
    values = SHAPES[name]
    breaks = pytest.importorskip("jenkspy").jenks_breaks(values.tolist(), scores)
    theirs = [values[values > end].min() for end in breaks[1:-1]]  # of each bin the greatest value
    ours = natural_cuts(histogram(values), scores, "none")
    assert scatter_within(values, ours) == pytest.approx(scatter_within(values, theirs), rel=1e-9)


@pytest.mark.parametrize("name", SHAPES)
def test_what_cuts_explain_is_what_numpy_adds_up(name):
    values = SHAPES[name]
    cuts = natural_cuts(histogram(values), 5, "none")
    found = explained(histogram(values), cuts, "none")
    assert found.share == pytest.approx(1 - scatter_within(values, cuts) / scatter(values))
    assert found.error == 0
    assert explained(histogram([7, 7]), [None, None], "none").share == 1


@pytest.mark.parametrize("size", [2, 8, 30])
def test_cuts_of_buckets_are_as_near_to_the_best_as_is_told(size):
    values = np.unique(np.round(100 * np.exp(DRAW.normal(4, 1.2, 3_000))).astype(int))
    starts = np.arange(0, len(values), size)
    ends = np.minimum(starts + size, len(values))
    coarse = Histogram(values[starts], ends - starts, 0.1, values[ends - 1])
    cuts, best = natural_cuts(coarse, 5), natural_cuts(histogram(values), 5)
    ours, least = (scatter_within(np.log1p(values), np.log1p(one)) for one in (cuts, best))
    told = explained(coarse, cuts)
    assert 0 <= (ours - least) / scatter(np.log1p(values)) <= told.error
    assert 0 < told.error < 1
