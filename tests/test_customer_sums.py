"""Sums of customers: in all and inside of windows, from days and from years."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from support import assert_rows, rows_of

from rfm_spark.core.look_back import EVER, LookBack
from rfm_spark.facts.asks import EVENT_VALUES, RECEIPT_HABITS, RECEIPT_VALUES, Ask, united
from rfm_spark.facts.customer_sums import CustomerFacts, customer_sums
from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.facts.transforms import customer_year_events, customer_years
from rfm_spark.results.rfm.values import Basis, rfm_values

WANTED = {
    LookBack(30): RECEIPT_VALUES,
    LookBack(365): RECEIPT_HABITS,
    LookBack(400): RECEIPT_VALUES,
    EVER: RECEIPT_HABITS,
    LookBack(ends_days_after=-30): ("visit_days", "last_visit"),
    LookBack(35, ends_days_after=-365): RECEIPT_VALUES,
    LookBack(45, ends_days_after=45): RECEIPT_VALUES,
}
ASKS = [Ask(window, names) for window, names in WANTED.items()]


def sums_in_python(days, as_of, window):
    """By customer, what is asked of one window, day by day."""
    until = as_of + timedelta(days=window.ends_days_after)
    first_day = date.min if window.days is None else until - timedelta(days=window.days - 1)
    found = {}
    for row in days:
        all_days = found.setdefault(row["customer_id"], ([], []))
        all_days[0].append(row)
        if first_day <= date.fromisoformat(row["day"]) <= until:
            all_days[1].append(row)
    return {
        customer: {
            "first_visit": _first(rows),
            "last_visit": _last([row for row in rows if row["day"] <= as_of.isoformat()]),
            "receipts": sum(row["receipts"] for row in rows),
            "net_cents": sum(row["net_cents"] for row in rows),
            **{f"{name}_{window.label}": _inside(name, inside) for name in WANTED[window]},
        }
        for customer, (rows, inside) in found.items()
    }


def _inside(name, rows):
    if name == "first_visit":
        return _first(rows)
    if name == "last_visit":
        return _last(rows)
    if name == "visit_days":
        return sum(row["visits"] > 0 for row in rows)
    return sum(row[name] for row in rows)


def _first(rows):
    return min((row["day"] for row in rows if row["visits"]), default=None)


def _last(rows):
    return max((row["day"] for row in rows if row["visits"]), default=None)


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
    edges += [as_of + timedelta(days=ahead) for ahead in (45, 46) if later_days]
    length = 1461 if later_days else (as_of - date(2022, 1, 1)).days
    others = [date(2022, 1, 1) + timedelta(days=chance.randrange(length)) for _ in range(60)]
    days = [
        {
            "customer_id": customer,
            "day": on.isoformat(),
            "visits": chance.randrange(3),
            "receipts": 3,
            "returns": chance.randrange(2),
            "items": chance.randrange(-2, 9),
            "net_cents": chance.randrange(-100, 1000),
            "promo_visits": chance.randrange(2),
        }
        for customer in ("anna", "ben", None)
        for on in sorted({*edges, *chance.sample(others, 20)})
    ]
    rows = rows_of(spark, CUSTOMER_DAYS, days)
    last_day = None if later_days else as_of
    found = customer_sums(
        CustomerFacts(rows, customer_years(rows)), as_of, ASKS, last_day
    ).collect()
    for window in WANTED:
        expected = sums_in_python(days, as_of, window)
        assert_rows(
            [
                {name: _or_nothing(name, row[name]) for name in ("customer_id", *expected[None])}
                for row in found
            ],
            [{"customer_id": customer, **sums} for customer, sums in expected.items()],
        )


def _or_nothing(name, value):
    """A sum of no days is NULL, which is nothing; a day stays unknown."""
    return 0 if value is None and not name.startswith(("first_", "last_", "customer_")) else value


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
    this_year = LookBack(as_of.timetuple().tm_yday)
    recency = (as_of - date(2025, 11, 30)).days
    asks = united(Ask(one, RECEIPT_VALUES) for one in (this_year, EVER))
    sums = customer_sums(CustomerFacts(*facts), as_of, asks, last_day)
    for window, visits in ((this_year, 3), (EVER, 5)):
        values = {"recency_days": recency, "frequency": visits, "monetary_cents": 0}
        assert_rows(rfm_values(sums, as_of, Basis(window)), [{"customer_id": "anna", **values}])


def test_interactions_are_added_up_by_kinds_and_look_back_beside_receipts(spark):
    as_of = date(2025, 3, 10)
    events = [
        {
            "customer_id": "anna",
            "day": "2025-03-10",
            "kind": "click",
            "events": 2,
            "value": Decimal(5),
        },
        {"customer_id": "anna", "day": "2025-03-01", "kind": "open", "events": 1},
        {"customer_id": "anna", "day": "2023-05-05", "kind": "it's, \n free", "events": 4},
        {
            "customer_id": "anna",
            "day": "2025-03-11",
            "kind": "click",
            "events": 9,
            "value": Decimal(9),
        },
        {
            "customer_id": "only",
            "day": "2024-07-01",
            "kind": "click",
            "events": 3,
            "value": Decimal(1),
        },
    ]
    days = rows_of(
        spark, CUSTOMER_DAYS, [{"customer_id": "anna", "day": "2025-03-09", "visits": 1}]
    )
    event_days = rows_of(spark, CUSTOMER_DAY_EVENTS, events)
    facts = CustomerFacts(days, customer_years(days), event_days, customer_year_events(event_days))
    ever = Ask(EVER, EVENT_VALUES, "interactions")
    clicks = Ask(LookBack(7), ("events",), "interactions", ("click",))
    odd = Ask(EVER, EVENT_VALUES, "interactions", ("open", "it's, \n free"))
    visits = Ask(LookBack(7), ("visits",))
    asks = united([ever, clicks, odd, visits, clicks])
    assert len({ask.column(one) for ask in asks for one in ask.measures}) == 8
    names = ("visits", "clicks", "all", "value", "last", "odd", "odd_last")
    columns = (
        visits.column("visits"),
        clicks.column("events"),
        ever.column("events"),
        ever.column("event_value"),
        ever.column("last_event"),
        odd.column("events"),
        odd.column("last_event"),
    )
    found = [
        {"customer_id": row["customer_id"]}
        | {name: row[column] for name, column in zip(names, columns, strict=True)}
        for row in customer_sums(facts, as_of, asks).collect()
    ]
    rows = [
        ("anna", 1, 2, 7, 5, "2025-03-10", 5, "2025-03-01"),
        ("only", None, None, 3, 1, "2024-07-01", None, None),
    ]
    assert_rows(found, [dict(zip(("customer_id", *names), row, strict=True)) for row in rows])
