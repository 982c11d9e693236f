"""Several feeds of receipts: tills and a web shop, each with its own files and columns."""

from __future__ import annotations

import pytest
from support.screen import on_screen, problems
from support.shop import RECEIPTS, Shop, line, stored, versions

from rfm_spark.app.loading import load_settings
from rfm_spark.core.errors import UserError

TILL = RECEIPTS.replace("[receipts", "[receipts.till")
WEB = """
[receipts.web]
path = "web*.json"
format = "json"
grain = "receipt"

[receipts.web.types]
order = "BIGINT"
customer = "STRING"
at = "STRING"
total = "DECIMAL(12,2)"
code = "STRING"

[receipts.web.columns]
receipt_id = "order"
customer_id = "customer"
time = "at"
amount = "total"
promotion = "code is not null"
"""
LINES = [
    line("1001", "anna", "2025-01-11 10:00:00", "3.00"),
    line("1001", "anna", "2025-01-11 10:00:00", "4.00", category="milk"),
    line("1002", "ben", "2025-01-12 10:00:00", "5.00"),
    line("bad", "ben", "2025-01-12 10:00:00", "five"),
]


def order(number, customer, day, total, code=None):
    """An order of the web shop, as its system writes it."""
    at = f"{day}T09:00:00"
    return {"order": number, "customer": customer, "at": at, "total": total, "code": code}


ORDERS = [
    order(1001, "anna", "2025-02-01", 20.50, "WINTER"),
    order(1003, "cleo", "2025-02-02", 7.25),
    order(1003, "cleo", "2025-02-02", 7.25),
    order(1004, "cleo", "soon", 1.00),
]


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def receipts(shop):
    """Id to what counts of each current receipt."""
    return {
        row["receipt_id"]: (row["customer_id"], row["net_cents"], row["has_promotion"])
        for row in stored(shop.warehouse, "receipts")
        if row["status"] == "current"
    }


def test_feeds_are_one_set_of_customers_and_their_ids_are_apart(cli, shop, capfd):
    shop.csv("receipts1.csv", LINES)
    shop.json_lines("web1.json", ORDERS)
    shop.configure(TILL + WEB)
    for command in ("check", "ingest"):
        assert cli(command, *shop.arguments()) == 0
    assert receipts(shop) == {
        "till:1001": ("anna", 7_00, False),
        "till:1002": ("ben", 5_00, False),
        "web:1001": ("anna", 20_50, True),
        "web:1003": ("cleo", 7_25, False),
    }
    # A night with a delivery of one of them; then every cent of both is accounted for.
    shop.json_lines("web2.json", [order(1003, "cleo", "2025-02-02", 6.00)])
    assert cli("ingest", *shop.arguments()) == 0
    capfd.readouterr()
    place = ("--config", shop.config, "--warehouse", shop.warehouse)
    assert cli("rfm", *place) == 0
    assert "all 7 receipts accounted for, 1 rows of unknown amount" in on_screen(capfd)
    terms = {
        row["term"]: (row["receipts"], row["net_cents"])
        for row in stored(shop.warehouse, "reconciliation")
        if row["profile"] == "purchase"
    }
    assert terms["raw"] == (7, 54_00)
    assert terms["rejected"] == (2, 1_00)
    assert terms["dropped"] == (0, 7_25)
    assert terms["superseded"] == (1, 7_25)
    assert terms["scored"][1] == 7_00 + 5_00 + 20_50 + 6_00
    # What one feed brought can be taken back without the other.
    assert cli("retract", "web1.json", "web2.json", *place) == 0
    assert sorted(receipts(shop)) == ["till:1001", "till:1002"]


def test_feeds_may_share_their_ids(cli, shop):
    """The web shop's orders also go through the tills: the newer delivery of one counts."""
    shop.csv("receipts1.csv", LINES[:3])
    shop.json_lines("web1.json", ORDERS[:2])
    shared = {"[receipts.till.columns]": "shares_ids = true\n\n[receipts.till.columns]"}
    web = WEB.replace("[receipts.web.types]", "shares_ids = true\n\n[receipts.web.types]")
    shop.configure(TILL + web, shared)
    assert cli("ingest", *shop.arguments()) == 0
    assert receipts(shop) == {
        "1001": ("anna", 20_50, True), "1002": ("ben", 5_00, False), "1003": ("cleo", 7_25, False),
    }  # fmt: skip
    assert [row["status"] for row in stored(shop.warehouse, "receipts")].count("superseded") == 1


def test_a_feed_that_gets_a_name_brings_nothing_twice(cli, shop):
    shop.csv("receipts1.csv", LINES)
    shop.configure()
    assert cli("ingest", *shop.arguments()) == 0
    shop.configure(TILL)
    assert cli("ingest", *shop.arguments()) == 0
    assert sorted(receipts(shop)) == ["till:1001", "till:1002"]
    [delivery] = stored(shop.warehouse, "deliveries")
    assert delivery["source"] == "receipts.till"
    [bad] = stored(shop.warehouse, "quarantine")
    assert bad["source"] == "receipts.till"


def test_a_file_of_two_feeds_is_refused(cli, shop, capfd):
    shop.csv("receipts1.csv", LINES)
    other = TILL[TILL.index("[receipts") : TILL.index("[cohorts]")].replace(".till", ".shop")
    shop.configure(TILL.replace("[cohorts]", f"{other}\n[cohorts]"))
    for command in ("check", "ingest"):
        assert cli(command, *shop.arguments()) == 2
        assert [one.rpartition(".toml: ")[2] for one in problems(capfd)] == [
            "receipts1.csv: is a delivery of [receipts.till] and [receipts.shop]: give each feed a "
            "path of its own"
        ]
    assert versions(shop.warehouse) == {}
    # As well where one of them has taken it in before.
    both = shop.config.read_text()
    shop.configure(TILL)
    assert cli("ingest", *shop.arguments()) == 0
    shop.config.write_text(both)
    capfd.readouterr()
    assert cli("ingest", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert told.startswith("receipts1.csv: is a delivery of [receipts.till] and [receipts.shop]")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RECEIPTS + WEB, "receipts: path, format, grain, columns beside [receipts.<name>]: where"),
        (TILL.replace('time = "time"\n', ""), "receipts.till.columns.time: missing"),
        (TILL.replace('grain = "line"', 'grian = "line"'), "receipts.till.grian: unknown key; did"),
        (TILL.replace(".till", ".Till"), "receipts.Till: string should match pattern"),
    ],
)
def test_what_is_wrong_with_a_feed_is_told_by_its_section(shop, text, told):
    with pytest.raises(UserError) as refused:
        load_settings(shop.configure(text))
    assert any(f"{shop.config}: {told}" in one for one in refused.value.problems), refused.value
