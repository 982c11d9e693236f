"""Cohorts by any origin, activity and division of time are those of an independent computation."""

from __future__ import annotations

import random
from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest
from pyspark.sql import functions as F
from reference.followed import cohorts_by
from support import assert_rows, rows_of
from support.cohorts import facts_of, followed_up
from support.receipts import sums

from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.cohorts.activity import cells
from rfm_spark.results.cohorts.balance import problems
from rfm_spark.results.cohorts.engagement import engagement
from rfm_spark.results.cohorts.followed import Events, Followed
from rfm_spark.results.cohorts.members import members, members_by_day, not_dates
from rfm_spark.results.cohorts.periods import Periods
from rfm_spark.results.cohorts.retention import cohorts, data_begin

VISIT = Events(visits=True)
NOBODY = Events()
FOLLOWED = (
    Followed("receipt", VISIT, VISIT),
    Followed("registration", Events(kinds=("registration",)), VISIT),
    Followed("touch", Events(True, ("click", "registration")), Events(kinds=("click",))),
    Followed("anything", Events(True, None), Events(True, None)),
    Followed("signup", NOBODY, VISIT, attribute="registered_on"),
    Followed("twice", VISIT, VISIT, at_least=("visits", 2)),
    Followed("spent", Events(kinds=("registration",)), VISIT, at_least=("net_cents", 9_00)),
)
PERIODS = (
    Periods("day", "sunday"),
    Periods("week", "sunday"),
    Periods("month", "sunday"),
    Periods("year", "sunday"),
    Periods("week", "sunday", span_days=10),
    Periods("month", "sunday", span_days=28),
    Periods("month", "sunday", last_days=(0, 7, 30)),
    Periods("year", "sunday", last_days=(3, 40)),
)
FIRST, DAYS = date(2023, 11, 20), 420  # a leap day and two turns of the year


def shop_of(seed: int) -> tuple[list[dict], list[dict], list[dict]]:
    """Days of receipts, some of returns alone; days of interactions; dates of registration."""
    chance = random.Random(seed)

    def a_day() -> date:
        return FIRST + timedelta(days=int(DAYS * chance.random() ** 2))

    receipts, events = {}, {}
    for _ in range(300):
        customer, day = chance.choice([None, *"abcdefghijkl"]), a_day()
        visits = chance.choice([0, 1, 1, 2])
        receipts[customer, day] = {
            "customer_id": customer, "day": day, "receipts": max(visits, 1), "visits": visits,
            "returns": int(visits == 0), "items": 2 * visits - 1, "promo_visits": visits // 2,
            "net_cents": chance.choice([3_00, 7_00]) * visits - 2_00,
        }  # fmt: skip
    for _ in range(120):
        customer, day = chance.choice("defghijklmno"), a_day()
        kind = chance.choice(["click", "click", "registration", "card"])
        events[customer, day, kind] = {
            "customer_id": customer, "day": day, "kind": kind, "events": chance.choice([1, 3]),
        }  # fmt: skip
    dates = {name: str(a_day()) for name in "abcdxyz"} | {"e": "soon", "f": "2031-01-01"}
    people = [
        {"customer_id": name, "delivery": "d", "attributes": {"registered_on": day}}
        for name, day in dates.items()
    ]
    return list(receipts.values()), list(events.values()), people


def reference_of(shop, one: Followed) -> duckdb.DuckDBPyConnection:
    receipts, events, people = (pd.DataFrame(rows) for rows in shop)
    con = duckdb.connect()
    for name, frame in (("r", receipts), ("e", events), ("p", people)):
        con.register(name, frame)

    def is_of(some: Events, kind: str) -> str:
        kinds = "true" if some.kinds is None else f"{kind} IN ('', {str(list(some.kinds))[1:-1]})"
        return f"({some.visits} AND {kind} IS NULL OR {kind} IS NOT NULL AND {kinds})".replace(
            "'', )", "'')"
        )

    con.execute(f"""
        CREATE TABLE acts AS
        SELECT customer_id, day::DATE AS day, NULL::VARCHAR AS kind, visits, items, net_cents,
               returns, promo_visits, 0 AS n FROM r WHERE customer_id IS NOT NULL
        UNION ALL
        SELECT customer_id, day::DATE, kind, 0, 0, 0, 0, 0, events FROM e;
        CREATE TABLE events AS SELECT *, {is_of(one.activity, "kind")} AS counts FROM acts;
        CREATE TABLE origins AS
        SELECT customer_id, day FROM acts
        WHERE {is_of(one.first, "kind")} AND (visits > 0 OR kind IS NOT NULL)
    """)
    if one.attribute is not None:
        con.execute("""
            INSERT INTO origins SELECT customer_id, try_cast(attributes.registered_on AS DATE)
            FROM p WHERE try_cast(attributes.registered_on AS DATE) IS NOT NULL
        """)
    return con


