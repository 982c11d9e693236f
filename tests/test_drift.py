"""Drift: the population stability index by hand, the calendar, and sizes of bins from Spark."""

from __future__ import annotations

from datetime import date
from math import log

import pytest
from pyspark.sql import functions as F

from rfm_spark.core.drift import is_due, stability_index
from rfm_spark.results.rfm.boundaries.drift import bin_sizes
from rfm_spark.results.rfm.cut_points import CutPoints


def test_the_index_of_equal_shares_is_nothing():
    assert stability_index([0.2] * 5, [0.2] * 5) == 0


def test_the_index_is_the_one_worked_out_by_hand():
    # (0.3-0.2) ln 1.5 + (0.25-0.2) ln 1.25 + 0 + (0.15-0.2) ln 0.75 + (0.1-0.2) ln 0.5
    # = 0.0405465 + 0.0111572 + 0.0143841 + 0.0693147
    index = stability_index([0.2] * 5, [0.3, 0.25, 0.2, 0.15, 0.1])
    assert index == pytest.approx(0.1354025, abs=1e-7)
    assert stability_index([0.3, 0.25, 0.2, 0.15, 0.1], [0.2] * 5) == pytest.approx(index)


def test_a_bin_that_nobody_is_in_counts_as_a_ten_thousandth():
    # (0.5 - 0.0001) ln(5000) + (0.5 - 1) ln(0.5)
    expected = 0.4999 * 8.517193191416238 + 0.5 * 0.6931471805599453
    assert stability_index([0.0, 1.0], [0.5, 0.5]) == pytest.approx(expected)
    assert stability_index([1.0, 0.0], [1.0, 0.0]) == 0
    assert stability_index([0.0, 1.0], [0.00005, 0.99995]) == pytest.approx(
        (0.99995 - 1) * log(0.99995)
    )


JANUARY = date(2026, 1, 9)


@pytest.mark.parametrize(
    ("as_of", "calendar", "due"),
    [
        (date(2026, 1, 31), "month", False),
        (date(2026, 2, 1), "month", True),
        (date(2026, 2, 17), "month", True),  # the first day described need not be the 1st
        (date(2027, 1, 9), "month", True),
        (date(2026, 1, 11), "week", False),  # the Sunday of the week of January 9th
        (date(2026, 1, 12), "week", True),
        (date(2026, 3, 31), "quarter", False),
        (date(2026, 4, 1), "quarter", True),
    ],
)
def test_a_set_is_due_in_a_period_after_its_own(as_of, calendar, due):
    assert is_due(as_of, JANUARY, [], calendar) is due


def test_only_the_first_day_described_in_a_period_is_due():
    looked_at = [date(2026, 1, 31), date(2026, 2, 2)]
    assert is_due(date(2026, 2, 1), JANUARY, looked_at, "month"), "what came later does not count"
    assert not is_due(date(2026, 2, 2), JANUARY, looked_at, "month"), "made again: as it was"
    assert not is_due(date(2026, 2, 3), JANUARY, looked_at, "month")
    assert is_due(date(2026, 3, 3), JANUARY, looked_at, "month")


def test_rows_are_counted_by_the_cuts_they_have_passed(spark):
    rows = [(1, 10), (2, None), (2, -5), (7, 0), (None, 30), (9, 2**62)]
    values = spark.createDataFrame(rows, "visits int, cents bigint")
    visits, cents = F.col("visits"), F.col("cents")
    sets = [
        ({"recency": visits, "frequency": visits}, [2, 2, 7, None]),
        ({"recency": cents, "monetary": visits}, [0, 2**62]),
    ]
    assert bin_sizes(values, [(of, CutPoints.plain(dict.fromkeys(of, c))) for of, c in sets]) == [
        {"recency": [1, 0, 2, 2, 0], "frequency": [1, 0, 2, 2, 0]},
        {"recency": [1, 3, 1], "monetary": [0, 5, 0]},
    ]


def test_rows_are_counted_by_the_cuts_of_their_own_nest(spark):
    rows = [(1, 1), (1, 5), (9, 5), (9, 30), (None, 99)]
    values = spark.createDataFrame(rows, "days int, visits bigint")
    of = {"recency": F.col("days"), "frequency": F.col("visits")}
    nested = CutPoints({"recency": {(): [5]}, "frequency": {(1,): [20], (2,): [2]}})
    recent = values.where("days is not null")
    assert bin_sizes(recent, [(of, nested)]) == [{"recency": [2, 2], "frequency": [2, 2]}]
