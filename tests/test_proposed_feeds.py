"""What `rfm-spark init` makes of receipts of several sorts: tills, a web shop, and other years."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.exports import SHOPIFY, csv_text, written
from support.proposals import HEADER, doubts_of, loaded, orders

from rfm_spark.app.proposal.proposal import Proposal, proposal

TILL = ["Bon-Nr.", "Kunden-Nr.", "Datum", "Menge", "Betrag", "Warengruppe"]


def bons(number: int = 10) -> list[list[str]]:
    """Lines of a till, two a receipt, of customers that the web shop knows as well."""
    return [
        [f"{1000 + n}", f"k{n % 4}", f"{5 + n}.02.2026 17:30", "1", f"{n},{place}5", group]
        for n in range(number)
        for place, group in enumerate(("Brot", "Tee"))
    ]


def web(number: int = 10) -> str:
    """Orders of a web shop; they have a type."""
    at = "2026-03-{:02}T09:00:00Z"
    return "".join(
        json.dumps({"order_id": 1000 + n, "customer": f"k{n % 5}", "type": "order",
                    "created_at": at.format(n + 1), "total": n + 0.5}) + "\n"
        for n in range(number)
    )  # fmt: skip


def sections(found: Proposal) -> list[str]:
    return [one.section for one in found.findings]


def test_tills_and_a_web_shop_are_feeds_by_the_names_of_their_files(tmp_path: Path) -> None:
    for month in (1, 2):
        written(tmp_path / f"till-{month}.csv", csv_text(TILL, bons(8 + month), ";"))
    written(tmp_path / "web shop.jsonl", web())
    found = proposal([tmp_path])
    assert sections(found) == ["receipts.till", "receipts.web_shop"]
    till, shop = loaded(found, tmp_path).feeds.values()
    assert (till.path, till.grain, till.delimiter) == ("till-*.csv", "line", ";")
    assert (shop.path, shop.format, shop.grain) == ("web shop.jsonl", "json", "receipt")
    assert till.columns.amount == "translate(Betrag, ',', '.')"
    assert shop.columns.amount == "total"
    assert found.left_out == []
    assert "taken for another feed than till" in doubts_of(found)
    assert "4 of 5 customers are in both" in doubts_of(found)


def test_feeds_are_called_as_their_folders_where_files_are_called_alike(tmp_path: Path) -> None:
    written(tmp_path / "Store North" / "2026.csv", csv_text(TILL, bons(), ";"))
    written(tmp_path / "online" / "2026.csv", csv_text(HEADER, orders()))
    assert sorted(sections(proposal([tmp_path]))) == ["receipts.online", "receipts.store_north"]


def test_a_file_of_digits_is_called_as_its_folder(tmp_path: Path) -> None:
    written(tmp_path / "north" / "2026.csv", csv_text(TILL, bons(), ";"))
    written(tmp_path / "web.csv", csv_text(HEADER, orders()))
    assert sorted(sections(proposal([tmp_path]))) == ["receipts.north", "receipts.web"]


def test_no_feed_is_called_as_a_key_of_receipts(tmp_path: Path) -> None:
    written(tmp_path / "shop" / "columns.csv", csv_text(TILL, bons(), ";"))
    written(tmp_path / "shop" / "types.csv", csv_text(HEADER, orders()))
    found = proposal([tmp_path])
    assert sorted(sections(found)) == ["receipts.shop_columns", "receipts.shop_types"]
    assert sorted(loaded(found, tmp_path).feeds) == sorted(sections(found))


def test_a_known_export_and_other_receipts_are_feeds(tmp_path: Path) -> None:
    written(tmp_path / "orders_export.csv", SHOPIFY)
    written(tmp_path / "till.csv", csv_text(TILL, bons(), ";"))
    found = proposal([tmp_path])
    assert sections(found) == ["receipts.orders_export", "receipts.till"]
    assert found.findings[0].title == "Shopify's orders"
    loaded(found, tmp_path)


def test_files_that_tell_of_the_same_purchases_are_no_feeds(tmp_path: Path) -> None:
    lines = [[*row[:3], f"sku-{n}", "1", row[3]] for row in orders() for n in (1, 2)]
    header = ["order_id", "customer", "created_at", "sku", "quantity", "price"]
    written(tmp_path / "lines.csv", csv_text(header, lines))
    written(tmp_path / "orders.csv", csv_text(HEADER, orders()))
    found = proposal([tmp_path])
    assert sections(found) == ["receipts"]
    [told] = found.left_out
    assert "left out: it tells of the same purchases" in told


@pytest.mark.parametrize(
    ("name", "ids", "money"),
    [("refunds-2026.csv", "id", "amount"), ("back.csv", "refund_id", "amount"),
     ("all.csv", "id", "refund amount"), ("abandoned carts.csv", "id", "total")],
)  # fmt: skip
def test_what_is_given_back_or_not_bought_is_no_feed(tmp_path: Path, name, ids, money) -> None:
    written(tmp_path / "orders.csv", csv_text(HEADER, orders(30)))
    back = [[f"R{n}", f"k{n % 3}", f"2026-05-0{n + 1}", f"{n}.50"] for n in range(6)]
    written(tmp_path / name, csv_text([ids, "customer", "date", money], back))
    found = proposal([tmp_path])
    assert sections(found) == ["receipts"]
    [told] = found.left_out
    assert f"{name}: left out: a name in it tells of what is given back" in told


def test_years_of_other_columns_are_one_source(tmp_path: Path) -> None:
    written(tmp_path / "2024.csv", csv_text(HEADER, orders()))
    later = [[row[1], row[0], f"2025{row[2][4:]}", row[3], "Zoë"] for row in orders()]
    header = ["customer", "order_id", "created_at", "total", "note"]
    written(tmp_path / "sales.csv", csv_text(header, later))
    found = proposal([tmp_path])
    receipts = loaded(found, tmp_path).receipts
    assert (receipts.path, receipts.encoding) == ("*.csv", "UTF-8")
    assert "2024.csv: other columns than sales.csv (note)" in doubts_of(found)


def test_feeds_of_other_currencies_are_told(tmp_path: Path) -> None:
    dollars = [[*row, "USD"] for row in orders()]
    written(tmp_path / "web.csv", csv_text([*HEADER, "currency"], dollars))
    euros = [[*row[:4], f"{row[4]} €", row[5]] for row in bons(40)]
    written(tmp_path / "till.csv", csv_text(TILL, euros, ";"))
    assert "its money is USD, and that of till EUR" in doubts_of(proposal([tmp_path]))
