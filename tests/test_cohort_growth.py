"""Growth says how many customers there are at the end of every period, and why."""

from __future__ import annotations

import random
from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest
from reference.windows import first_day, last_day, period_number
from support import assert_rows, rows_of
from support.cohorts import facts_of
from support.receipts import sums

from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.results.cohorts.growth import growth, growth_problems, turns
from rfm_spark.results.cohorts.members import history
from rfm_spark.results.cohorts.tables import COHORT_GROWTH

GRAINS = ["day", "week", "month", "year"]
FIRST = date(2019, 12, 20)


def growth_of(spark, days, as_of, lost_after=365, grains=GRAINS):
    facts = facts_of(rows_of(spark, CUSTOMER_DAYS, days))
    found = turns(history(facts, as_of), lost_after).persist()
    whole = growth(found, as_of, lost_after, grains, "sunday").persist()
    assert set(whole.columns) == set(COHORT_GROWTH.column_names)
    assert list(growth_problems(whole, found, as_of, lost_after)) == []
    return whole


def came(customer, *days, visits=1):
    return [{"customer_id": customer, "day": day, "visits": visits} for day in days]


def test_a_customer_is_lost_on_the_day_after_the_last_that_counts(spark):
    days = [
        *came("anna", "2023-01-10", "2024-01-10"),  # 365 days: still there
        *came("ben", "2023-01-10", "2024-01-11"),  # away on no day: it comes on the 366th
        *came("cleo", "2023-01-10", "2024-01-12"),  # lost on the 11th, back on the 12th
        *came("dora", "2023-01-10", "2024-02-01"),
        *came("eve", "2023-01-10", visits=0),  # brought something back, was never a customer
        *came(None, "2023-01-10", "2024-05-01"),
    ]
    names = ("period", "base_before", "new", "reactivated", "lost", "base", "is_complete")
    whole = growth_of(spark, days, date(2024, 2, 15))
    assert_rows(
        whole.where("grain = 'month' AND (new + reactivated + lost > 0 OR NOT is_complete)"),
        sums(
            names,
            ("2023-01-01", 0, 4, 0, 0, 4, True),
            ("2024-01-01", 4, 0, 0, 1, 3, True),
            ("2024-02-01", 3, 0, 1, 0, 4, False),
        ),
    )
    assert_rows(
        whole.where("grain = 'day' AND reactivated + lost > 0"),
        sums(
            names,
            ("2024-01-11", 4, 0, 0, 2, 2, True),
            ("2024-01-12", 2, 0, 1, 0, 3, True),
            ("2024-02-01", 3, 0, 1, 0, 4, True),
        ),
    )


BASE = """
SELECT p.first AS period, p.last <= $as_of AS is_complete,
       count(*) FILTER (before) AS base_before,
       count(*) FILTER (c.first_visit BETWEEN p.first AND p.last) AS new,
       count(*) FILTER (now AND NOT before AND c.first_visit < p.first) AS reactivated,
       count(*) FILTER (before AND NOT now) AS lost,
       count(*) FILTER (now) AS base
FROM periods p, (SELECT customer_id, min(day) AS first_visit FROM v GROUP BY ALL) c,
     LATERAL (SELECT
        coalesce(bool_or(day < p.first AND day >= p.first - 1 - $lost_after), false) AS before,
        coalesce(bool_or(day <= p.last AND day >= least(p.last, $as_of) - $lost_after), false)
            AS now
     FROM v WHERE v.customer_id = c.customer_id)
GROUP BY ALL
"""


@pytest.mark.parametrize(
    ("as_of", "lost_after"), [(date(2024, 9, 18), 365), (date(2024, 2, 29), 400)]
)
def test_growth_is_that_of_every_periods_end_looked_at_by_itself(spark, as_of, lost_after):
    chance = random.Random(lost_after)
    days = [
        {
            "customer_id": chance.choice("abcdefgh"),
            "day": str(FIRST + timedelta(days=chance.randrange(2000))),
            "visits": chance.choice([0, 1, 1, 2]),
        }
        for _ in range(40)
    ]
    days = list({(row["customer_id"], row["day"]): row for row in days}.values())
    found = growth_of(spark, days, as_of, lost_after).toPandas()
    con = duckdb.connect()
    frame = pd.DataFrame(days)
    con.register("rows", frame)
    con.execute(
        "CREATE TABLE v AS SELECT customer_id, day::DATE AS day FROM rows"
        f" WHERE visits > 0 AND day::DATE <= DATE '{as_of}'"
    )
    [(begin,)] = con.execute("SELECT min(day) FROM v").fetchall()
    for grain in GRAINS:
        numbers = range(
            period_number(begin, grain, "sunday"), period_number(as_of, grain, "sunday") + 1
        )
        spans = [(first_day(n, grain, "sunday"), last_day(n, grain, "sunday")) for n in numbers]
        con.execute("CREATE OR REPLACE TABLE periods (first DATE, last DATE)")
        con.executemany("INSERT INTO periods VALUES (?, ?)", spans)
        expected = con.execute(BASE, {"as_of": as_of, "lost_after": lost_after}).df()
        expected["period"] = expected["period"].dt.date
        own = found[found["grain"] == grain][list(expected.columns)]
        told, wanted = (f.sort_values("period").reset_index(drop=True) for f in (own, expected))
        pd.testing.assert_frame_equal(told, wanted, check_dtype=False, obj=grain)


def test_a_week_is_compared_with_the_one_52_weeks_before_and_a_running_one_with_none(spark):
    days = [
        *came("anna", "2023-01-08"), *came("ben", "2024-01-07"), *came("cleo", "2024-01-13"),
        *came("dora", "2024-01-14"),
    ]  # fmt: skip
    whole = growth_of(spark, days, date(2024, 1, 15), grains=["week"])  # weeks from Sunday
    names = ("period", "new", "new_year_before", "new_change_year", "is_complete")
    assert_rows(
        whole.where("period >= '2024-01-01'"),
        sums(names, ("2024-01-07", 2, 1, 1.0, True), ("2024-01-14", 1, 0, None, False)),
    )


def test_growth_that_does_not_end_with_who_is_active_is_told(spark):
    facts = facts_of(rows_of(spark, CUSTOMER_DAYS, came("anna", "2024-01-10")))
    as_of = date(2024, 2, 15)
    found = turns(history(facts, as_of), 365)
    whole = growth(found, as_of, 365, ["month"], "monday")
    assert list(growth_problems(whole, found, as_of, 365)) == []
    wrong = whole.withColumn("base", whole["base"] - 2)
    assert list(growth_problems(wrong, found, as_of, 365)) == [
        "growth by month: 2 periods",
        "growth by month: -1 at the end, of 1 active",
    ]


def test_new_customers_are_compared_with_the_period_before_and_a_year_before(spark):
    days = [
        *came("anna", "2023-01-10"), *came("ben", "2023-01-11"), *came("cleo", "2023-12-05"),
        *came("dora", "2024-01-01"), *came("eve", "2024-01-02"), *came("fay", "2024-01-03"),
    ]  # fmt: skip
    whole = growth_of(spark, days, date(2024, 1, 31), grains=["month"])
    names = ("period", "new", "new_before", "new_year_before", "new_change", "new_change_year")
    assert_rows(
        whole.where("new > 0"),
        sums(
            names,
            ("2023-01-01", 2, 0, None, None, None),
            ("2023-12-01", 1, 0, None, None, None),
            ("2024-01-01", 3, 1, 2, 2.0, 0.5),
        ),
    )
