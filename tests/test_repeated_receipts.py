"""Whole receipts of one id in one delivery: they are versions, never lines."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from support import assert_rows
from support.screen import on_screen, problems
from support.shop import RECEIPTS, Shop, line, stored

from rfm_spark.ingest.counts import DeliveryCounts, add_receipt_version_counts
from rfm_spark.ingest.rows.rules import SEPARATOR
from rfm_spark.ingest.versions.whole_receipts import (
    whole_receipt_versions,
    whole_rows_to_quarantine,
)

EQUAL, OLDER, REPEATED = "equal_line_dropped", "older_version_dropped", "receipt_id_repeated"
SCHEMA = (
    "delivery string, raw string, reasons string, is_dropped boolean, receipt_id string, "
    "customer_id string, receipt_ts timestamp, business_date date, cents bigint, items bigint, "
    "category string, is_return boolean, is_visit boolean, has_promotion boolean, "
    "is_void boolean, store_id string, channel string, version decimal(38,9)"
)
BASE = {
    "delivery": "a",
    "raw": "{}",
    "reasons": "",
    "is_dropped": False,
    "receipt_id": "r1",
    "customer_id": "ada",
    "cents": 1_00,
    "items": 1,
    "category": "unknown",
    "is_return": False,
    "is_visit": True,
    "has_promotion": False,
    "is_void": False,
}


def of(receipt, cents, version=None, day=5, **fields):
    order = None if version is None else Decimal(version)
    at = {"business_date": date(2026, 1, day), "receipt_ts": datetime(2026, 1, day, tzinfo=UTC)}
    return BASE | {"receipt_id": receipt, "cents": cents, "version": order} | at | fields


ROWS = [
    of("alone", 1_00, raw="alone"),
    of("equal", 2_00, raw="pending"),
    of("equal", 2_00, raw="paid"),
    of("differs", 4_00, raw="first"),
    of("differs", 8_00, raw="second"),
    of("customers", 1_00, raw="adas"),
    of("customers", 1_00, raw="bobs", customer_id="bob"),
    of("newest", 16_00, 1, raw="v1"),
    of("newest", 32_00, 3, raw="v3"),
    of("newest", 64_00, 2, raw="v2"),
    of("newest", 32_00, 3, raw="v3 again"),
    of("unversioned", 1_00, raw="before versions"),
    of("unversioned", 2_00, -5, raw="below zero"),
    of("tied", 1_00, 7, raw="tied 1"),
    of("tied", 2_00, 7, raw="tied 2"),
    of("tied", 3_00, 6, raw="tied older"),
    of("bad newest", 0, 2, raw="ten", reasons="amount_not_a_number"),
    of("bad newest", 1_00, 1, raw="good older"),
    of("bad older", 0, 1, raw="eleven", reasons="amount_not_a_number"),
    of("bad older", 1_00, 2, raw="good newest"),
    of("both bad", 0, raw="twelve", reasons="amount_not_a_number"),
    of("both bad", 0, raw="thirteen", reasons="amount_not_a_number"),
    of(None, 5_00, raw="nobody's", reasons="receipt_id_missing"),
    of(None, 5_00, raw="nobody's", reasons="receipt_id_missing"),
    of("differs", 128_00, delivery="b", raw="alone in b"),
    of("refunded", 40_00, delivery="r", raw="order"),
    of("refunded", -12_00, delivery="r", raw="refund", is_return=True, day=14),
    of("refunded", -12_00, delivery="r", raw="refund", is_return=True, day=14),
    of("refunded", -5_00, delivery="r", raw="refund 2", is_return=True, day=20),
    of("bad refund", 30_00, delivery="r", raw="order of it"),
    of("bad refund", 0, delivery="r", raw="lost", is_return=True, day=14, reasons="time_missing"),
    of("two refunds", 30_00, delivery="r", raw="order of two"),
    of("two refunds", -1_00, delivery="r", raw="which", is_return=True, day=14),
    of("two refunds", -2_00, delivery="r", raw="or this", is_return=True, day=14),
]


@pytest.fixture(scope="module")
def rows(spark):
    return spark.createDataFrame([tuple(r.get(n.split()[0]) for n in SCHEMA.split(", ")) for r in
                                  ROWS], SCHEMA)  # fmt: skip


@pytest.fixture(scope="module")
def versions(rows):
    return whole_receipt_versions(rows, with_categories=False)


def test_equal_rows_count_once_and_of_others_the_greatest_version(versions):
    accepted = versions.where("receipt_id IS NOT NULL AND NOT is_rejected AND delivery <> 'r'")
    expected = {("a", "alone"): 1_00, ("a", "equal"): 2_00, ("a", "newest"): 32_00,
                ("a", "unversioned"): 2_00, ("a", "bad older"): 1_00,
                ("b", "differs"): 128_00}  # fmt: skip
    found = {(r["delivery"], r["receipt_id"]): r["net_cents"] for r in accepted.collect()}
    assert found == expected


def test_rows_that_differ_are_rejected_and_every_row_has_its_reason(rows, versions):
    bad = "amount_not_a_number"
    expected = {
        "paid": EQUAL, "pending": "",
        "first": REPEATED, "second": REPEATED, "adas": REPEATED, "bobs": REPEATED,
        "v1": OLDER, "v2": OLDER, "v3": "", "v3 again": EQUAL, "before versions": OLDER,
        "tied 1": REPEATED, "tied 2": REPEATED, "tied older": OLDER,
        "ten": bad, "good older": OLDER, "eleven": OLDER,
        "twelve": f"{REPEATED}{SEPARATOR}{bad}", "thirteen": f"{REPEATED}{SEPARATOR}{bad}",
    }  # fmt: skip
    found = whole_rows_to_quarantine(rows, versions.where("rows_of_id > 1"))
    kept_out = {
        row["raw"]: row["reasons"]
        for row in found.where("receipt_id IS NOT NULL AND delivery <> 'r'").collect()
    }
    # Of two rows that are read alike, either may be the one that counts.
    one_of_two = {"paid", "pending"}, {"v3", "v3 again"}
    for two in one_of_two:
        assert [kept_out[raw] for raw in two if raw in kept_out] == [EQUAL]
    without = {raw for two in one_of_two for raw in two}
    assert {raw: told for raw, told in kept_out.items() if raw not in without} == {
        raw: told for raw, told in expected.items() if told and raw not in without
    }
    assert_rows(found.where("receipt_id IS NULL"), [{"reasons": "receipt_id_missing"}] * 2)


def test_refunds_under_the_id_of_their_order_are_returns_of_their_own_day(rows, versions):
    accepted = versions.where("receipt_id IS NOT NULL AND NOT is_rejected AND delivery = 'r'")
    assert_rows(
        accepted,
        [
            {"receipt_id": "refunded", "business_date": f"2026-01-{day}", "net_cents": cents}
            for day, cents in (("05", 40_00), ("14", -12_00), ("20", -5_00))
        ],
    )
    found = whole_rows_to_quarantine(rows, versions.where("rows_of_id > 1"))
    beside = "another_line_of_the_receipt_rejected"
    reasons = {"refund": EQUAL, "order of it": beside, "lost": "time_missing",
               "order of two": beside, "which": REPEATED, "or this": REPEATED}  # fmt: skip
    assert_rows(
        found.where("delivery = 'r'"),
        [{"raw": raw, "reasons": told} for raw, told in reasons.items()],
    )


def test_rows_are_moved_and_sorted_once(versions):
    plan = versions._jdf.queryExecution().executedPlan().toString()
    assert (plan.count("Exchange hashpartitioning"), plan.count("Sort [")) == (1, 1)


def test_every_row_and_its_money_is_counted_once(versions):
    counts = {("receipts", name): DeliveryCounts() for name in "abr"}
    add_receipt_version_counts(counts, "receipts", versions)
    in_a = [row for row in ROWS if row["delivery"] == "a"]
    assert counts["receipts", "a"] == DeliveryCounts(
        rows=len(in_a),
        rejected_rows=2 + 2 + 2 + 1 + 2 + 2,
        dropped_rows=1 + 3 + 1 + 1 + 1 + 1,
        receipts=10,
        rejected_receipts=5,
        net_cents=sum(row["cents"] for row in in_a),
    )
    assert counts["receipts", "r"] == DeliveryCounts(
        rows=9, rejected_rows=5, dropped_rows=1, receipts=5, rejected_receipts=2, net_cents=68_00
    )
    assert counts["receipts", "b"] == DeliveryCounts(rows=1, receipts=1, net_cents=128_00)


EXPORT = [
    ("8001", "ada", "2026-01-05", "80.00", "pending", "2026-01-05 10:00:00"),
    ("8001", "ada", "2026-01-05", "80.00", "paid", "2026-01-05 10:03:00"),
    ("8003", "cy", "2026-01-07", "55.00", "paid", "2026-01-07 10:00:00"),
    ("8003", "cy", "2026-01-07", "50.00", "paid", "2026-01-10 10:00:00"),
    ("8004", "cy", "2026-01-07", "7.00", "paid", "2026-01-07 10:00:00"),
]
WHOLE = RECEIPTS.replace('grain = "line"', 'grain = "receipt"').replace(
    'quantity = "quantity"\n', ""
).replace('category = "category"\n', "")  # fmt: skip


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    names = ("receipt", "customer", "time", "amount", "status", "updated")
    rows = [dict(zip(names, row, strict=True)) | {"void": ""} for row in EXPORT]
    shop.csv("receipts1.csv", rows)
    shop.configure(WHOLE)
    return shop


def test_an_order_that_is_twice_in_an_export_is_never_added_up(cli, shop, capfd):
    assert cli("ingest", *shop.arguments()) == 0
    assert "5 rows from 1 delivery, 2 rejected, 1 dropped as equal or older" in on_screen(capfd)
    kept = {row["receipt_id"]: row["net_cents"] for row in stored(shop.warehouse, "receipts")}
    assert kept == {"8001": 80_00, "8004": 7_00}
    assert cli("ingest", *shop.arguments("--set", 'receipts.columns.version="updated"')) == 0
    assert "5 rows from 1 delivery, 2 dropped as equal or older" in on_screen(capfd)
    kept = {row["receipt_id"]: row["net_cents"] for row in stored(shop.warehouse, "receipts")}
    assert kept == {"8001": 80_00, "8003": 50_00, "8004": 7_00}
    assert cli("rfm", *shop.arguments("--set", 'receipts.columns.version="updated"')) == 0
    terms = {row["term"]: row for row in stored(shop.warehouse, "reconciliation")}
    assert (terms["dropped"]["receipts"], terms["dropped"]["net_cents"]) == (0, 135_00)
    assert (terms["raw"]["receipts"], terms["raw"]["net_cents"]) == (3, 272_00)


def test_numbers_that_begin_again_each_day_are_told(cli, shop, capfd):
    first = [("1", "ada", "05"), ("2", "", "05"), ("3", "bob", "05"), ("4", "dan", "05")]
    second = [("1", "ada", "06"), ("2", "cy", "06"), ("4", "eve", "05")]
    for number, rows in enumerate((first, second), 1):
        shop.csv(f"receipts{number}.csv", [line(r, c, f"2026-01-{d}", "1.00") for r, c, d in rows])
    assert cli("ingest", *shop.arguments()) == 0
    told = on_screen(capfd)
    assert "7 rows from 2 deliveries, 1 in the place of another customer's of another day" in told
    assert "[receipts] 1 receipts took the place" in told
    marked = [(row["receipt_id"], row["delivery"]) for row in stored(shop.warehouse, "receipts")
              if row["replaces_other"]]  # fmt: skip
    assert marked == [("2", "receipts2.csv")]
    shop.csv("receipts3.csv", [line("3", "fay", "2026-01-07", "1.00", void="yes"),
                               line("2", "ada", "2026-01-07", "1.00")])  # fmt: skip
    assert cli("ingest", *shop.arguments()) == 0
    assert "2 rows from 1 delivery, 1 in the place of" in on_screen(capfd)


@pytest.mark.parametrize("grain", ["receipt", "line"])
def test_refunds_end_in_the_same_tables_in_any_order_of_arrival(cli, tmp_path, grain):
    order = [line("1", "ada", "2026-01-04", "40.00"), line("2", "bob", "2026-01-04", "9.00")]
    refund = line("1", "ada", "2026-02-14", "-12.00", quantity="-1")
    second = line("1", "ada", "2026-02-20", "-5.00", quantity="-1")
    corrected = [line("1", "ada", "2026-01-04", "38.00"), refund | {"amount": "-10.00"}]
    deliveries = [order, [refund], [*corrected, line("3", "bob", "2026-02-01", "1.00")], [second]]
    found = []
    for place, together in enumerate([[(0, 1, 2, 3)], [(1,), (3,), (2, 0)]]):
        shop = Shop(tmp_path / str(place))
        shop.configure(RECEIPTS if grain == "line" else WHOLE)
        for numbers in together:
            for number in numbers:
                shop.csv(f"receipts{number}.csv", deliveries[number])
            assert cli("ingest", *shop.arguments()) == 0
        found.append([stored(shop.warehouse, name) for name in ("receipts", "customer_days")])
    assert found[0] == found[1]
    of_ada = {
        str(row["day"]): row["net_cents"] for row in found[0][1] if row["customer_id"] == "ada"
    }
    assert of_ada == {"2026-01-04": 38_00, "2026-02-14": -10_00, "2026-02-20": -5_00}


def money_by_day(shop):
    """Net money of each customer and day."""
    days = stored(shop.warehouse, "customer_days")
    return {(row["customer_id"], str(row["day"])): row["net_cents"] for row in days}


@pytest.mark.parametrize("together", [False, True])
def test_returns_of_lines_are_told_once_whatever_they_come_with(cli, tmp_path, together):
    """Of the purchase's day, of two times of a later day, and without a customer."""
    shop = Shop(tmp_path)
    shop.configure(RECEIPTS)
    bought = line("1", "ada", "2026-01-05 10:00:00", "40.00")
    at_once = line("1", "ada", "2026-01-05 16:00:00", "-12.00", quantity="-1")
    other = line("2", "bob", "2026-01-05 10:00:00", "9.00")
    first = line("2", "", "2026-02-14 10:00:00", "-5.00", quantity="-1")
    second = line("2", "", "2026-02-14 15:00:00", "-3.00", quantity="-1")
    deliveries = [
        [bought, other],
        [at_once, first | {"customer": "bob"}],
        [second | {"customer": "bob"}],
        [bought | {"amount": "38.00"}, at_once, other, first, second],
    ]
    for number, lines in enumerate(deliveries):
        shop.csv(f"receipts{number}.csv", lines)
        if not together or number == len(deliveries) - 1:
            assert cli("ingest", *shop.arguments()) == 0
    assert money_by_day(shop) == {
        ("ada", "2026-01-05"): 26_00, ("bob", "2026-01-05"): 9_00, ("bob", "2026-02-14"): -8_00,
    }  # fmt: skip