@pytest.mark.parametrize(
    ("seed", "as_of"),
    [
        (1, date(2024, 9, 18)),  # a Wednesday, in the middle of every period
        (2, date(2024, 2, 29)),
        (3, date(2024, 12, 31)),
    ],
)
def test_cohorts_by_all_origins_and_divisions_of_time_in_one_pass(spark, seed, as_of):
    shop = shop_of(seed)
    tables = [CUSTOMER_DAYS, CUSTOMER_DAY_EVENTS, CUSTOMERS]
    days, events, people = (
        rows_of(spark, table, [row | {"day": str(row["day"])} if "day" in row else row
                               for row in rows])
        for table, rows in zip(tables, shop, strict=True)
    )  # fmt: skip
    found = followed_up(facts_of(days, events, people), as_of, PERIODS, FOLLOWED).toPandas()
    for one in FOLLOWED:
        con = reference_of(shop, one)
        for periods in PERIODS:
            expected = cohorts_by(
                con, as_of, periods.grain, "sunday", periods.span_days, periods.last_days,
                one.at_least,
            )  # fmt: skip
            expected["cohort"] = expected["cohort"].dt.date
            own = found[
                (found["origin"] == one.origin)
                & (found["grain"] == periods.grain)
                & (found["kind"] == periods.kind)
            ]
            key = ["cohort", "period_index"]
            told = own[list(expected.columns)].sort_values(key).reset_index(drop=True)
            wanted = expected.sort_values(key).reset_index(drop=True)
            pd.testing.assert_frame_equal(told, wanted, check_dtype=False, obj=f"{one} {periods}")


def test_what_members_did_before_their_origin_is_told_with_their_first_period(spark):
    days = [
        {"customer_id": "anna", "day": "2026-01-03", "visits": 2, "net_cents": 9_00},
        {"customer_id": "anna", "day": "2026-02-10", "visits": 1, "net_cents": 5_00},
        {"customer_id": "ben", "day": "2026-01-03", "visits": 1},  # registers never
    ]
    events = [{"customer_id": "anna", "day": "2026-02-01", "kind": "registration", "events": 1}]
    followed = [Followed("registration", Events(kinds=("registration",)), VISIT)]
    facts = facts_of(
        rows_of(spark, CUSTOMER_DAYS, days), rows_of(spark, CUSTOMER_DAY_EVENTS, events)
    )
    found = followed_up(facts, date(2026, 3, 31), [Periods("month", "monday")], followed)
    names = ("cohort", "period_index", "cohort_size", "before_origin", "activities",
             "revenue_cents")  # fmt: skip
    assert_rows(
        found,
        sums(names, ("2026-02-01", 0, 1, 2, 1, 5_00), ("2026-02-01", 1, 1, 0, 0, 0)),
    )


