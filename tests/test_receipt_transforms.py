"""Lines of receipts: money, returns, visits, guests, ids, and why a line is turned away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql.types import DoubleType, NullType, StringType, StructField, StructType
from support import assert_rows

from rfm_spark.ingest.rows.business_time import Calendar
from rfm_spark.ingest.rows.receipt_lines import ReceiptRules, receipt_lines
from rfm_spark.ingest.rows.rules import SEPARATOR, AllowedDays

RULES = ReceiptRules(
    calendar=Calendar("UTC", 0, "UTC"),
    time_format=None,
    minor_unit_digits=2,
    guest_ids=("0", "GUEST"),
    one_row_per_receipt=False,
    zero_is_visit=True,
    id_prefix="",
    days=AllowedDays(date(2020, 1, 1), date(2026, 12, 31), date(2026, 12, 31)),
)
ONE_ROW = replace(RULES, one_row_per_receipt=True)
WITHOUT_ZERO = replace(RULES, zero_is_visit=False)

BASE = {
    "delivery": "a.csv",
    "file": "a.csv",
    "raw": "{}",
    "turned_away": "",
    "is_dropped": False,
    "receipt_id": "r1",
    "customer_id": "anna",
    "time": "2026-01-15 10:00:00",
    "quantity": "1",
    "unit_price": "2.50",
    "amount": None,
    "items": None,
    "category": None,
    "promotion": None,
    "store_id": None,
    "channel": None,
    "is_return": None,
    "is_void": None,
    "version": None,
}
OPTIONAL = (
    "amount",
    "items",
    "category",
    "promotion",
    "store_id",
    "channel",
    "is_return",
    "is_void",
    "version",
)


def line(**fields):
    assert not set(fields) - set(BASE), f"no such field in {fields}"
    return BASE | fields


def paid(amount, quantity="1", **fields):
    """A line with its amount given, and no price."""
    return line(amount=amount, quantity=quantity, unit_price=None, **fields)


def lines_of(spark, rows, rules=RULES):
    """Lines of delivered rows; a field that is NULL in all rows is not mapped."""
    unmapped = {
        name for name in (*OPTIONAL, "quantity", "unit_price") if all(r[name] is None for r in rows)
    }
    floats = {name for name in BASE if any(isinstance(row[name], float) for row in rows)}
    kinds = {name: NullType() for name in unmapped} | {name: DoubleType() for name in floats}
    schema = StructType([StructField(name, kinds.get(name, StringType())) for name in BASE])
    return receipt_lines(
        spark.createDataFrame([tuple(row.values()) for row in rows], schema), rules
    )


def found(spark, rows, *names, rules=RULES):
    return [tuple(row) for row in lines_of(spark, rows, rules).select(*names).collect()]


def cents(spark, rows, rules=RULES):
    return [value for (value,) in found(spark, rows, "cents", rules=rules)]


def test_money_is_rounded_half_even_on_the_line(spark):
    prices = ["0.005", "0.015", "0.025", "-0.015", "2.675", "2.665", "2.6750001", "999999999.99"]
    assert cents(spark, [line(unit_price=price) for price in prices]) == [
        0, 2, 2, -2, 268, 266, 268, 99999999999,
    ]  # fmt: skip


def test_money_is_multiplied_before_it_is_rounded(spark):
    # 3 x 0.335 = 1.005, half-even 1.00; a price rounded first would give 1.02.
    assert cents(spark, [line(quantity="3", unit_price="0.335")]) == [1_00]
    assert cents(spark, [line(quantity="0.333333", unit_price="0.3")]) == [10]


def test_a_double_is_its_shortest_decimal_text(spark):
    # 1.15 as a double lies below 1.15, 2.675 below 2.675: binary arithmetic would give 267.
    prices = [1.15, 0.29, 2.675, 1.005, 0.1 + 0.2, -1.15, 1e-7, 4503599627.37]
    assert cents(spark, [line(unit_price=price) for price in prices]) == [
        115, 29, 268, 100, 30, -115, 0, 450359962737,
    ]  # fmt: skip


def test_minor_units_are_as_many_digits_as_the_currency_has(spark):
    rows = [line(unit_price="1234.5678")]
    assert cents(spark, rows, replace(RULES, minor_unit_digits=0)) == [1235]
    assert cents(spark, rows, replace(RULES, minor_unit_digits=3)) == [1234568]


def test_a_line_of_negative_quantity_is_a_return(spark):
    rows = [line(quantity="-2"), paid("-5.00", "-2"), paid("5.00", "-2")]
    names = ("cents", "items", "is_return", "is_visit")
    assert found(spark, rows[:1], *names) == [(-5_00, -2, True, False)]
    assert found(spark, rows[1:], *names) == [(-5_00, -2, True, False)] * 2


def test_a_negative_price_with_positive_quantity_is_a_discount(spark):
    rows = [line(unit_price="-3.00"), line(quantity="2", unit_price="-1.50")]
    names = ("cents", "items", "is_return", "is_visit")
    assert found(spark, rows, *names) == [(-3_00, 1, False, False), (-3_00, 2, False, False)]


def test_a_configured_predicate_decides_what_is_a_return(spark):
    rows = [
        line(quantity="2", is_return="true"),
        line(quantity="2", is_return="false"),
        line(quantity="2", is_return=None),
    ]
    assert found(spark, rows, "cents", "items", "is_return", "is_visit") == [
        (-5_00, -2, True, False),
        (5_00, 2, False, True),
        (5_00, 2, False, True),
    ]


def test_a_receipt_of_one_row_is_a_return_by_its_amount(spark):
    rows = [paid("-0.01"), paid("0.00"), paid("7.00", "3")]
    assert found(spark, rows, "cents", "is_return", "is_visit", rules=ONE_ROW) == [
        (-1, True, False),
        (0, False, True),
        (7_00, False, True),
    ]


@pytest.mark.parametrize(("rules", "is_visit"), [(RULES, True), (WITHOUT_ZERO, False)])
def test_zero_is_a_visit_unless_a_setting_says_otherwise(spark, rules, is_visit):
    rows = [line(unit_price="0"), line(quantity="0"), line(unit_price="0.004"), line()]
    expected = [is_visit, is_visit, is_visit, True]
    assert [visit for (visit,) in found(spark, rows, "is_visit", rules=rules)] == expected


def test_a_guest_is_null_blank_or_one_of_the_configured_ids(spark):
    ids = [None, "", "  \t", "0", " 0 ", "GUEST", "guest", "00", "anna"]
    customers = [
        customer for (customer,) in found(spark, [line(customer_id=i) for i in ids], "customer_id")
    ]
    assert customers == [None, None, None, None, None, None, "guest", "00", "anna"]


def test_ids_are_trimmed_and_nothing_else_is_changed(spark):
    ids = [" 007 ", "AbC", "abc", 'he said "hi"', "a;b,c", "O'Hara", "1.0a", "\tx\n", "ñ", "a  b",
           "y\r", " z"]  # fmt: skip
    kept = ["007", "AbC", "abc", 'he said "hi"', "a;b,c", "O'Hara", "1.0a", "x", "ñ", "a  b",
            "y", "z"]  # fmt: skip
    rows = [line(receipt_id=one, customer_id=one) for one in ids]
    assert found(spark, rows, "receipt_id", "customer_id") == [(one, one) for one in kept]
    assert {why for (why,) in found(spark, rows, "reasons")} == {""}


def test_what_is_not_named_has_its_default(spark):
    names = ("category", "has_promotion", "is_void", "store_id", "channel", "items")
    assert found(spark, [line()], *names) == [("unknown", False, False, None, None, 1)]
    rows = [
        line(category=" Tea ", promotion="true", is_void="true", store_id=" 07 ", channel="web"),
        line(category="  "),
    ]
    assert found(spark, rows, *names[:5]) == [
        ("Tea", True, True, "07", "web"),
        ("unknown", False, False, None, None),
    ]


def test_items_are_whole_pieces_and_a_weighed_line_is_one(spark):
    rows = [line(quantity=q) for q in ("3", "2.0", "0.734", "-0.5", "-4", "0")]
    assert [n for (n,) in found(spark, rows, "items")] == [3, 2, 1, -1, -4, 0]
    assert found(spark, [line(quantity="9000", items="1")], "items", "cents") == [(1, 22500_00)]


def test_the_time_gives_instant_and_business_day(spark):
    rules = replace(RULES, calendar=Calendar("America/New_York", 0, "UTC"))
    (row,) = lines_of(spark, [line(time="2026-01-15 03:00:00")], rules).collect()
    assert row["business_date"] == date(2026, 1, 14)


REJECTED = [
    (line(receipt_id=None), "receipt_id_missing"),
    (line(receipt_id=" \t"), "receipt_id_missing"),
    (line(time=None), ""),  # it has that of its receipt
    (line(time="  "), ""),
    (line(time="last week"), "time_unreadable"),
    (line(time="12:30"), "time_unreadable"),
    (line(time="2026-02-30"), "time_unreadable"),
    (line(time="2019-12-31"), "date_out_of_range"),
    (line(time="2027-01-01"), "date_out_of_range"),
    (line(quantity=None), "quantity_missing"),
    (line(quantity="two"), "quantity_not_a_number"),
    (line(unit_price=" "), "unit_price_missing"),
    (line(unit_price="2,50"), "unit_price_not_a_number"),
    (line(unit_price="NaN"), "unit_price_not_a_number"),
    (line(quantity="90000000000", unit_price="90000000000"), "amount_out_of_range"),
    (line(quantity="300000000", unit_price="300000000"), "amount_out_of_range"),  # two overflow
    (line(quantity="1", unit_price="100000000000"), "amount_out_of_range"),
    (line(quantity="1", unit_price="99999999999.99"), ""),
    (line(quantity="1", unit_price="-99999999999.99"), ""),
    (line(turned_away="bad_debt"), "bad_debt"),
    (line(time="12:30", quantity="x", turned_away=f"bad_debt{SEPARATOR}test_shop"),
     "time_unreadable,quantity_not_a_number,bad_debt,test_shop"),
    (line(time="2020-01-01"), ""),
    (line(time="2026-12-31 23:59:59"), ""),
]  # fmt: skip


def test_a_rejected_line_names_every_rule_it_breaks(spark):
    reasons = [why for (why,) in found(spark, [row for row, _ in REJECTED], "reasons")]
    assert [why.replace(SEPARATOR, ",") for why in reasons] == [why for _, why in REJECTED]


def test_a_day_that_has_not_come_is_an_error(spark):
    days = AllowedDays(date(2020, 1, 1), date(2026, 12, 31), date(2026, 6, 30))
    rows = [line(time=day) for day in ("2026-06-30", "2026-07-01", "2027-01-01")]
    found = lines_of(spark, rows, replace(RULES, days=days)).collect()
    assert [row["reasons"] for row in found] == ["", "date_in_future", "date_out_of_range"]


def test_a_whole_receipt_needs_a_time(spark):
    rows = lines_of(spark, [line(time=None), line(time="  "), line()], ONE_ROW).collect()
    assert [row["reasons"] for row in rows] == ["time_missing", "time_missing", ""]


def test_a_given_amount_is_checked_like_a_price(spark):
    rows = [
        paid(None),
        paid("free"),
        paid("1.00", quantity="two"),
        paid("1.00", quantity=None),
        paid("1.00", items="some"),
        paid("1.00", items="2"),
    ]
    assert [why for (why,) in found(spark, rows, "reasons")] == [
        "amount_missing",
        "amount_not_a_number",
        "quantity_not_a_number",
        "",
        "items_not_a_number",
        "",
    ]


def test_the_money_of_an_unreadable_line_is_zero_and_of_a_rejected_one_is_kept(spark):
    rows = [line(unit_price="x"), line(time="12:30"), line(turned_away="bad_debt")]
    assert cents(spark, rows) == [0, 2_50, 2_50]


def test_every_delivered_row_gives_one_line(spark):
    rows = [line(), line(), line(quantity="x")]
    assert_rows(
        lines_of(spark, rows),
        [
            {"receipt_id": "r1", "delivery": "a.csv", "cents": 2_50, "reasons": ""},
            {"receipt_id": "r1", "delivery": "a.csv", "cents": 2_50, "reasons": ""},
            {
                "receipt_id": "r1",
                "delivery": "a.csv",
                "cents": 0,
                "reasons": "quantity_not_a_number",
            },
        ],
    )


def test_money_is_rounded_once(spark):
    rows = [
        line(quantity="1000000", unit_price="0.00000125"),
        line(quantity="2500", unit_price="0.0123456"),
        line(quantity="0.00000125", unit_price="1000000"),
        line(quantity="1", unit_price="20000000000"),  # of a currency without cents
    ]
    assert found(spark, rows, "cents") == [(1_25,), (30_86,), (1_25,), (20_000_000_000_00,)]
    # Cut to six digits first, it would be 2.005: half-even 2.00.
    assert found(spark, [line(amount="2.0050000001")], "cents") == [(2_01,)]


def test_a_version_is_a_number_or_a_time_and_comes_last_where_it_cannot_be_read(spark):
    texts = ["9", " 10 ", "-1.5", "2026-01-05 10:00:00", "2026-01-05T11:00:00+02:00", "", "soon"]
    rows = [paid("1.00", version=text) for text in texts]
    found_rows = found(spark, rows, "version", "reasons", rules=ONE_ROW)
    nine, ten, less, later, earlier, none, unreadable = (row[0] for row in found_rows)
    assert (less, nine, ten, none) == (Decimal("-1.5"), 9, 10, None)
    assert 0 < later - earlier == 3600 * 10**6
    assert unreadable > later
    assert [row[1] for row in found_rows] == [*[""] * 6, "version_unreadable"]