@pytest.mark.parametrize("grain", ["receipt", "line"])
@pytest.mark.parametrize("in_one", [False, True])
def test_a_void_copy_with_the_money_taken_back_voids_the_receipt(cli, tmp_path, grain, in_one):
    shop = Shop(tmp_path)
    shop.configure(RECEIPTS if grain == "line" else WHOLE)
    rows = [line("1", "ada", "2026-01-04", "40.00"), line("2", "bob", "2026-01-04", "9.00")]
    void = line("1", "ada", "2026-01-05", "-40.00", quantity="-1", void="yes")
    shop.csv("receipts0.csv", [*rows, void] if in_one else rows)
    if not in_one:
        assert cli("ingest", *shop.arguments()) == 0
        shop.csv("receipts1.csv", [void])
    assert cli("ingest", *shop.arguments()) == 0
    assert money_by_day(shop) == {("bob", "2026-01-04"): 9_00}
    statuses = {row["net_cents"]: row["status"] for row in stored(shop.warehouse, "receipts")}
    assert statuses == {40_00: "superseded", 9_00: "current", -40_00: "void"}


def test_refunds_whose_purchase_is_out_of_reach_are_apart_as_in_a_rebuild(cli, tmp_path):
    found = []
    for together in (False, True):
        shop = Shop(tmp_path / str(together))
        shop.configure(WHOLE)
        nights = [("2026-01-04", "40.00"), ("2026-02-14", "-12.00"), ("2026-02-20", "-5.00")]
        for number, (day, amount) in enumerate(nights):
            shop.csv(f"receipts{number}.csv", [line("1", "ada", day, amount)])
            if not together or number == len(nights) - 1:
                assert cli("ingest", *shop.arguments(), "--set", "ingest.correction_days=30") == 0
        found.append(money_by_day(shop))
    assert found[0] == found[1]
    assert sum(found[0].values()) == 23_00


def test_too_many_repeated_receipts_are_told_by_their_reason(cli, shop, capfd):
    shop.configure(WHOLE, {"max_rejected_share = 0.5": "max_rejected_share = 0.1"})
    assert cli("ingest", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert "2 of 5 rows are rejected" in told
    assert "receipt_id_repeated (2)" in told


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("status = 'paid'", "gives boolean, not a number, a time or text"),
        ("'updated'", "needs no column, so it is the same for all rows"),
    ],
)
def test_a_version_must_order_rows(cli, shop, capfd, version, told):
    override = f'receipts.columns.version="{version}"'
    assert cli("check", *shop.arguments("--set", override)) == 2
    assert told in problems(capfd)[0]
