"""Ten thousand broken rows of forty kinds: each is kept out with its reasons, and no other is."""

from __future__ import annotations

import csv
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from support.shop import RECEIPTS, Shop, stored

SEED = 20250111
ROWS_OF_A_KIND = 250
GOOD_ROWS = 500
NUMBER = re.compile(r"\bk(\d\d)-\d+\b")
"""What each row has in a column that nothing is made of: its kind, and its number."""

TILL = """
[receipts.reject]
free_of_charge = "category = 'free'"

[receipts.types]
points = "int"
"""

WEB = """
[interactions.web]
path = "clicks.jsonl"
format = "json"

[interactions.web.types]
page = "string"
click = "string"
customer = "string"
kind = "string"
time = "string"
seconds = "string"

[interactions.web.columns]
interaction_id = "click"
customer_id = "customer"
kind = "kind"
time = "time"
value = "seconds"
"""

LINES: list[tuple[dict[str, str], str]] = [
    ({"receipt": ""}, "receipt_id_missing"),
    ({"receipt": "nan"}, "receipt_id_missing"),
    ({"receipt": "1.{n}E+11"}, "receipt_id_inexact"),
    ({"customer": "2.{n}E+11"}, "customer_id_inexact"),
    ({"time": "soon"}, "time_unreadable"),
    ({"time": "2025-02-30"}, "time_unreadable"),
    ({"time": "2025-01-02 25:61:00"}, "time_unreadable"),
    ({"time": "31.12.2024"}, "time_unreadable"),
    ({"time": "2125-06-01"}, "date_out_of_range"),
    ({"time": "1969-12-30"}, "date_out_of_range"),
    ({"time": "2090-01-01"}, "date_in_future"),
    ({"time": ""}, "time_missing"),
    ({"amount": ""}, "amount_missing"),
    ({"amount": "  "}, "amount_missing"),
    ({"amount": "ten"}, "amount_not_a_number"),
    ({"amount": "1,50"}, "amount_not_a_number"),
    ({"amount": "€ 5"}, "amount_not_a_number"),
    ({"amount": "--1"}, "amount_not_a_number"),
    ({"amount": "NaN"}, "amount_not_a_number"),
    ({"amount": "1e30"}, "amount_not_a_number"),
    ({"amount": "900000000000"}, "amount_out_of_range"),
    ({"quantity": "one"}, "quantity_not_a_number"),
    ({"points": "many"}, "points_is_not_int"),
    ({"version": "newest"}, "version_unreadable"),
    ({"category": "free"}, "free_of_charge"),
    ({"amount": "ten", "quantity": "one"}, "amount_not_a_number quantity_not_a_number"),
    ({"time": "soon", "points": "1.5x", "category": "free"},
     "free_of_charge points_is_not_int time_unreadable"),
]  # fmt: skip
"""What is other in a line of a receipt of its own, and why it is rejected."""

CLICKS: list[tuple[dict[str, Any], str]] = [
    ({"customer": ""}, "customer_missing"),
    ({"customer": "2.{n}E+11"}, "customer_id_inexact"),
    ({"kind": " "}, "kind_missing"),
    ({"click": None}, "interaction_id_missing"),
    ({"time": None}, "time_missing"),
    ({"time": "whenever"}, "time_unreadable"),
    ({"time": "1900-01-01"}, "date_out_of_range"),
    ({"seconds": "long"}, "value_not_a_number"),
    ({"kind": "", "time": "2125-01-01"}, "date_out_of_range kind_missing"),
]
"""The same of an interaction."""

COLUMNS = (
    *("till", "receipt", "customer", "time", "quantity"),
    *("amount", "category", "void", "version", "points"),
)
FURTHER = ("more fields than the header", "two customers on a receipt", "a line beside a wrong one")
NO_JSON = "customer_missing interaction_id_missing kind_missing row_malformed time_missing"
"""Why a line that is no JSON is rejected: it has nothing at all."""

KINDS = len(LINES) + len(FURTHER) + len(CLICKS) + 1
GOOD = 99


def lines_of_a_till(chance: random.Random) -> Iterator[tuple[list[str], str]]:
    """Fields of a CSV file, and why they are rejected; nothing of good ones."""

    def fields(kind: int, number: int, change: dict[str, str]) -> list[str]:
        found = {
            "till": f"k{kind:02}-{number}",
            "receipt": f"r{kind}-{number}",
            "customer": f"c{chance.randrange(50)}",
            "time": f"2025-01-{chance.randrange(1, 29):02} 12:00:00",
            "quantity": str(chance.randrange(1, 9)),
            "amount": f"{chance.randrange(1, 99)}.{chance.randrange(100):02}",
            "category": "bread",
            "void": "",
            "version": "1",
            "points": str(chance.randrange(9)),
        }
        changed = {name: text.format(n=10_000 + number) for name, text in change.items()}
        return [*(found | changed).values()]

    for number in range(GOOD_ROWS):
        yield fields(GOOD, number, {}), ""
    many, two, beside = range(len(LINES), len(LINES) + len(FURTHER))
    for number in range(ROWS_OF_A_KIND):
        for kind, (change, why) in enumerate(LINES):
            yield fields(kind, number, change), why
        yield [*fields(many, number, {}), "more"], "row_malformed"
        same = {"time": "2025-01-02", "receipt": f"two-{number // 2}", "customer": f"c{number % 2}"}
        yield fields(two, number, same), "two_customers_on_one_receipt"
        same |= {"receipt": f"one-{number // 2}", "customer": "c1"}
        if number % 2:
            yield fields(beside, number, same), "another_line_of_the_receipt_rejected"
        else:
            yield fields(beside, number, same | {"amount": "x"}), "amount_not_a_number"


