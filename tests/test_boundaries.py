"""Boundaries: cut points by hand, against the reference, and from Spark in any partitioning."""

from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from rfm_spark.core.cuts import (
    Histogram,
    balanced_cuts,
    bin_shares,
    quantile_cuts,
)
from rfm_spark.results.rfm.boundaries.buckets import Buckets, ExactCuts, WithinRank
from rfm_spark.results.rfm.boundaries.histograms import Sought, histograms

# 100 customers by visits: half came once. Sizes 50, 20, 10, 10, 5, 5.
VISITS = [1] * 50 + [2] * 20 + [3] * 10 + [4] * 10 + [5] * 5 + [10] * 5

whole_numbers = st.lists(st.integers(-6, 6), min_size=1, max_size=40)
wide_numbers = st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=60)
scores_asked = st.integers(3, 9)


def histogram(values) -> Histogram:
    return Histogram(*np.unique(np.array(values, dtype=np.int64), return_counts=True))


def sizes_of_bins(values, cuts) -> list[int]:
    return [round(share * len(values)) for share in bin_shares(histogram(values), cuts)]


def test_a_quantile_cut_is_the_smallest_value_with_enough_customers_below():
    # Below 2, 3, 4, 5, 10 are 50, 70, 80, 90, 95 customers; 20, 40, 60 and 80 are asked for.
    cuts = quantile_cuts(histogram(VISITS), 5)
    assert cuts == [2, 2, 3, 4]
    assert sizes_of_bins(VISITS, cuts) == [50, 0, 20, 10, 20]


def test_quantile_cuts_of_different_values_are_even():
    values = [-40, -3, 0, 5, 6, 9, 70, 800, 801, 10**12]
    cuts = quantile_cuts(histogram(values), 5)
    assert cuts == [0, 6, 70, 801]
    assert sizes_of_bins(values, cuts) == [2, 2, 2, 2, 2]


def test_a_rank_is_compared_in_whole_numbers():
    # The first cut of three over four values asks for 4/3 of a customer below: two, not one.
    assert quantile_cuts(histogram([10, 20, 30, 40]), 3) == [30, 40]


@pytest.mark.parametrize(
    ("values", "cuts"),
    [
        ([7, 7, 7], [None, None, None, None]),
        ([1, 2, 2, 2, 2], [2, None, None, None]),
        ([1] * 9 + [2], [2, 2, 2, 2]),
    ],
    ids=["one value", "too many at the top", "too many at the bottom"],
)
def test_ties_are_never_split_and_a_quantile_cut_may_not_exist(values, cuts):
    assert quantile_cuts(histogram(values), 5) == cuts


def test_balanced_cuts_keep_one_purchase_from_swallowing_its_neighbours():
    # Five bins merge one pair of neighbours; against 20 a bin, 5+5 costs least.
    cuts = balanced_cuts(histogram(VISITS), 5)
    assert cuts == [2, 3, 4, 5]
    assert sizes_of_bins(VISITS, cuts) == [50, 20, 10, 10, 10]


def test_of_equally_balanced_cuts_the_lexicographically_smallest_wins():
    # One bin of three holds two of the four customers, whichever it is: [20, 30], [20, 40] or
    # [30, 40] cost the same.
    assert balanced_cuts(histogram([10, 20, 30, 40]), 3) == [20, 30]
    assert balanced_cuts(histogram(range(7)), 5) == [1, 2, 3, 5]


@pytest.mark.parametrize(
    ("values", "cuts", "sizes"),
    [
        ([4, 4, 4], [None, None, None, None], [3, 0, 0, 0, 0]),
        ([1, 1, 2], [2, 2, 2, 2], [2, 0, 0, 0, 1]),
        ([1, 2, 3], [2, 2, 3, 3], [1, 0, 1, 0, 1]),
        ([1, 2, 3, 4], [2, 3, 4, 4], [1, 1, 1, 0, 1]),
        ([1, 2, 3, 4, 5], [2, 3, 4, 5], [1, 1, 1, 1, 1]),
    ],
    ids=["D=1", "D=2", "D=3", "D=4", "D=5"],
)
def test_fewer_values_than_scores_are_spread_from_worst_to_best(values, cuts, sizes):
    assert balanced_cuts(histogram(values), 5) == cuts
    assert sizes_of_bins(values, cuts) == sizes


