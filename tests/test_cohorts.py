"""Cohorts say who came back, followed from the beginning or from a day on."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from pyspark.sql import functions as F
from support import assert_rows, rows_of
from support.cohorts import facts_of, followed_up
from support.receipts import a_return, receipt, sums

from rfm_spark.facts.transforms import customer_days
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.results.cohorts.periods import Periods
from rfm_spark.results.cohorts.standing import Standing
from rfm_spark.results.cohorts.tables import COHORTS


def days_of(spark, receipts):
    rows = [receipt(customer, on, cents) if cents >= 0 else a_return(customer, on, cents)
            for customer, on, cents in receipts]  # fmt: skip
    return customer_days(rows_of(spark, RECEIPTS, rows)).persist()


def cohorts_of(spark, receipts, as_of, grain="month", week_start="monday"):
    """Cohorts of receipts: the same facts as a run would make."""
    periods = [Periods(one, week_start) for one in sorted({"year", "day", grain})]
    found = followed_up(facts_of(days_of(spark, receipts)), date.fromisoformat(as_of), periods)
    assert set(found.columns) == set(COHORTS.column_names)
    return found.where(F.col("grain") == grain).collect()


# Anna, ben and cleo begin in January, dora in March. April still runs on 2026-04-15.
HISTORY = [
    ("anna", "2026-01-05", 10_00),
    ("anna", "2026-01-20", 10_00),
    ("anna", "2026-02-10", 5_00),
    ("anna", "2026-04-01", 20_00),
    ("ben", "2026-01-31", 30_00),
    ("ben", "2026-02-02", -30_00),
    ("cleo", "2026-01-15", 10_00),
    ("cleo", "2026-02-28", 15_00),
    ("dora", "2026-02-01", -9_00),  # before her first visit: in no cohort's money
    ("dora", "2026-03-03", 8_00),
    ("dora", "2026-04-15", 2_00),
    ("dora", "2026-04-16", 99_00),  # after as_of
    ("later", "2026-04-16", 99_00),
    (None, "2026-01-05", 77_00),
]


def test_cohorts_by_month(spark):
    names = ("cohort", "period_index", "cohort_size", "eligible", "active", "active_so_far",
             "retention", "is_complete", "is_left_censored", "receipts",
             "revenue_cents")  # fmt: skip
    assert_rows(
        cohorts_of(spark, HISTORY, "2026-04-15"),
        sums(
            names,
            ("2026-01-01", 0, 3, 3, 3, 3, 1.0, True, True, 4, 60_00),
            ("2026-01-01", 1, 3, 3, 2, 2, 2 / 3, True, True, 2, -10_00),
            ("2026-01-01", 2, 3, 3, 0, 0, 0.0, True, True, 0, 0),
            ("2026-01-01", 3, 3, 0, 0, 1, None, False, True, 1, 20_00),
            ("2026-03-01", 0, 1, 1, 1, 1, 1.0, True, False, 1, 8_00),
            ("2026-03-01", 1, 1, 0, 0, 1, None, False, False, 1, 2_00),
        ),
    )


def test_cohorts_say_who_is_new_retained_reactivated_and_skipped(spark):
    names = ("cohort", "period_index", "new", "retained", "reactivated", "skipped")
    assert_rows(
        cohorts_of(spark, HISTORY, "2026-04-15"),
        sums(
            names,
            ("2026-01-01", 0, 3, 0, 0, 0),
            ("2026-01-01", 1, 0, 2, 0, 1),
            ("2026-01-01", 2, 0, 0, 0, 2),
            ("2026-01-01", 3, 0, 0, 1, 0),
            ("2026-03-01", 0, 1, 0, 0, 0),
            ("2026-03-01", 1, 0, 1, 0, 0),
        ),
    )


def test_who_only_brought_something_back_has_not_come(spark):
    history = [
        ("eve", "2026-01-10", 9_00),
        ("eve", "2026-02-10", -9_00),
        ("eve", "2026-03-10", 5_00),
    ]
    names = ("period_index", "new", "retained", "reactivated", "skipped")
    assert_rows(
        cohorts_of(spark, history, "2026-03-31"),
        sums(names, (0, 1, 0, 0, 0), (1, 0, 0, 0, 1), (2, 0, 0, 1, 0)),
    )


def test_cohorts_know_their_revenue_per_receipt_and_customer(spark):
    names = ("cohort", "period_index", "average_receipt_cents", "revenue_per_customer_cents",
             "cumulative_revenue_per_customer_cents")  # fmt: skip
    january = [row for row in cohorts_of(spark, HISTORY, "2026-04-15") if row["cohort"].month == 1]
    assert_rows(
        january,
        sums(
            names,
            ("2026-01-01", 0, 15_00.0, 20_00.0, 20_00.0),
            ("2026-01-01", 1, -5_00.0, -10_00 / 3, 50_00 / 3),
            ("2026-01-01", 2, None, 0.0, 50_00 / 3),
            ("2026-01-01", 3, 20_00.0, 20_00 / 3, 70_00 / 3),
        ),
    )


def test_a_period_counts_from_its_last_day_on(spark):
    visits = [("anna", "2026-01-31", 1_00)]
    names = ("period_index", "eligible", "active", "active_so_far", "retention", "is_complete")
    assert_rows(cohorts_of(spark, visits, "2026-02-27"), sums(
        names, (0, 1, 1, 1, 1.0, True), (1, 0, 0, 0, None, False)))  # fmt: skip
    assert_rows(cohorts_of(spark, visits, "2026-02-28"), sums(
        names, (0, 1, 1, 1, 1.0, True), (1, 1, 0, 0, 0.0, True)))  # fmt: skip
    assert_rows(cohorts_of(spark, visits, "2026-01-31"), sums(names, (0, 1, 1, 1, 1.0, True)))


def test_weeks_begin_on_the_configured_day(spark):
    # 2026-01-04 is a Sunday: the last day of a week from Monday, the first of one from Sunday.
    visits = [("anna", "2026-01-04", 1_00), ("anna", "2026-01-05", 1_00)]
    names = ("grain", "cohort", "period_index", "active", "active_so_far")
    assert_rows(cohorts_of(spark, visits, "2026-01-11", "week"), sums(
        names, ("week", "2025-12-29", 0, 1, 1), ("week", "2025-12-29", 1, 1, 1)))  # fmt: skip
    assert_rows(
        cohorts_of(spark, visits, "2026-01-11", "week", "sunday"),
        sums(names, ("week", "2026-01-04", 0, 1, 1), ("week", "2026-01-04", 1, 0, 0)),
    )


def test_cohorts_by_year_and_by_day(spark):
    visits = [("anna", f"{year}-12-31", 1_00) for year in (2022, 2023, 2025)]
    visits += [("ben", "2022-12-30", 1_00), ("ben", "2022-12-31", 1_00), ("ben", "2024-01-01", 1)]
    names = ("cohort", "period_index", "active", "retained", "reactivated", "skipped")
    by_year = cohorts_of(spark, visits, "2025-12-31", "year")
    assert_rows(by_year, sums(
        names,
        ("2022-01-01", 0, 2, 0, 0, 0), ("2022-01-01", 1, 1, 1, 0, 1),
        ("2022-01-01", 2, 1, 0, 1, 1), ("2022-01-01", 3, 1, 0, 1, 1)))  # fmt: skip
    by_day = cohorts_of(spark, visits, "2022-12-31", "day")
    assert_rows(by_day, sums(
        names,
        ("2022-12-30", 0, 1, 0, 0, 0), ("2022-12-30", 1, 1, 1, 0, 0),
        ("2022-12-31", 0, 1, 0, 0, 0)))  # fmt: skip


def test_week_numbers_run_across_years(spark):
    visits = [("anna", "2024-12-30", 1_00), ("anna", "2026-01-01", 1_00)]
    rows = cohorts_of(spark, visits, "2026-01-04", "week")
    periods = sorted((row["period_index"], row["active"]) for row in rows)
    assert periods == [(0, 1), *[(k, 0) for k in range(1, 52)], (52, 1)]


GRAINS = ("day", "week", "month", "year")


def some_receipts(chance, first, last, customers):
    span = (last - first).days + 1
    return [
        (
            chance.choice([None, *"abcdefgh"[:customers]]),
            str(first + timedelta(days=chance.randrange(span))),
            chance.choice([-5_00, 3_00, 7_00]),
        )
        for _ in range(60)
    ]


@pytest.mark.parametrize(
    ("then", "now", "week_start"),
    [
        (date(2025, 10, 1), date(2025, 12, 5), "monday"),
        (date(2025, 12, 5), date(2025, 10, 4), "sunday"),  # an earlier day is told later
    ],
)
def test_periods_that_stand_and_those_followed_anew_make_the_same_cohorts(
    spark, then, now, week_start
):
    chance = random.Random(then.month)
    periods = [Periods(grain, week_start) for grain in GRAINS]
    periods += [Periods(grain, week_start, span_days=10) for grain in ("week", "month")]
    changed = date(2025, 3, 1) + timedelta(days=chance.randrange(20, 200))
    stays = some_receipts(chance, date(2024, 2, 1), changed - timedelta(days=1), 5)
    before, after = (
        facts_of(
            days_of(spark, stays + some_receipts(chance, changed, date(2025, 12, 20), customers))
        )
        for customers in (7, 8)
    )
    stored = followed_up(before, then, periods)
    for until in (changed, min(then, now, changed + timedelta(days=200))):
        facts = after if until == changed else before
        expected = followed_up(facts, now, periods).collect()
        found = followed_up(facts, now, periods, standing=Standing(stored, until)).collect()
        assert sorted(found, key=str) == sorted(expected, key=str)
