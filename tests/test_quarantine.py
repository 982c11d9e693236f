"""Quarantine: bad rows are kept as they came, with every reason, and counted."""

from __future__ import annotations

import json

import pytest
from support.screen import on_screen, problems
from support.shop import CUSTOMERS, RECEIPTS, Shop, line, person, stored, versions

from rfm_spark.ingest.rows.quarantine import quarantine_rows

GOOD = [line(f"r{n}", f"c{n}", f"2025-01-1{n}", f"{n}.00") for n in range(1, 9)]


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_rejected_rows_up_to_the_allowed_share_are_counted_above_it_nothing_is_published(
    cli, shop, capfd
):
    bad = [line("b1", "c1", "2025-01-02", "ten"), line("b2", "c2", "2125-01-02", "1.00")]
    shop.csv("receipts1.csv", GOOD + bad)
    allowed = {"max_rejected_share = 0.5": "max_rejected_share = 0.2"}
    shop.configure(changes={"max_rejected_share = 0.5": "max_rejected_share = 0.19"})
    assert cli("ingest", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert "2 of 10 rows are rejected" in told
    assert "max_rejected_share = 0.19" in told
    assert "amount_not_a_number (1), date_out_of_range (1)" in told
    assert versions(shop.warehouse) == {}

    shop.configure(changes=allowed)
    assert cli("ingest", *shop.arguments()) == 0
    assert "10 rows from 1 delivery, 2 rejected" in on_screen(capfd)
    assert len(stored(shop.warehouse, "receipts")) == 8

    before = versions(shop.warehouse)
    shop.csv("receipts2.csv", [*GOOD[:2], *bad])
    assert cli("ingest", *shop.arguments()) == 2
    assert "2 of 4 rows are rejected" in on_screen(capfd)
    assert versions(shop.warehouse) == before


def test_too_many_bad_rows_of_a_later_source_leave_the_first_unwritten_too(cli, shop, capfd):
    shop.csv("receipts1.csv", GOOD)
    shop.csv("customers1.csv", [person("", "Ulm"), person("", "Aix"), person("c1", "Bern")])
    shop.configure(RECEIPTS + CUSTOMERS)
    assert cli("ingest", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert "[customers] 2 of 3 rows are rejected" in told
    assert "customer_missing (2)" in told
    assert versions(shop.warehouse) == {}


def test_rejected_rows_are_kept_as_they_came_with_every_reason(cli, shop, capfd):
    bad = {
        "b1": line("b1", "c1", "2025-01-02", "ten", quantity="one"),
        "b2": line("b2", "c1", "2125-01-02", "1.00"),
        "b3": line("b3", "c1", "soon", "1.00"),
        "b4": line("b4", "c1", "", ""),
        "b5": line("b5", "c1", "2025-01-02", "1e30"),
        "free": line("free", "c1", "2025-01-02", "1.00", category="free"),
    }
    two = [line("two", "c1", "2025-01-02", "1.00"), line("two", "c2", "2025-01-02", "2.00")]
    part = [line("part", "c1", "2025-01-02", "4.00"), line("part", "c1", "2025-01-02", "x")]
    nameless = line("", "c1", "2025-01-02", "8.00")
    shop.csv("receipts1.csv", [*GOOD, *bad.values(), *two, *part, nameless])
    with shop.file("receipts1.csv").open("a") as file:
        file.write("short,c1\r\nlong,c1,2025-01-02,1,1.00,bread,,more\r\n")
    shop.csv("receipts2.csv", [line("b2", "c1", "2025-01-02", "1.00")])
    shop.configure(
        RECEIPTS + "[receipts.reject]\nfree_of_charge = \"category = 'free'\"\n",
        {"max_rejected_share = 0.5": "max_rejected_share = 0.6"},
    )
    assert cli("ingest", *shop.arguments()) == 0
    assert "22 rows from 2 deliveries, 13 rejected" in on_screen(capfd)
    kept = stored(shop.warehouse, "quarantine")
    assert {(row["source"], row["delivery"], row["file"]) for row in kept} == {
        ("receipts", "receipts1.csv", "receipts1.csv")
    }
    reasons = {}
    for row in kept:
        reasons.setdefault(row["receipt_id"], []).append(sorted(row["reasons"]))
    malformed = [found for name, found in reasons.items() if "row_malformed" in found[0]]
    assert len([one for found in malformed for one in found]) == 2
    assert {name: sorted(reasons[name]) for name in [*bad, "two", "part", None]} | {} == {
        "b1": [["amount_not_a_number", "quantity_not_a_number"]],
        "b2": [["date_out_of_range"]],
        "b3": [["time_unreadable"]],
        "b4": [["amount_missing", "time_missing"]],
        "b5": [["amount_not_a_number"]],
        "free": [["free_of_charge"]],
        "two": [["two_customers_on_one_receipt"]] * 2,
        "part": [["amount_not_a_number"], ["another_line_of_the_receipt_rejected"]],
        None: [["receipt_id_missing"]],
    }
    raw = {row["receipt_id"]: row["raw"] for row in kept}
    assert json.loads(raw["b1"]) == {n: v or None for n, v in bad["b1"].items()}
    assert any("long,c1,2025-01-02,1,1.00,bread,,more" in row["raw"] for row in kept)
    # A rejected version leaves the good one of another delivery alone.
    names = {row["receipt_id"] for row in stored(shop.warehouse, "receipts")}
    assert names == {row["receipt"] for row in GOOD} | {"b2"}
    counts = {row["delivery"]: row for row in stored(shop.warehouse, "deliveries")}
    assert (counts["receipts1.csv"]["rows"], counts["receipts1.csv"]["rejected_rows"]) == (21, 13)
    assert (counts["receipts2.csv"]["rows"], counts["receipts2.csv"]["rejected_rows"]) == (1, 0)
    assert len({row["row"] for row in kept}) == len(kept)


@pytest.mark.parametrize(("drop", "bought"), [("false", 11_00), ("true", 7_00)])
def test_equal_lines_of_one_delivery_are_dropped_where_a_setting_says_so(cli, shop, drop, bought):
    milk = line("r1", "c1", "2025-01-11", "2.00", category="milk")
    shop.csv("receipts1.csv", [milk, milk, milk, line("r1", "c1", "2025-01-11", "5.00")])
    shop.csv("receipts2.csv", [milk, line("r2", "c2", "2025-01-12", "x"), *[GOOD[3]] * 2])
    changes = {'grain = "line"': f'grain = "line"\ndrop_equal_lines = {drop}'}
    shop.configure(changes=changes)
    assert cli("ingest", *shop.arguments()) == 0
    [first] = [row for row in stored(shop.warehouse, "receipts") if row["status"] == "superseded"]
    assert (first["net_cents"], first["lines"]) == (bought, 2 if drop == "true" else 4)
    assert cli("rfm", *shop.arguments()) == 0, "every cent is accounted for"
    terms = {row["term"]: row for row in stored(shop.warehouse, "reconciliation")}
    dropped = 2 * 2_00 + 4_00 if drop == "true" else 0
    assert (terms["dropped"]["receipts"], terms["dropped"]["net_cents"]) == (0, dropped)
    kept_out = stored(shop.warehouse, "quarantine")
    equal = [row for row in kept_out if row["reasons"] == ["equal_line_dropped"]]
    assert len(equal) == (3 if drop == "true" else 0)
    counts = {row["delivery"]: row["dropped_rows"] for row in stored(shop.warehouse, "deliveries")}
    assert counts == {
        "receipts1.csv": 2 if drop == "true" else 0,
        "receipts2.csv": 1 if drop == "true" else 0,
    }


def test_equal_rows_of_two_sources_have_names_of_their_own_source(spark):
    rows = spark.createDataFrame(
        [(source, "crm.csv", "crm.csv", "{}", "customer_missing") for source in ("a", "b")],
        "source string, delivery string, file string, raw string, reasons string",
    )
    found = {row["source"]: row["row"] for row in quarantine_rows(rows).collect()}
    assert set(found) == {"a", "b"}
    assert found["a"] == found["b"]
    assert found["a"].endswith("-1")


def test_what_a_filter_leaves_out_is_told_apart_and_counted_by_delivery(cli, shop, capfd):
    categories = {"r1": "", "r2": "test", "r3": "vip", "r4": "", "r5": "", "r6": "test"}
    rows = [line(name, name, "2025-01-05", "10.00", category=category)
            for name, category in categories.items()]  # fmt: skip
    shop.csv("receipts1.csv", rows[:5])
    shop.csv("receipts2.csv", rows[5:])
    shop.csv("customers1.csv", [person("r1", "Ulm")])
    where = 'grain = "line"\nwhere = "category <> \'test\'"'
    shop.configure(RECEIPTS + CUSTOMERS, changes={'grain = "line"': where})
    assert cli("ingest", *shop.arguments()) == 0
    told = " ".join(on_screen(capfd).split())
    assert (
        "1 rows from 2 deliveries, where left out 5 of 6 rows, 3 of them because it is unknown "
        "(NULL)" in told
    )
    assert "left out 3 rows for which it is unknown, as a column is NULL" in told
    counts = {
        row["delivery"]: (row["rows"], row["left_out_rows"], row["left_out_unknown_rows"])
        for row in stored(shop.warehouse, "deliveries")
    }
    assert counts == {
        "receipts1.csv": (1, 4, 3), "receipts2.csv": (0, 1, 0), "customers1.csv": (1, None, None),
    }  # fmt: skip


def test_a_filter_that_leaves_out_everything_is_no_empty_input(cli, shop, capfd):
    shop.csv("receipts1.csv", [GOOD[0] | {"category": ""}, GOOD[1]])
    where = 'grain = "receipt"\nwhere = "category <> \'bread\'"'
    shop.configure(changes={'grain = "line"': where})
    assert cli("ingest", *shop.arguments()) == 2
    told = "where left out 2 of 2 rows, 1 of them because it is unknown (NULL)"
    assert problems(capfd) == [f"[receipts] receipts1.csv: {told}"]


@pytest.mark.parametrize("grain", ["line", "receipt"])
def test_rows_of_unknown_amount_are_told_and_not_every_cent_is_accounted_for(
    cli, shop, capfd, grain
):
    bad = [line("b1", "c1", "2025-01-02", "1,234.50"), line("b2", "c1", "2025-01-02", ""),
           line("b3", "c1", "soon", "4.00")]  # fmt: skip
    shop.csv("receipts1.csv", [*GOOD, *bad, line("b4", "c1", "2025-01-02", "", void="yes")])
    shop.configure(changes={'grain = "line"': f'grain = "{grain}"'})
    assert cli("ingest", *shop.arguments()) == 0
    assert "12 rows from 1 delivery, 3 rejected, 2 of unknown amount" in on_screen(capfd)
    assert cli("rfm", *shop.arguments()) == 0
    told = " ".join(on_screen(capfd).split())
    assert "all 12 receipts accounted for, 2 rows of unknown amount" in told
    assert "went, but for 2 rejected rows of unknown amount" in told
    assert "every cent" not in told
    terms = {row["term"]: row["unknown_amount_rows"]
             for row in stored(shop.warehouse, "reconciliation")}  # fmt: skip
    assert terms == {name: 2 if name == "rejected" else 0 for name in terms}
    [row] = stored(shop.warehouse, "deliveries")
    assert (row["unknown_amount_rows"], row["rejected_rows"]) == (2, 3)
    unknown = {row["receipt_id"] for row in stored(shop.warehouse, "quarantine")
               if row["is_amount_unknown"]}  # fmt: skip
    assert unknown == {"b1", "b2"}
