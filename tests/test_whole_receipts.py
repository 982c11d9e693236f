"""Receipts given as one row each: the few that come again are compared, all others just added."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta

import pytest
from deltalake import DeltaTable
from support.shop import (
    ABOUT_RUNS,
    RECEIPTS,
    Shop,
    assert_same_tables,
    line,
    stored,
    stored_tables,
)

from rfm_spark.ingest import counts

CONFIGURATION = RECEIPTS.replace('grain = "line"', 'grain = "receipt"').replace(
    'category = "category"\n', ""
)


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    shop.configure(CONFIGURATION)
    return shop


@pytest.fixture
def take_in(run):
    def ingest(shop, *overrides):
        run(shop.config, shop.raw, shop.warehouse, "ingest", overrides=overrides)

    return ingest


def some_deliveries(seed):
    """Five deliveries of 40 rows: a third of the ids come again, moved, cancelled or unreadable."""
    chance = random.Random(seed)
    deliveries = []
    for number in range(5):
        rows = []
        for place in range(40):
            again = chance.random() < 0.3
            receipt = f"r{chance.randrange(60)}" if again else f"n{number}-{place}"
            day = date(2024, 11, 1) + timedelta(days=30 * number + chance.randrange(45))
            amount = "ten" if chance.random() < 0.05 else f"{chance.randrange(-500, 5000) / 100}"
            void = "yes" if chance.random() < 0.05 else ""
            customer = f"c{chance.randrange(9)}"
            rows.append(line(receipt, customer, day.isoformat(), amount, void=void))
        rows += chance.sample(rows, 3)
        rows.append(line(None, "c1", "2025-01-01", "1.00"))
        deliveries.append(rows)
    return deliveries


def accepted_versions(deliveries):
    """Purchases and returns of each receipt that are not rejected: (delivery, return time, row)."""
    versions = {}
    for number, rows in enumerate(deliveries):
        by_id = {}
        for row in rows:
            if row["receipt"] is not None:
                is_return = row["amount"].startswith("-")
                at = row["time"] if is_return else None
                by_id.setdefault(row["receipt"], {}).setdefault(at, []).append(row)
        for receipt, parts in by_id.items():
            equal = all(row == rows[0] for rows in parts.values() for row in rows)
            if equal and all(rows[0]["amount"] != "ten" for rows in parts.values()):
                found = versions.setdefault(receipt, [])
                found += [(number, at, rows[0]) for at, rows in parts.items()]
    return versions


def expected_status(deliveries):
    """Status of every accepted version, from the definitions.

    Of each purchase the newest counts, and beside it of each return, unless it is cancelled.
    """
    status = {}
    for receipt, versions in accepted_versions(deliveries).items():
        is_bought = any(at is None and not row["void"] for _, at, row in versions)
        cancelled = max((n for n, at, row in versions if at is None and row["void"]), default=-1)
        for number, at, row in versions:
            newest = max(n for n, other, _ in versions if not is_bought or other == at)
            is_over = number < newest or (at is not None and number <= cancelled)
            kept = "void" if row["void"] else "current"
            key = (receipt, f"receipts{number}.csv", row["time"], round(float(row["amount"]) * 100))
            status[key] = "superseded" if is_over else kept
    return status


@pytest.mark.parametrize("seed", [1])
def test_in_any_order_the_newest_version_of_each_receipt_counts(
    shop, take_in, tmp_path, monkeypatch, seed
):
    deliveries = some_deliveries(seed)
    for number, rows in enumerate(deliveries):
        shop.csv(f"receipts{number}.csv", rows)
    take_in(shop)
    found = {
        (row["receipt_id"], row["delivery"], str(row["business_date"]), row["net_cents"]): row[
            "status"
        ]
        for row in stored(shop.warehouse, "receipts")
    }
    assert found == expected_status(deliveries)
    monkeypatch.setattr(counts, "_FEW_MONTHS", 0)  # and moved to their months
    other = Shop(tmp_path / "other")
    other.configure(CONFIGURATION)
    for some in ((3, 0), (4, 2), (1,)):
        for number in some:
            other.csv(f"receipts{number}.csv", deliveries[number])
        take_in(other)
    differ = {"deliveries"}  # they tell when a file was written
    without = (*ABOUT_RUNS, *differ)
    assert_same_tables(
        stored_tables(other.warehouse, without), stored_tables(shop.warehouse, without)
    )
    counted = [
        [{k: v for k, v in row.items() if k != "fingerprint"} for row in stored(w, "deliveries")]
        for w in (shop.warehouse, other.warehouse)
    ]
    assert counted[0] == counted[1]
    read = sum(row["rows"] for row in counted[0])
    assert read == sum(len(rows) for rows in deliveries)
    kept_out = sum(row["rejected_rows"] + row["dropped_rows"] for row in counted[0])
    assert kept_out == len(stored(shop.warehouse, "quarantine"))
    receipts = sum(row["receipts"] - row["rejected_receipts"] for row in counted[0])
    assert receipts == len(found)


def test_deliveries_of_a_month_are_written_together_without_being_moved(shop, take_in):
    january = [line(f"a{n}", "c1", f"2025-01-0{n}", "1.00") for n in (1, 2, 3)]
    for number, row in enumerate(january):
        shop.csv(f"receipts{number}.csv", [row])
    late = line("late", "c1", "2025-01-31", "1.00")
    february = [line(f"b{n}", "c1", f"2025-02-0{n}", "1.00") for n in (1, 2)]
    shop.csv("receipts3.csv", [late, *february])
    header = shop.file("receipts3.csv").read_text(encoding="utf-8").splitlines()[0]
    shop.file("receipts4.csv").write_text(header + "\n", encoding="utf-8")
    take_in(shop)
    table = DeltaTable(str(shop.warehouse / "receipts"))
    months = sorted(uri.split("/")[-2] for uri in table.file_uris())
    assert months == ["month=2025-01", "month=2025-01", "month=2025-02"]
    assert len(stored(shop.warehouse, "receipts")) == 6


def test_files_of_a_later_month_may_lack_a_column_that_may_be_empty(shop, take_in):
    shop.configure(
        CONFIGURATION.replace("receipts*.csv", "receipts*.parquet").replace('"csv"', '"parquet"')
    )
    january = line("r1", "c1", "2025-01-01", "1.00", void="yes")
    february = line("r2", "c1", "2025-02-01", "2.00")
    shop.parquet("receipts1.parquet", [january])
    del february["void"]
    shop.parquet("receipts2.parquet", [february])
    take_in(shop)
    status = {row["receipt_id"]: row["status"] for row in stored(shop.warehouse, "receipts")}
    assert status == {"r1": "void", "r2": "current"}


def added_and_removed(table):
    """How many files the last commit of a table added and took away."""
    log = table / "_delta_log" / f"{DeltaTable(str(table)).version():020}.json"
    actions = [json.loads(text) for text in log.read_text().splitlines()]
    return tuple(sum(kind in one for one in actions) for kind in ("add", "remove"))


def test_receipts_that_come_once_leave_what_is_stored_alone_late_ones_too(shop, take_in):
    shop.csv("receipts1.csv", [line(f"a{n}", "c1", f"2025-01-0{n}", "1.00") for n in (1, 2, 3)])
    take_in(shop)
    shop.csv(
        "receipts2.csv",
        [line("b1", "c1", "2025-01-04", "1.00"), line("late", "c2", "2025-01-02", "2.00")],
    )
    take_in(shop)
    assert added_and_removed(shop.warehouse / "receipts")[1] == 0
    days = {
        (row["customer_id"], row["day"].day): row["net_cents"]
        for row in stored(shop.warehouse, "customer_days")
    }
    assert days == {("c1", 1): 100, ("c1", 2): 100, ("c1", 3): 100, ("c1", 4): 100, ("c2", 2): 200}
    shop.csv("receipts3.csv", [line("a2", "c3", "2025-01-05", "4.00")])
    take_in(shop)
    assert added_and_removed(shop.warehouse / "receipts")[1] > 0
    now = {row["receipt_id"]: row["customer_id"] for row in stored(shop.warehouse, "receipts")
           if row["status"] == "current"}  # fmt: skip
    assert now == {"a1": "c1", "a2": "c3", "a3": "c1", "b1": "c1", "late": "c2"}


def test_whole_months_that_are_replaced_keep_what_lies_beyond_the_bound(shop, take_in):
    shop.configure(RECEIPTS)
    bound = "ingest.correction_days=30"
    old = [line("far", "c1", "2025-02-03", "1.00"), line("near", "c1", "2025-02-20", "2.00")]
    shop.csv("receipts1.csv", old)
    take_in(shop, bound)
    days = [date(2025, 3, 10) + timedelta(days=place) for place in range(40)]
    new = [line(f"n{day}", "c2", day.isoformat(), "0.50") for day in days]
    again = [line("far", "c1", "2025-03-10", "4.00"), line("near", "c1", "2025-03-10", "8.00")]
    shop.csv("receipts2.csv", [*new, *again])
    take_in(shop, bound)
    of_c1 = [row for row in stored(shop.warehouse, "receipts") if row["customer_id"] == "c1"]
    status = {(row["receipt_id"], row["net_cents"]): row["status"] for row in of_c1}
    assert status == {
        ("far", 100): "current",
        ("far", 400): "current",
        ("near", 200): "superseded",
        ("near", 800): "current",
    }
    found = {row["day"].isoformat(): row["net_cents"]
             for row in stored(shop.warehouse, "customer_days")
             if row["customer_id"] == "c1"}  # fmt: skip
    assert found == {"2025-02-03": 100, "2025-03-10": 1200}


def test_a_correction_beyond_the_bound_is_a_receipt_of_its_own(shop, take_in):
    bound = "ingest.correction_days=30"
    shop.csv("receipts1.csv", [line("r1", "c1", "2025-01-01", "1.00")])
    take_in(shop, bound)
    shop.csv("receipts2.csv", [line("r1", "c1", "2025-06-01", "2.00"),
                               line("r2", "c1", "2025-06-01", "4.00")])  # fmt: skip
    take_in(shop, bound)
    found = {(row["receipt_id"], row["net_cents"]): row["status"]
             for row in stored(shop.warehouse, "receipts")}  # fmt: skip
    assert found == {("r1", 100): "current", ("r1", 200): "current", ("r2", 400): "current"}
    years = [row["net_cents"] for row in stored(shop.warehouse, "customer_years")]
    assert years == [700]


@pytest.mark.parametrize("configuration", [CONFIGURATION, RECEIPTS], ids=["rows", "lines"])
def test_a_delivery_that_comes_again_replaces_what_it_brought_beyond_the_bound(
    shop, take_in, configuration
):
    shop.configure(configuration)
    bound = "ingest.correction_days=30"
    shop.csv("receipts1.csv", [line("r1", "c1", "2025-01-01", "1.00")])
    take_in(shop, bound)
    shop.csv("receipts1.csv", [line("r1", "c1", "2025-06-01", "2.00")])
    shop.touch("receipts1.csv")
    take_in(shop, bound)
    [found] = stored(shop.warehouse, "receipts")
    assert (found["business_date"], found["net_cents"]) == (date(2025, 6, 1), 200)
    assert [row["net_cents"] for row in stored(shop.warehouse, "customer_years")] == [200]


def test_a_good_receipt_counts_where_most_of_its_delivery_has_no_day(shop, take_in):
    good = [line(f"a{place}", "c1", f"2025-01-{place:02}", "1.00") for place in range(1, 20)]
    shop.csv("receipts1.csv", good)
    blank = [line(f"b{place}", "c1", "", "1.00") for place in (1, 2)]
    shop.csv("receipts2.csv", [*blank, line("b3", "c1", "2025-01-02", "1.00")])
    take_in(shop)
    assert {row["receipt_id"] for row in stored(shop.warehouse, "receipts")} == {
        "b3", *(row["receipt"] for row in good)
    }  # fmt: skip
