"""What holds of the cohorts of any shop: many small ones are drawn, and followed in one pass."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support import rows_of
from support.cohorts import FIRST_VISIT, facts_of, followed_up

from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.cohorts.activity import CELL, cells
from rfm_spark.results.cohorts.cuts import KEY, cube, cut_columns, cut_problems, uncut
from rfm_spark.results.cohorts.members import DAY_KEY, members, members_by_day
from rfm_spark.results.cohorts.periods import Periods
from rfm_spark.results.cohorts.retention import cohorts, data_begin
from rfm_spark.results.cohorts.standing import Standing

SHOPS = 60
FIRST, THEN, NOW = date(2024, 11, 20), date(2025, 1, 25), date(2025, 3, 4)
OF_CALENDAR = (Periods("month", "monday"), Periods("week", "sunday"))
ROLLING = (Periods("week", "sunday", span_days=10), Periods("month", "monday", span_days=28))
PERIODS = (*OF_CALENDAR, *ROLLING, Periods("month", "monday", last_days=(0, 7, 30)))
PLACE = ["shop", "origin", "grain", "kind", "cohort", "period_index"]
CUTS = ("shop", "region")

CUSTOMERS_OF_A_SHOP, SPAN = 5, (NOW - FIRST).days


def a_day(least_visits: int, least_cents: int) -> st.SearchStrategy[tuple[int, int, int, int]]:
    """Customer, days since the first, visits and money."""
    return st.tuples(
        st.integers(0, CUSTOMERS_OF_A_SHOP - 1),
        st.integers(0, SPAN),
        st.integers(least_visits, 2),
        st.integers(least_cents, 20_00),
    )


def days_of_a_shop(least_visits: int, least_cents: int) -> st.SearchStrategy[list]:
    return st.lists(a_day(least_visits, least_cents), max_size=20, unique_by=lambda one: one[:2])


def a_row(customer: str, after: int, visits: int, cents: int) -> dict:
    return {
        "customer_id": customer, "day": FIRST + timedelta(days=after), "receipts": 1,
        "visits": visits, "returns": int(visits == 0), "net_cents": cents,
    }  # fmt: skip


@pytest.fixture(scope="module")
def shops() -> list[list[dict]]:
    """The days of every shop, of which every other one takes nothing back."""
    drawn: list[list[dict]] = []

    @settings(
        max_examples=SHOPS // 2,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(days_of_a_shop(0, -10_00), days_of_a_shop(1, 0))
    def draw(with_returns, without):
        for days in (with_returns, without):
            shop = str(len(drawn))
            drawn.append([a_row(f"{shop}-{customer}", *rest) for customer, *rest in days])

    draw()
    assert len(drawn) == SHOPS
    return drawn


def attributes_of(name: str) -> dict[str, str | None]:
    shop, _, customer = name.partition("-")
    return {"shop": shop, "region": customer if customer > "1" else None}


def facts_until(spark, shops, last):
    days = [row for days in shops for row in days if row["day"] <= last]
    people = [
        {"customer_id": name, "delivery": "d", "attributes": attributes_of(name)}
        for name in sorted({row["customer_id"] for row in days})
    ]
    return facts_of(rows_of(spark, CUSTOMER_DAYS, days), None, rows_of(spark, CUSTOMERS, people))


def told(spark, facts, as_of):
    """Cohorts of all shops together, and cut, as rows on the driver; they add up."""
    followed, by = [FIRST_VISIT], cut_columns(CUTS)
    known = members(facts, as_of, followed, cuts=CUTS).persist()
    by_day = members_by_day(known, followed, by).persist()
    found = cells(facts.days, None, known, as_of, followed, PERIODS, by).persist()
    begin = data_begin(facts.years, None)
    whole = cohorts(
        uncut(found, CUTS, CELL), uncut(by_day, CUTS, DAY_KEY), begin, as_of, followed, PERIODS
    ).persist()
    cut = cohorts(
        cube(found, CUTS, CELL), cube(by_day, CUTS, DAY_KEY), begin, as_of, followed, PERIODS, KEY
    ).persist()
    assert list(cut_problems(whole, cut)) == []
    return whole.toPandas(), cut.toPandas()


@pytest.fixture(scope="module")
def then(spark, shops):
    return told(spark, facts_until(spark, shops, THEN), THEN)


@pytest.fixture(scope="module")
def now(spark, shops):
    return told(spark, facts_until(spark, shops, NOW), NOW)


def by_shop(cut: pd.DataFrame) -> pd.DataFrame:
    own = cut[cut["cut"] == "shop"].rename(columns={"value": "shop"})
    return own.sort_values(PLACE).set_index(PLACE)


BOUNDED = ["cohort_size", "begun", "eligible", "active", "active_so_far", "retention",
           "retention_low", "retention_high", "receipts", "revenue_cents", "returns",
           "cumulative_revenue_per_customer_cents", "new", "retained", "reactivated", "skipped",
           "activities", "before_origin"]  # fmt: skip
"""What a period that is over for all says for ever; who comes later still is in no such column."""


def test_days_that_come_change_no_period_that_is_complete(then, now):
    before = by_shop(then[1])
    before = before[before["is_complete"]]
    after = by_shop(now[1]).loc[before.index]
    pd.testing.assert_frame_equal(before[BOUNDED], after[BOUNDED])
    assert after["is_complete"].all()
    assert (before["active"] > 0).sum() > 50
    assert len(set(before.index.get_level_values("kind"))) == 4
    grown = after["active_on_or_after"] - before["active_on_or_after"]
    assert grown.min() == 0 < grown.max()


def test_sizes_add_up_to_who_has_come(shops, now):
    cut = by_shop(now[1]).reset_index()
    sizes = cut[cut["period_index"] == 0].groupby(["shop", "grain", "kind"])["cohort_size"].sum()
    for place, days in enumerate(shops):
        came = {row["customer_id"] for row in days if row["visits"]}
        for periods in PERIODS:
            assert sizes.get((str(place), periods.grain, periods.kind), 0) == len(came)


def test_money_of_a_cohort_never_falls_where_nothing_is_brought_back(now):
    cut = by_shop(now[1])
    keeps = cut.index.get_level_values("shop").astype(int) % 2 == 1
    steps = cut["cumulative_revenue_per_customer_cents"].groupby(level=PLACE[:-1]).diff().dropna()
    kept = steps[keeps[cut.index.get_indexer(steps.index)]]
    assert kept.min() == 0
    assert steps.min() < 0


ADDITIVE = ["cohort_size", "eligible", "active", "active_so_far", "active_on_or_after", "receipts",
            "revenue_cents", "new", "retained", "reactivated", "skipped"]  # fmt: skip


@pytest.mark.parametrize("cut", ["shop", "region", "shop x region"])
def test_values_of_a_cut_add_up_to_the_uncut_cohorts(now, cut):
    whole, cuts = now
    cell = PLACE[1:]
    own = cuts[cuts["cut"] == cut]
    # Of members by their own days some values have not begun a period that others have.
    calendar = own[own["kind"] == "calendar"].groupby(cell)[ADDITIVE].sum()
    wanted = whole[whole["kind"] == "calendar"].set_index(cell)[ADDITIVE].sort_index()
    pd.testing.assert_frame_equal(calendar, wanted)
    money = [frame.groupby("kind")["revenue_cents"].sum() for frame in (own, whole)]
    pd.testing.assert_series_equal(*money)


@pytest.mark.parametrize("until", [date(2024, 12, 8), THEN])
def test_cohorts_that_are_continued_are_those_made_anew(spark, shops, until):
    divisions = (*OF_CALENDAR, *ROLLING)
    changed = [[row for row in days if row["day"] < until] for days in shops]
    standing = followed_up(facts_until(spark, changed, THEN), THEN, divisions)
    facts = facts_until(spark, shops, NOW)
    found = followed_up(facts, NOW, divisions, standing=Standing(standing, until))
    anew = followed_up(facts, NOW, divisions)
    assert sorted(found.collect(), key=str) == sorted(anew.collect(), key=str)