def lines_of_the_web(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Lines of JSON, and why they are rejected; nothing of good ones."""

    def text(kind: int, number: int, change: dict[str, Any]) -> str:
        found = {
            "page": f"k{kind:02}-{number}",
            "click": f"{kind}-{number}",
            "customer": f"c{chance.randrange(50)}",
            "kind": "click",
            "time": f"2025-01-{chance.randrange(1, 29):02} 12:00:00",
            "seconds": str(chance.randrange(99)),
        }
        changed = {
            name: value and value.format(n=10_000 + number) for name, value in change.items()
        }
        return json.dumps(found | changed)

    for number in range(GOOD_ROWS):
        yield text(GOOD, number, {}), ""
    first = len(LINES) + len(FURTHER)
    for number in range(ROWS_OF_A_KIND):
        for kind, (change, why) in enumerate(CLICKS, first):
            yield text(kind, number, change), why
        yield f"k{first + len(CLICKS)}-{number} is no JSON", NO_JSON


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    changes = {
        "max_rejected_share = 0.5": "max_rejected_share = 0.99",
        "is_void = \"coalesce(void, '') = 'yes'\"": 'version = "version"\nitems = "points"',
    }
    shop.configure(RECEIPTS + TILL + WEB, changes)
    return shop


def test_every_broken_row_is_kept_out_with_its_reasons_and_no_other_is(cli, shop):
    chance = random.Random(SEED)
    till, web = [*lines_of_a_till(chance)], [*lines_of_the_web(chance)]
    chance.shuffle(till)
    chance.shuffle(web)
    with shop.file("receipts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *(fields for fields, _ in till)])
    shop.file("clicks.jsonl").write_text("".join(f"{text}\n" for text, _ in web), encoding="utf-8")
    expected = {
        NUMBER.search(" ".join(row) if isinstance(row, list) else row)[0]: why
        for row, why in [*till, *web]
        if why
    }
    assert len(expected) == KINDS * ROWS_OF_A_KIND == 10_000

    assert cli("ingest", *shop.arguments()) == 0
    kept_out = stored(shop.warehouse, "quarantine")
    found = {NUMBER.search(row["raw"])[0]: " ".join(sorted(row["reasons"])) for row in kept_out}
    assert Counter(found.values()) == Counter(expected.values())
    assert found == expected
    assert len(kept_out) == len(expected)
    good = {f"r{GOOD}-{number}" for number in range(GOOD_ROWS)}
    assert {row["receipt_id"] for row in stored(shop.warehouse, "receipts")} == good
    good = {f"web:{GOOD}-{number}" for number in range(GOOD_ROWS)}
    assert {row["interaction_id"] for row in stored(shop.warehouse, "interactions")} == good
    deliveries = stored(shop.warehouse, "deliveries")
    assert sum(row["rejected_rows"] for row in deliveries) == len(expected)
    assert sum(row["rows"] for row in deliveries) == len(till) + len(web)


def test_amounts_that_add_up_to_more_than_a_number_holds_end_nobodys_night(cli, shop):
    largest = [[f"r{n}", f"c{n % 3}", "2025-01-02", "1", "99999999999.99"] for n in range(9)]
    too_large = [[f"x{n}", "c1", "2025-01-02", "300000000", "300000000"] for n in range(4)]
    with shop.file("receipts.csv").open("w", encoding="utf-8", newline="") as file:
        header = ["receipt", "customer", "time", "quantity", "price"]
        csv.writer(file).writerows([header, *largest, *too_large])
    shop.configure(
        RECEIPTS,
        {
            'amount = "amount"': 'unit_price = "price"',
            "category = \"category\"\nis_void = \"coalesce(void, '') = 'yes'\"": "",
        },
    )
    assert cli("run", *shop.arguments()) == 0
    assert len(stored(shop.warehouse, "receipts")) == len(largest)
    reasons = [row["reasons"] for row in stored(shop.warehouse, "quarantine")]
    assert reasons == [["amount_out_of_range"]] * len(too_large)
    [cell] = {row["monetary_cents"] for row in stored(shop.warehouse, "rfm")}
    assert cell == 3 * 9_999_999_999_999
