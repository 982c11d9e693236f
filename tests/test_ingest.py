"""Deliveries: whatever their format, order and repetition, they end in the same tables."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pytest
from deltalake import DeltaTable
from support.shop import (
    Shop,
    assert_same_tables,
    line,
    some_lines,
    stored,
    stored_tables,
    versions,
)

from rfm_spark.storage.commit_log import Note

FACTS = ("customer_days", "customer_years", "customer_day_categories")
JSON_TYPES = (
    'types = { receipt = "string", customer = "string", time = "string", quantity = "string", '
    'amount = "string", category = "string", void = "string" }'
)


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    shop.configure()
    return shop


@pytest.fixture
def take_in(run):
    def ingest(shop):
        run(shop.config, shop.raw, shop.warehouse, "ingest")

    return ingest


def current(shop, *without):
    """Current receipts, without some columns."""
    rows = [row for row in stored(shop.warehouse, "receipts") if row["status"] == "current"]
    return sorted(({n: v for n, v in row.items() if n not in without} for row in rows), key=repr)


def facts(shop):
    return {name: stored(shop.warehouse, name) for name in FACTS}


@pytest.fixture(scope="module")
def from_csv(run, tmp_path_factory):
    """One delivery of some receipts, taken in; not to be written to."""
    shop = Shop(tmp_path_factory.mktemp("from_csv"))
    shop.csv("receipts1.csv", some_lines())
    run(shop.configure(), shop.raw, shop.warehouse, "ingest")
    return shop


def copy_of(shop, tmp_path):
    """The shop with its tables, for a test of its own; files keep their times."""
    shutil.copytree(shop.folder, tmp_path, dirs_exist_ok=True)
    return Shop(tmp_path)


@pytest.mark.parametrize("kind", ["json", "parquet", "delta"])
def test_receipts_of_every_format_end_in_the_same_tables(shop, take_in, from_csv, kind):
    path = "receipts1" if kind == "delta" else f"receipts*.{kind}"
    changes = {"receipts*.csv": path, 'format = "csv"': f'format = "{kind}"'}
    if kind == "json":
        changes['grain = "line"'] = 'grain = "line"\n' + JSON_TYPES
        # JSON may carry numbers as numbers.
        rows = [{**row, "quantity": int(row["quantity"] or 0)} for row in some_lines()]
        shop.json_lines("receipts1.json", rows)
    elif kind == "parquet":
        shop.parquet("receipts [1].parquet", some_lines())
    else:
        shop.delta("receipts1", some_lines())
    shop.configure(changes=changes)
    take_in(shop)
    assert current(shop, "delivery") == current(from_csv, "delivery")
    assert_same_tables(facts(shop), facts(from_csv))


def test_lines_are_added_up_to_receipts_days_and_years(from_csv):
    [receipt] = [row for row in current(from_csv) if row["receipt_id"] == "r00"]
    assert (receipt["net_cents"], receipt["lines"], receipt["items"]) == (12_75, 2, 2)
    assert receipt["business_date"] == date(2025, 1, 10)
    days = {
        (row["customer_id"], row["day"].isoformat()): (row["visits"], row["net_cents"])
        for row in stored(from_csv.warehouse, "customer_days")
    }
    assert days["c0", "2025-01-10"] == (1, 12_75)
    assert days[None, "2025-02-03"] == (1, 7_00)
    assert days["c5", "2025-03-20"] == (0, -4_00)
    assert days["c2", "2024-12-30"] == (1, 12_00)
    assert len(days) == 14


def test_a_delivery_that_comes_again_changes_no_row(take_in, from_csv, tmp_path):
    shop = copy_of(from_csv, tmp_path)
    shop.touch("receipts1.csv")
    shutil.copy2(shop.raw / "receipts1.csv", shop.raw / "receipts2.csv")
    take_in(shop)
    assert_same_tables(facts(shop), facts(from_csv))
    assert current(shop, "delivery") == current(from_csv, "delivery")
    before = versions(shop.warehouse)
    take_in(shop)
    assert versions(shop.warehouse) == {**before, "runs": before["runs"] + 1}
    superseded = [row for row in stored(shop.warehouse, "receipts") if row["status"] != "current"]
    assert {row["delivery"] for row in superseded} == {"receipts1.csv"}


def test_what_is_only_shown_does_not_make_a_delivery_new(take_in, from_csv, tmp_path):
    shop = copy_of(from_csv, tmp_path)
    before = versions(shop.warehouse)
    zone = 'time_zone = "Europe/Berlin"'
    shop.configure(changes={zone: f'{zone}\ncurrency = "EUR"'})
    take_in(shop)
    about_runs = {name: before[name] + 1 for name in ("runs", "settings")}
    assert versions(shop.warehouse) == {**before, **about_runs}
    shop.configure(changes={zone: 'time_zone = "Europe/London"'})
    take_in(shop)
    assert versions(shop.warehouse)["receipts"] > before["receipts"]


FIRST = [
    *some_lines(),
    line("move", "c7", "2024-06-01", "5.00", category="tea"),
    line("gone", "c9", "2025-01-20", "9.00", category="gin"),
]
SECOND = [
    line("move", "c8", "2025-06-02", "6.00", category="wine"),
    line("gone", "c9", "2025-01-20", "9.00", category="gin", void="yes"),
]
OLDER = [
    line("move", "c6", "2023-05-05", "4.00", category="rum"),
    line("gone", "c9", "2025-01-19", "8.00", category="gin"),
]


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """Three deliveries, by name in the order 0, 1, 2: a receipt moves, another is cancelled."""
    shop = Shop(tmp_path_factory.mktemp("stock"))
    for number, rows in enumerate([OLDER, FIRST, SECOND]):
        shop.csv(f"receipts{number}.csv", rows)
    return shop


@pytest.fixture(scope="module")
def at_once(run, stock):
    run(stock.configure(), stock.raw, stock.warehouse, "ingest")
    return stock


def test_deliveries_end_in_the_same_tables_in_any_order_of_arrival(shop, stock, take_in, at_once):
    for number in (2, 0, 1):
        shop.raw.mkdir(exist_ok=True)
        shutil.copy2(stock.raw / f"receipts{number}.csv", shop.raw)
        take_in(shop)
    assert_same_tables(stored_tables(shop.warehouse), stored_tables(at_once.warehouse))


def test_a_receipt_that_moved_leaves_nothing_at_its_old_day_and_customer(at_once):
    [moved] = [row for row in current(at_once) if row["receipt_id"] == "move"]
    assert (moved["customer_id"], moved["business_date"]) == ("c8", date(2025, 6, 2))
    for table in FACTS:
        customers = {row["customer_id"] for row in stored(at_once.warehouse, table)}
        assert "c8" in customers
        assert customers.isdisjoint({"c6", "c7"})
    categories = stored(at_once.warehouse, "customer_day_categories")
    assert {row["category"] for row in categories} == {"bread", "milk", "wine"}
    years = {row["year"] for row in stored(at_once.warehouse, "customer_years")}
    assert years == {2024, 2025}


def test_a_void_version_removes_the_receipt_and_older_ones_bring_nothing_back(at_once):
    of_receipt = [r for r in stored(at_once.warehouse, "receipts") if r["receipt_id"] == "gone"]
    assert {row["delivery"]: row["status"] for row in of_receipt} == {
        "receipts0.csv": "superseded",
        "receipts1.csv": "superseded",
        "receipts2.csv": "void",
    }
    for table in FACTS:
        assert "c9" not in {row["customer_id"] for row in stored(at_once.warehouse, table)}


def test_a_changed_file_of_the_same_name_replaces_what_it_brought(at_once, take_in, tmp_path):
    shop = copy_of(at_once, tmp_path)
    # Without its version of `move` the older one holds again; `gone` is not cancelled any more.
    shop.csv("receipts2.csv", [line("new", "c8", "2025-06-03", "1.00")])
    take_in(shop)
    found = {row["receipt_id"]: row["delivery"] for row in current(shop)}
    assert (found["move"], found["gone"]) == ("receipts1.csv", "receipts1.csv")
    fresh = Shop(tmp_path / "fresh")
    shutil.copytree(shop.raw, fresh.raw)
    fresh.configure()
    take_in(fresh)
    assert_same_tables(stored_tables(shop.warehouse), stored_tables(fresh.warehouse))


def test_a_late_file_changes_just_its_days(from_csv, take_in, tmp_path):
    shop = copy_of(from_csv, tmp_path)
    shop.csv("receipts2.csv", [line("late", "c3", "2025-02-14", "2.00")])
    take_in(shop)
    for name, folder in (("receipts", "month=2025-02/"), ("customer_days", "year=2025/")):
        table = DeltaTable(str(shop.warehouse / name))
        [newest] = table.history(1)
        assert Note.of(table.version(), newest).content["days"] == ["2025-02-14"]
        log = shop.warehouse / name / "_delta_log" / f"{table.version():020}.json"
        actions = [json.loads(text) for text in log.read_text().splitlines()]
        paths = [one[kind]["path"] for one in actions for kind in one if kind in ("add", "remove")]
        assert paths
        assert all(path.startswith(folder) for path in paths)


def test_part_files_of_a_folder_are_one_delivery(shop, take_in):
    shop.csv("day1/part-0.csv", [line("r1", "c1", "2025-01-01", "1.00")])
    shop.csv("day1/part-1.csv", [line("r1", "c1", "2025-01-01", "2.00")])
    shop.csv("day2/part-0.csv", [line("r2", "c1", "2025-01-02", "4.00")])
    shop.configure(changes={'"receipts*.csv"': '"day*/*.csv"\ndelivery = "folder"'})
    take_in(shop)
    assert {row["receipt_id"]: (row["delivery"], row["net_cents"]) for row in current(shop)} == {
        "r1": ("day1", 3_00),
        "r2": ("day2", 4_00),
    }
    assert [row["delivery"] for row in stored(shop.warehouse, "deliveries")] == ["day1", "day2"]


def test_without_ids_equal_rows_are_receipts_of_their_own_and_come_again_unchanged(shop, take_in):
    changes = {'receipt_id = "receipt"\n': "", 'grain = "line"': 'grain = "receipt"'}
    shop.configure(changes=changes)
    rows = [line(None, "c1", "2025-01-01", "1.00")] * 2 + [line(None, "c2", "2025-01-01", "3.00")]
    shop.csv("receipts1.csv", rows)
    take_in(shop)
    first = stored(shop.warehouse, "receipts")
    assert sorted(row["net_cents"] for row in first) == [1_00, 1_00, 3_00]
    shop.csv("receipts1.csv", rows[::-1])
    shop.touch("receipts1.csv")
    take_in(shop)
    assert stored(shop.warehouse, "receipts") == first