@settings(max_examples=300, deadline=None)
@given(whole_numbers, scores_asked)
def test_balanced_cuts_are_those_of_brute_force(values, scores):
    assert balanced_cuts(histogram(values), scores) == reference.brute_force_balanced_cuts(
        values, scores
    )


@settings(max_examples=200, deadline=None)
@given(wide_numbers, scores_asked)
def test_cuts_are_those_of_the_reference(values, scores):
    assert quantile_cuts(histogram(values), scores) == reference.quantile_cuts(values, scores)
    assert balanced_cuts(histogram(values), scores) == reference.balanced_cuts(values, scores)


@settings(max_examples=100, deadline=None)
@given(whole_numbers, scores_asked)
def test_shares_are_of_the_customers_that_pass_each_number_of_cuts(values, scores):
    cuts = quantile_cuts(histogram(values), scores)
    passed = [sum(cut is not None and cut <= value for cut in cuts) for value in values]
    expected = [passed.count(number) / len(values) for number in range(scores)]
    assert bin_shares(histogram(values), cuts) == pytest.approx(expected)


def test_balanced_cuts_of_more_customers_than_64_bits_can_square_are_refused():
    crowd = Histogram(np.arange(10), np.full(10, 10**9))
    with pytest.raises(OverflowError, match="10000000000 customers"):
        balanced_cuts(crowd, 5)


def test_quantile_cuts_of_ten_billion_customers_are_exact():
    crowd = Histogram(np.arange(10), np.full(10, 10**9))
    assert quantile_cuts(crowd, 5) == [2, 4, 6, 8]


# From Spark

RANDOM = np.random.default_rng(7)
WIDE = np.concatenate(
    [
        RANDOM.integers(-(10**12), 10**12, 12_000),
        RANDOM.integers(0, 900, 6_000),
        np.full(2_000, 4_711),
    ]
).tolist()


def whole(values):
    return Buckets.one(min(values), max(values), len(values))


ALL_WIDE = whole(WIDE)


def cuts_and_histogram(rows, column, values, scores):
    sought = Sought(rows, column, values, ExactCuts(scores))
    found = histograms({"one": sought})["one"]
    return quantile_cuts(found, scores), found


def values_histogram(rows, column, values, max_rank_error):
    return histograms({0: Sought(rows, column, values, WithinRank(max_rank_error))})[0]


@pytest.fixture(scope="module")
def wide(spark):
    rows = spark.createDataFrame([(value,) for value in [*WIDE, None, None]], "cents bigint")
    return rows.repartition(5).persist()


def numbers(spark, values, kind="bigint"):
    return spark.createDataFrame([(value,) for value in values], f"x {kind}")


@pytest.mark.parametrize("scores", [3, 5, 9])
def test_quantile_cuts_from_spark_are_exact_over_a_wide_range(wide, scores):
    cuts, found = cuts_and_histogram(wide, "cents", ALL_WIDE, scores)
    assert cuts == reference.quantile_cuts(WIDE, scores)
    assert found.total == len(WIDE)  # NULLs are left out
    assert bin_shares(found, cuts) == pytest.approx(bin_shares(histogram(WIDE), cuts))


@pytest.mark.parametrize("partitions", [1, 11])
def test_neither_cuts_nor_histogram_depend_on_the_partitions(wide, partitions):
    moved = wide.repartition(partitions, "cents")
    here, there = (cuts_and_histogram(rows, "cents", ALL_WIDE, 5)[0] for rows in (wide, moved))
    assert here == there
    one, other = (values_histogram(rows, "cents", ALL_WIDE, 0.01) for rows in (wide, moved))
    assert one.values.tolist() == other.values.tolist()
    assert one.counts.tolist() == other.counts.tolist()
    assert one.rank_error == other.rank_error


@pytest.mark.parametrize("max_rank_error", [0.0005, 0.01])
def test_a_histogram_of_many_values_keeps_within_its_rank_error(wide, max_rank_error):
    found = values_histogram(wide, "cents", ALL_WIDE, max_rank_error)
    assert 0 < found.rank_error <= max_rank_error
    assert found.total == len(WIDE)
    # Every bucket begins at a value that occurs, and counts all customers up to the next one.
    ordered = np.sort(np.array(WIDE))
    starts = np.searchsorted(ordered, found.values)
    assert ordered[starts].tolist() == found.values.tolist()
    assert np.diff([*starts, len(ordered)]).tolist() == found.counts.tolist()