def test_a_bracket_is_complete_when_it_has_closed_for_the_last_member(spark):
    days = [
        {"customer_id": "anna", "day": "2026-01-01", "visits": 1},
        {"customer_id": "anna", "day": "2026-01-08", "visits": 1},
        {"customer_id": "ben", "day": "2026-01-31", "visits": 1},
    ]
    facts = facts_of(rows_of(spark, CUSTOMER_DAYS, days))
    brackets = [Periods("month", "monday", last_days=(0, 7, 30))]
    names = ("period_index", "first_day_index", "last_day_index", "eligible", "active",
             "retention", "is_complete", "active_on_or_after", "retention_on_or_after")  # fmt: skip
    assert_rows(
        followed_up(facts, date(2026, 2, 6), brackets),
        sums(
            names,
            (0, 0, 0, 2, 2, 1.0, True, 2, 1.0),
            (1, 1, 7, 1, 1, 1.0, False, 1, None),
            (2, 8, 30, 1, 0, 0.0, False, 0, None),
        ),
    )
    complete = followed_up(facts, date(2026, 2, 7), brackets).where("is_complete")
    assert_rows(complete, sums(("period_index", "retention"), (0, 1.0), (1, 0.5)))


def test_cells_that_do_not_add_up_are_told(spark):
    days = rows_of(
        spark,
        CUSTOMER_DAYS,
        [
            {"customer_id": "anna", "day": "2026-01-01", "visits": 1, "net_cents": 5_00},
            {"customer_id": "anna", "day": "2026-02-01", "visits": 1, "net_cents": 7_00},
        ],
    )
    followed, periods = FOLLOWED[:1], [Periods("month", "monday"), Periods("year", "monday")]
    facts, as_of = facts_of(days), date(2026, 3, 1)
    known = members(facts, as_of, followed)
    by_day = members_by_day(known, followed)
    found = cells(days, None, known, as_of, followed, periods).persist()
    whole = cohorts(found, by_day, data_begin(facts.years, None), as_of, followed, periods)

    def told(whole, found):
        return list(problems(whole, found, by_day, followed, periods))

    assert told(whole, found) == []
    at = "receipt by month, calendar"
    first = (F.col("grain") == "month") & (F.col("period_index") == 1)
    assert told(whole, found.where(~first)) == [
        f"{at}: 1 events, of 2",
        f"{at}: 500 in minor units of money, of 1,200",
    ]
    lost = F.when(first, 0).otherwise(F.col("retained"))
    assert told(whole.withColumn("retained", lost), found) == [f"{at}: 1 cells"]
    assert told(whole.where("grain = 'year'"), found) == [f"{at}: sizes add up to 0, of 1 members"]


def test_who_holds_no_date_is_left_out_and_counted(spark):
    dates = {"anna": "2024-01-05", "ben": "05.01.2024", "cleo": "1023-01-05", "dora": None}
    people = rows_of(
        spark,
        CUSTOMERS,
        [
            {"customer_id": name, "delivery": "d", "attributes": {"registered_on": day}}
            for name, day in dates.items()
        ],
    )
    as_of = date(2024, 3, 1)
    facts = facts_of(rows_of(spark, CUSTOMER_DAYS, []), attributes=people)
    followed = [Followed("signup", NOBODY, VISIT, "registered_on", date(1970, 1, 1))]
    assert not_dates(facts, as_of, followed) == {"signup": 2}
    found = members(facts, as_of, followed).where("origin_0 IS NOT NULL")
    assert_rows(found, sums(("customer_id", "origin_0"), ("anna", "2024-01-05")))


def test_engagement_lasts_from_the_first_activity_to_the_last(spark):
    days = [
        {"customer_id": "anna", "day": "2026-01-03", "visits": 1},  # before she registers
        {"customer_id": "anna", "day": "2026-02-12", "visits": 1},
        {"customer_id": "ben", "day": "2026-01-03", "visits": 1},  # and never since
    ]
    events = [
        {"customer_id": name, "day": "2026-02-01", "kind": "registration", "events": 1}
        for name in ("anna", "ben")
    ]
    followed = [Followed("registration", Events(kinds=("registration",)), VISIT)]
    facts = facts_of(
        rows_of(spark, CUSTOMER_DAYS, days), rows_of(spark, CUSTOMER_DAY_EVENTS, events)
    )
    as_of = date(2026, 3, 31)
    by_day = members_by_day(members(facts, as_of, followed), followed)
    names = ("cohort_size", "active", "lost", "never_active", "engagement_days_median")
    assert_rows(
        engagement(by_day, as_of, 365, [Periods("month", "monday")]),
        sums(names, (2, 1, 0, 1, 40.0)),
    )
