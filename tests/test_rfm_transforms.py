"""RFM: values and scores."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from pyspark.sql import functions as F
from support import assert_rows, rows_of

from rfm_spark.tables import CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.transforms.facts import customer_years
from rfm_spark.transforms.rfm_values import customer_sums, rfm_values
from rfm_spark.transforms.scores import cell, score
from rfm_spark.transforms.window import Window

AS_OF = date(2026, 1, 31)
ALL = Window(None)


def day(customer, on, visits=1, net_cents=10_00):
    return {"customer_id": customer, "day": on, "visits": visits, "net_cents": net_cents}


def rfm(customer, recency_days, frequency, monetary_cents):
    return {
        "customer_id": customer,
        "recency_days": recency_days,
        "frequency": frequency,
        "monetary_cents": monetary_cents,
    }


def values_of(spark, days, window=ALL):
    rows = rows_of(spark, CUSTOMER_DAYS, days)
    return rfm_values(customer_sums(rows, customer_years(rows), AS_OF, [window]), AS_OF, window)


def test_a_return_lowers_money_but_is_not_a_visit(spark):
    days = [
        day("anna", "2026-01-02"),
        day("anna", "2026-01-20", visits=0, net_cents=-4_00),
        day("ben", "2026-01-10", visits=2, net_cents=30_00),
        day("ben", "2025-12-01", net_cents=-50_00),
    ]
    assert_rows(
        values_of(spark, days),
        [rfm("anna", 29, 1, 6_00), rfm("ben", 21, 3, -20_00)],
    )


def test_later_days_are_never_in_a_result(spark):
    days = [
        day("anna", "2026-01-31"),
        day("anna", "2026-02-01", net_cents=99_00),
        day("ben", "2026-02-01"),
        day("cleo", "2027-01-01"),
    ]
    assert_rows(values_of(spark, days), [rfm("anna", 0, 1, 10_00)])


def test_a_window_holds_the_days_after_as_of_less_n_up_to_as_of(spark):
    days = [
        day("inside", "2026-01-31"),
        day("edge", "2026-01-02"),  # as_of - 29
        day("before", "2026-01-01"),  # as_of - 30
        day("both", "2026-01-02", net_cents=1_00),
        day("both", "2026-01-01", net_cents=2_00),
    ]
    in_30_days = [rfm("inside", 0, 1, 10_00), rfm("edge", 29, 1, 10_00), rfm("both", 29, 1, 1_00)]
    assert_rows(values_of(spark, days, Window(30)), in_30_days)
    assert_rows(values_of(spark, days, Window(1)), [rfm("inside", 0, 1, 10_00)])


def test_a_window_reaches_into_the_year_before(spark):
    days = [day("anna", "2025-02-01"), day("ben", "2025-01-31")]
    assert_rows(values_of(spark, days, Window(365)), [rfm("anna", 364, 1, 10_00)])


WINDOWS = [Window(30), Window(365), Window(400), ALL]


def sums_in_python(days, as_of, window):
    """Of each customer `first_visit`, `last_visit` and the sums of one window, day by day."""
    first_day = date.min if window.days is None else as_of - timedelta(days=window.days - 1)
    found = {}
    for row in days:
        inside = first_day <= date.fromisoformat(row["day"]) <= as_of
        one = found.setdefault(row["customer_id"], [[], [0, 0], [0, 0, 0]])
        one[0] += [row["day"]] if row["visits"] else []
        for place, measure in enumerate(("receipts", "net_cents", "visits")):
            if place < 2:
                one[1][place] += row[measure]
            one[2][place] += row[measure] if inside else 0
    return {
        customer: (
            min(visits, default=None),
            max((day for day in visits if day <= as_of.isoformat()), default=None),
            *(*every_day, *inside),
        )
        for customer, (visits, every_day, inside) in found.items()
    }


@pytest.mark.parametrize(
    ("as_of", "later_days"),
    [
        (date(2024, 2, 29), True),
        (date(2024, 2, 29), False),
        (date(2024, 12, 30), True),
        (date(2024, 12, 31), True),
    ],
)
def test_sums_of_all_windows_are_those_of_every_single_day(spark, as_of, later_days):
    chance = Random(as_of.day)
    edges = [as_of - timedelta(days=back) for back in (-later_days, 0, 29, 30, 364, 365, 399, 400)]
    length = 1461 if later_days else (as_of - date(2022, 1, 1)).days
    others = [date(2022, 1, 1) + timedelta(days=chance.randrange(length)) for _ in range(60)]
    days = [
        {
            "customer_id": customer,
            "day": on.isoformat(),
            "visits": chance.randrange(3),
            "receipts": 3,
            "net_cents": chance.randrange(-100, 1000),
        }
        for customer in ("anna", "ben", None)
        for on in {*edges, *chance.sample(others, 20)}
    ]
    rows = rows_of(spark, CUSTOMER_DAYS, days)
    last_day = None if later_days else as_of
    found = customer_sums(rows, customer_years(rows), as_of, WINDOWS, last_day).collect()
    for window in WINDOWS:
        sums = [f"{name}_{window.label}" for name in ("receipts", "net_cents", "visits")]
        assert {
            row["customer_id"]: (
                *(day and day.isoformat() for day in (row["first_visit"], row["last_visit"])),
                *(row[name] or 0 for name in ("receipts", "net_cents", *sums)),
            )
            for row in found
        } == sums_in_python(days, as_of, window)


@pytest.mark.parametrize(
    ("as_of", "last_day"),
    [(date(2025, 12, 31), None), (date(2025, 12, 29), date(2025, 12, 29))],
)
def test_of_years_that_no_window_divides_single_days_are_not_read(spark, as_of, last_day):
    years = [
        {"customer_id": "anna", "year": 2025, "visits": 3, "last_visit": "2025-11-30"},
        {"customer_id": "anna", "year": 2024, "visits": 2, "last_visit": "2024-06-01"},
    ]
    facts = rows_of(spark, CUSTOMER_DAYS, []), rows_of(spark, CUSTOMER_YEARS, years)
    this_year = Window(as_of.timetuple().tm_yday)
    recency = (as_of - date(2025, 11, 30)).days
    sums = customer_sums(*facts, as_of, [this_year, ALL], last_day)
    assert_rows(rfm_values(sums, as_of, this_year), [rfm("anna", recency, 3, 0)])
    assert_rows(rfm_values(sums, as_of, ALL), [rfm("anna", recency, 5, 0)])


def test_guests_and_customers_with_returns_only_are_outside_the_population(spark):
    days = [
        day(None, "2026-01-05", visits=40),
        day("returner", "2026-01-05", visits=0, net_cents=-5_00),
        day("bought_long_ago", "2024-01-05"),
        day("bought_long_ago", "2026-01-05", visits=0, net_cents=-5_00),
    ]
    assert values_of(spark, days, Window(365)).isEmpty()


def scores_of(spark, values, cuts, scores=5, low_is_best=False):
    rows = spark.createDataFrame([(value,) for value in values], "x bigint")
    found = rows.select("x", score(F.col("x"), cuts, scores, low_is_best).alias("score"))
    return [row["score"] for row in found.orderBy("x").collect()]


def test_bins_are_lower_inclusive(spark):
    values = [1, 2, 3, 4, 5, 100]
    assert scores_of(spark, values, [2, 3, 4, 5]) == [1, 2, 3, 4, 5, 5]


def test_recency_is_scored_the_other_way_round(spark):
    days = [0, 1, 9, 10, 11, 400]
    assert scores_of(spark, days, [1, 10, 20, 300], low_is_best=True) == [5, 4, 4, 3, 3, 1]


def test_a_cut_that_does_not_exist_is_never_passed(spark):
    assert scores_of(spark, [1, 7, 900], [2, 5, None, None]) == [1, 3, 3]
    assert scores_of(spark, [-9, 7], [None] * 4) == [1, 1]
    assert scores_of(spark, [-9, 7], [None] * 4, low_is_best=True) == [5, 5]


def test_equal_cuts_are_passed_together(spark):
    assert scores_of(spark, [1, 2], [2, 2, 2, 2]) == [1, 5]


def test_a_cell_is_the_three_digits(spark):
    row = spark.range(1).select(cell(F.lit(5), F.lit(1), F.lit(3)).alias("cell")).first()
    assert row["cell"] == "513"