def test_the_largest_bucket_of_several_values_is_the_rank_error(wide):
    found = values_histogram(wide, "cents", ALL_WIDE, 0.01)
    ends = [*found.values[1:].tolist(), max(WIDE) + 1]
    distinct = np.unique(WIDE)
    spans = np.searchsorted(distinct, ends) - np.searchsorted(distinct, found.values)
    assert found.rank_error == found.counts[spans > 1].max() / len(WIDE)


def test_a_histogram_is_exact_up_to_4096_values_and_not_beyond(spark):
    few = list(range(4_096)) * 2
    exact = values_histogram(numbers(spark, few), "x", whole(few), 0.001)
    assert exact.rank_error == 0
    assert exact.values.tolist() == list(range(4_096))
    assert set(exact.counts.tolist()) == {2}
    more = [*few, 10_000_000]
    many = values_histogram(numbers(spark, more), "x", whole(more), 0.001)
    assert 0 < many.rank_error <= 0.001


def test_values_beyond_what_was_told_are_not_lost_in_silence(spark):
    values = [1, 2, 3, 9]
    rows = numbers(spark, values)
    for told in (Buckets.one(1, 3, 4), Buckets.one(1, 9, 3)):
        with pytest.raises(AssertionError, match="were to be put into buckets"):
            cuts_and_histogram(rows, "x", told, 5)
    with pytest.raises(AssertionError, match="3 values were to be put into buckets, 4 were"):
        values_histogram(rows, "x", Buckets.one(1, 9, 3), 0.001)


def test_histograms_made_together_are_as_each_alone(wide):
    both = wide.withColumn("euros", F.floor(F.col("cents") / 100)).withColumn("one", F.lit(7))
    euros = whole([cents // 100 for cents in WIDE])
    sought = {
        "cuts": Sought(both, "cents", ALL_WIDE, ExactCuts(5)),
        "near": Sought(both, "cents", ALL_WIDE, WithinRank(0.01)),
        "nearer": Sought(wide, "cents", ALL_WIDE, WithinRank(0.001)),
        "euros": Sought(both, "euros", euros, ExactCuts(9)),
        "one": Sought(both, "one", Buckets.one(7, 7, len(WIDE) + 2), ExactCuts(5)),
    }
    together = histograms(sought)
    assert list(together) == list(sought)
    for name, one in sought.items():
        alone = histograms({name: one})[name]
        assert together[name].values.tolist() == alone.values.tolist(), name
        assert together[name].counts.tolist() == alone.counts.tolist(), name
    for name, error in (("near", 0.01), ("nearer", 0.001)):
        assert 0 < together[name].rank_error <= error
    assert (together["one"].values.tolist(), together["one"].counts.tolist()) == ([7], [20_002])


def test_few_values_far_apart_are_told_exactly(spark):
    values = [10**12 * n for n in range(40)] + [3 * 10**12 + 1] * 2
    found = values_histogram(numbers(spark, values), "x", whole(values), 0.5)
    assert found.rank_error == 0
    assert found.values.tolist() == sorted(set(values))


def test_nulls_are_left_out_of_a_histogram(spark):
    found = values_histogram(
        numbers(spark, [3, None, 1, 3, None], "int"), "x", Buckets.one(1, 3, 3), 0.001
    )
    assert (found.values.tolist(), found.counts.tolist()) == ([1, 3], [1, 2])


@pytest.mark.parametrize("values", [[5], [5] * 50, [1, 2], [-1, 0, 0, 3]])
def test_quantile_cuts_from_spark_of_few_values_are_exact(spark, values):
    cuts, found = cuts_and_histogram(numbers(spark, values, "int"), "x", whole(values), 5)
    assert cuts == reference.quantile_cuts(values, 5)
    assert found.rank_error == 0


def test_quantile_cuts_from_spark_take_all_of_bigint(spark):
    values = [-(2**63), -(2**62), -1, 0, 1, 7, 2**40, 2**62, 2**63 - 2, 2**63 - 1]
    cuts, _ = cuts_and_histogram(numbers(spark, values), "x", whole(values), 5)
    assert cuts == [-1, 1, 2**40, 2**63 - 2]
