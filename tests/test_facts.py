"""Facts add up to the day and the year."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support import assert_rows, rows_of
from support.receipts import a_return, receipt, sums

from rfm_spark.facts.tables import CUSTOMER_YEARS
from rfm_spark.facts.transforms import (
    customer_day_categories,
    customer_day_events,
    customer_days,
    customer_years,
)
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.receipts import RECEIPTS

NAMES = ("customer_id", "day", "year", "receipts", "visits", "returns", "items", "net_cents",
         "gross_cents", "promo_visits")  # fmt: skip


def test_a_day_holds_the_sums_of_its_receipts(spark):
    receipts = [
        receipt("anna", "2026-01-15", 10_00, 3, has_promotion=True),
        receipt("anna", "2026-01-15", 5_00, 1, is_return=True, gross_cents=7_00),
        a_return("anna", "2026-01-15", -4_00) | {"has_promotion": True},
        receipt("anna", "2025-12-31", 0),
        receipt("ben", "2026-01-15", 1_00, has_promotion=True),
    ]
    assert_rows(
        customer_days(rows_of(spark, RECEIPTS, receipts)),
        sums(
            NAMES,
            ("anna", "2026-01-15", 2026, 3, 2, 2, 3, 11_00, 17_00, 1),
            ("anna", "2025-12-31", 2025, 1, 1, 0, 1, 0, 0, 0),
            ("ben", "2026-01-15", 2026, 1, 1, 0, 1, 1_00, 1_00, 1),
        ),
    )


def test_all_guests_are_one_row_a_day(spark):
    receipts = [receipt(None, "2026-01-15", 1_00), receipt(None, "2026-01-15", 2_00),
                receipt(None, "2026-01-16", 4_00)]  # fmt: skip
    assert_rows(
        customer_days(rows_of(spark, RECEIPTS, receipts)),
        [
            {"customer_id": None, "day": "2026-01-15", "receipts": 2, "net_cents": 3_00},
            {"customer_id": None, "day": "2026-01-16", "receipts": 1, "net_cents": 4_00},
        ],
    )


@pytest.mark.parametrize("status", ["superseded", "void"])
def test_only_current_versions_count(spark, status):
    tea = [("tea", 1, 10_00)]
    old = receipt("anna", "2026-01-15", categories=tea) | {"status": status}
    receipts = rows_of(spark, RECEIPTS, [old, receipt("ben", "2026-01-15", 3_00, categories=tea)])
    assert_rows(customer_days(receipts), [{"customer_id": "ben", "receipts": 1}])
    assert_rows(customer_day_categories(receipts), [{"customer_id": "ben", "items": 1}])
    events = [
        {"customer_id": "anna", "kind": "click", "business_date": "2026-01-15", "status": status}
    ]
    assert customer_day_events(rows_of(spark, INTERACTIONS, events)).isEmpty()


def test_a_year_adds_its_days_up_and_knows_its_first_and_last_visit(spark):
    receipts = [
        a_return("anna", "2025-01-02", -1_00),
        receipt("anna", "2025-03-01", 10_00),
        receipt("anna", "2025-03-01", 10_00),
        receipt("anna", "2025-11-30", 10_00),
        a_return("anna", "2025-12-31", -2_00),
        a_return("anna", "2026-01-01", -3_00),
        receipt(None, "2025-06-01", 7_00),
    ]
    years = customer_years(customer_days(rows_of(spark, RECEIPTS, receipts)))
    names = ("customer_id", "year", "receipts", "visits", "returns", "net_cents", "visit_days",
             "first_visit", "last_visit")  # fmt: skip
    assert_rows(
        years,
        sums(
            names,
            ("anna", 2025, 5, 3, 2, 27_00, 2, "2025-03-01", "2025-11-30"),
            ("anna", 2026, 1, 0, 1, -3_00, 0, None, None),
            (None, 2025, 1, 1, 0, 7_00, 1, "2025-06-01", "2025-06-01"),
        ),
    )
    assert set(years.columns) == set(CUSTOMER_YEARS.column_names)


def test_categories_add_up_by_customer_and_day(spark):
    receipts = [
        receipt("anna", "2026-01-15", categories=[("cups", 1, 9_00), ("tea", 2, 3_00)]),
        receipt("anna", "2026-01-15", categories=[("tea", -1, -1_50)]),
        receipt(None, "2026-01-15", categories=[("tea", 1, 1_50)]),
        receipt("ben", "2026-01-15", categories=None),
    ]
    assert_rows(
        customer_day_categories(rows_of(spark, RECEIPTS, receipts)),
        sums(
            ("customer_id", "day", "year", "category", "items", "net_cents"),
            ("anna", "2026-01-15", 2026, "cups", 1, 9_00),
            ("anna", "2026-01-15", 2026, "tea", 1, 1_50),
            (None, "2026-01-15", 2026, "tea", 1, 1_50),
        ),
    )


def test_events_are_counted_by_kind_and_their_values_added(spark):
    clicks = [{"kind": "click", "value": Decimal("1.5")}, {"kind": "click", "value": None},
              {"kind": "card", "value": None}]  # fmt: skip
    common = {"customer_id": "anna", "business_date": "2026-01-15", "status": "current"}
    events = customer_day_events(rows_of(spark, INTERACTIONS, [common | one for one in clicks]))
    assert_rows(
        events,
        sums(
            ("customer_id", "day", "kind", "events", "value"),
            ("anna", "2026-01-15", "click", 2, Decimal("1.5")),
            ("anna", "2026-01-15", "card", 1, None),
        ),
    )
