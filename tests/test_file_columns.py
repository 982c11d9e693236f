"""Columns that files lack, misname or name twice: told, and never read as NULL in silence."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.screen import on_screen, problems
from support.shop import Shop, line, stored, versions

GOOD = [line(f"r{n}", f"c{n}", f"2025-01-1{n} 23:30:00", f"{n}.00") for n in range(1, 9)]
TEXTS = ["receipt", "customer", "time", "quantity", "amount", "category", "void"]
IN_JSON = {
    "receipts*.csv": "receipts*.json",
    '"csv"': '"json"',
    "[receipts.columns]": "[receipts.types]\n"
    + "".join(f'{name} = "STRING"\n' for name in TEXTS)
    + "\n[receipts.columns]",
}


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def without(name, rows, called=None):
    """Rows without a column, or with another name for it."""
    return [
        {
            called if key == name else key: value
            for key, value in row.items()
            if called or key != name
        }
        for row in rows
    ]


def test_a_parquet_file_that_lacks_a_column_is_refused(cli, shop, capfd):
    shop.parquet("receipts1.parquet", GOOD)
    shop.configure(changes={"receipts*.csv": "*.parquet", '"csv"': '"parquet"'})
    assert cli("ingest", *shop.arguments()) == 0
    before = versions(shop.warehouse)
    shop.parquet("receipts2.parquet", GOOD)
    shop.parquet("receipts3.parquet", without("customer", GOOD, called="customers"))
    shop.parquet("receipts4.parquet", without("customer", GOOD))
    shop.parquet("receipts5.parquet", without("amount", without("customer", GOOD)))
    capfd.readouterr()
    assert cli("ingest", *shop.arguments()) == 2
    told = problems(capfd)
    third, fifth = (f"{shop.raw}/receipts{n}.parquet, unlike other files, has no" for n in (3, 5))
    assert told == [
        f"[receipts.columns] customer_id = 'customer': {third} column 'customer'; "
        "did you mean 'customers'?",
        f"[receipts.columns] customer_id = 'customer': {fifth} column 'customer'; "
        "did you mean 'time'?",
        f"[receipts.columns] amount = 'amount': {fifth} column 'amount'; "
        "known here: category, quantity, receipt, time, void",
    ]
    assert {**versions(shop.warehouse), "runs": 0} == {**before, "runs": 0}


def test_parquet_files_may_differ_in_columns_of_no_use_and_in_case(cli, shop):
    others = [{**row, "receipt": f"s{row['receipt']}"} for row in GOOD]
    shop.parquet("receipts1.parquet", without("customer", others, called="Customer"))
    shop.parquet("receipts2.parquet", [{**row, "till": "7"} for row in GOOD])
    shop.configure(changes={"receipts*.csv": "*.parquet", '"csv"': '"parquet"'})
    assert cli("ingest", *shop.arguments()) == 0
    customers = [row["customer_id"] for row in stored(shop.warehouse, "receipts")]
    assert sorted(customers) == sorted(row["customer"] for row in [*GOOD, *others])


@pytest.mark.parametrize("indent", [None, 1], ids=["lines", "array"])
def test_keys_of_json_that_are_called_otherwise_are_told_at_first(cli, shop, capfd, indent):
    rows = without("customer", GOOD, called="Customer")
    shop.json_lines("receipts1.json", rows)
    if indent is not None:
        text = json.dumps(rows, indent=indent)
        shop.file("receipts1.json").write_text(text, encoding="utf-8-sig")
    shop.configure(changes=IN_JSON)
    for job in ("check", "run") if indent is None else ("check",):
        assert cli(job, *shop.arguments()) == 2
        [told] = problems(capfd)
        assert told.startswith("[receipts.types] customer: no row of receipts1.json has it; did ")
        assert "did you mean 'Customer'? Where there are both, declare both" in told
    assert versions(shop.warehouse) == {}


def test_json_lines_may_leave_out_what_has_no_value(cli, shop, capfd):
    shop.json_lines("receipts1.json", without("void", GOOD))
    shop.configure(changes=IN_JSON)
    assert cli("ingest", *shop.arguments()) == 0
    assert "[receipts.types] void: no row of receipts1.json has it" in on_screen(capfd)
    # Lines of a source that is known may hold anything: a night is not to fail for its first rows.
    more = [{**row, "receipt": f"s{row['receipt']}"} for row in without("void", GOOD)]
    shop.json_lines("receipts2.json", without("category", more, called="categories"))
    assert cli("ingest", *shop.arguments()) == 0
    told = " ".join(on_screen(capfd).split())
    assert "category: no row of receipts2.json has it, so it is NULL there" in told
    assert "void: no row of receipts2.json has it" in told
    assert len(stored(shop.warehouse, "receipts")) == 2 * len(GOOD)
    # But ids, times, money and predicates are not to be lost: all would be receipts of guests.
    before = versions(shop.warehouse)
    most = [{**row, "receipt": f"t{row['receipt']}"} for row in GOOD]
    shop.json_lines("receipts3.json", without("customer", most, called="customers"))
    assert cli("ingest", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert "customer: no row of receipts3.json has it; did you mean 'customers'?" in told
    assert versions(shop.warehouse) == before


def test_json_that_cannot_be_read_is_named(cli, shop, capfd):
    whole = gzip.compress(json.dumps(GOOD[0]).encode() * 100)
    shop.file("receipts1.json.gz").write_bytes(whole[: len(whole) // 2])
    shop.configure(changes=IN_JSON | {"receipts*.csv": "receipts*.json.gz"})
    for job in ("check", "run"):
        assert cli(job, *shop.arguments()) == 2
        [told] = problems(capfd)
        assert f"{shop.raw}/receipts1.json.gz cannot be read as text" in told


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD, indent=1)[:-20],
        '[{"receipt": "1"}, 2]',
        '[{"receipt": "1"}]\n[{"receipt": "2"}]\n',
        '[{"receipt": "1"}] [{"receipt": "2"}]',
    ],
)
def test_a_broken_json_array_is_no_malformed_row(cli, shop, capfd, text):
    """Of many rows: it would be one of them, and all of its own would be missing."""
    shop.file("receipts1.json").write_text(text)
    shop.json_lines("receipts2.json", GOOD * 200)
    shop.configure(changes=IN_JSON)
    assert cli("check", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert "receipts1.json: begins as a JSON array, and is not one whole array of objects" in told


def test_a_column_that_json_does_not_declare_is_told(cli, shop, capfd):
    shop.json_lines("receipts1.json", GOOD)
    shop.configure(changes={**IN_JSON, 'category = "STRING"\n': ""})
    assert cli("check", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert "category = 'category': `types` has no column 'category'" in told


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (",receipt,customer,time,quantity,amount,category,void", "header, column 1: no name"),
        ("n,receipt,customer,time,quantity,amount,category,", "header, column 8: no name"),
        (
            "n,receipt,customer,time,quantity,amount,receipt,void",
            "header, column 2, 7: no name, or one that another column has",
        ),
        (
            "n,receipt,customer,time,quantity,amount,Time,void",
            "header, column 4, 7: no name, or one that another column has",
        ),
    ],
)
def test_a_header_with_no_name_or_one_twice_is_told(cli, shop, capfd, header, told):
    shop.file("receipts1.csv").write_text(f"{header}\n1,r1,c1,2025-01-01,1,2.00,bread,\n")
    shop.configure()
    assert cli("check", *shop.arguments()) == 2
    [problem] = problems(capfd)
    assert f"[receipts] {shop.raw}/receipts1.csv: " in problem
    assert told in problem


def test_names_that_end_in_their_place_are_names_like_others(cli, shop):
    shop.csv("receipts1.csv", without("customer", GOOD, called="part1"))
    shop.configure(changes={'"customer"': '"part1"'})
    assert cli("check", *shop.arguments()) == 0


TIME = 'time = "time"'


@pytest.mark.parametrize(
    "changes",
    [
        {TIME: 'time = "to_timestamp(time)"'},
        {"[receipts.columns]": '[receipts.types]\ntime = "TIMESTAMP"\n\n[receipts.columns]'},
    ],
)
def test_text_that_was_made_a_timestamp_is_refused(cli, shop, capfd, changes):
    shop.csv("receipts1.csv", GOOD)
    shop.configure(changes=changes)
    assert cli("check", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert told.startswith("[receipts.columns] time: makes a timestamp of something else")
    shop.configure(changes={**changes, "Europe/Berlin": "UTC"})
    assert cli("check", *shop.arguments()) == 0


@pytest.mark.parametrize(
    ("expression", "hour"),
    [
        ("time", 22),  # in Berlin in winter
        ("to_timestamp_ntz(time)", 22),
        ("concat(timestamp_seconds(unix_seconds(to_timestamp(time))), 'Z')", 23),
    ],
)
def test_what_stands_in_for_a_timestamp_is_read_as_it_should(cli, shop, expression, hour):
    shop.csv("receipts1.csv", GOOD)
    shop.configure(changes={TIME: f'time = "{expression}"'})
    assert cli("ingest", *shop.arguments()) == 0
    found = [row["receipt_ts"] for row in stored(shop.warehouse, "receipts")]
    assert sorted(found) == [datetime(2025, 1, 10 + n, hour, 30, tzinfo=UTC) for n in range(1, 9)]


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_timestamp_of_parquet_is_one_but_not_what_is_made_of_its_text(cli, shop, capfd, zone):
    rows = pa.Table.from_pylist(GOOD)
    instant = pa.array([datetime(2025, 1, 11, 23, 30)] * len(GOOD), pa.timestamp("us", tz=zone))  # noqa: DTZ001
    shop.raw.mkdir()
    inside = pa.StructArray.from_arrays([instant], ["at"])
    rows = rows.append_column("at", instant).append_column("sale", inside)
    pq.write_table(rows, shop.raw / "receipts1.parquet")
    parquet = {"receipts*.csv": "*.parquet", '"csv"': '"parquet"'}
    # Spark makes an instant, of UTC, of what comes without a zone.
    truncated = {f"date_trunc('hour', {at})": zone is not None for at in ("at", "sale.at")}
    made = {"at": True, "sale.at": True, **truncated, "to_timestamp(time)": False}
    for expression, is_as_told in made.items():
        shop.configure(changes={**parquet, TIME: f'time = "{expression}"'})
        assert cli("check", *shop.arguments()) == (0 if is_as_told else 2)
        told = [one for one in problems(capfd) if "makes a timestamp of something else" in one]
        assert len(told) == (0 if is_as_told else 1)


def test_a_later_parquet_file_needs_the_column_of_a_lookup(cli, shop, capfd):
    shop.parquet("receipts1.parquet", [{**row, "till": "7"} for row in GOOD])
    shop.parquet("receipts2.parquet", GOOD)
    shop.csv("tills.csv", [{"till": "7", "store": "Ulm"}])
    lookup = '[receipts.lookups.tills]\npath = "tills.csv"\nformat = "csv"\non = "till"\n\n'
    here = "[receipts.columns]"
    # In this order: the look-up stays one of CSV.
    changes = {"receipts*.csv": "*.parquet", '"csv"': '"parquet"', here: lookup + here}
    shop.configure(changes=changes)
    assert cli("check", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert told == f"[receipts.lookups.tills] on: {shop.raw}/receipts2.parquet has no column 'till'"


NAMES = {
    "receipt": "Order #",
    "customer": "customer.id",
    "time": "Bought (at)",
    "amount": "net-tax",
}


def test_a_column_is_known_by_its_name_whatever_signs_are_in_it(cli, shop, capfd):
    # The decoys are what Spark would take instead: Order, customer, net - tax.
    decoys = {"Order": "0", "net": "7", "tax": "1", "Customer": "nobody"}
    rows = [{**{NAMES.get(k, k): v for k, v in row.items()}, **decoys} for row in GOOD]
    shop.csv("receipts1.csv", rows)
    shop.configure(changes={f'= "{name}"': f'= "{NAMES[name]}"' for name in NAMES})
    assert cli("ingest", *shop.arguments()) == 0
    found = {(row["receipt_id"], row["customer_id"]) for row in stored(shop.warehouse, "receipts")}
    assert found == {(row["receipt"], row["customer"]) for row in GOOD}
    for written, told in (
        ("Customer ID", "is neither a column of"),  # to Spark: Customer AS ID
        ("'customer.id'", "needs no column, so it is the same for all rows; text in quotes is a "
         "constant: for the column write customer.id"),
        ("uuid()", "needs no column, so it is the same for all rows"),
    ):  # fmt: skip
        setting = f'receipts.columns.customer_id="{written}"'
        assert cli("check", *shop.arguments(), "--set", setting) == 2
        [problem] = problems(capfd)
        assert problem.startswith("[receipts.columns] customer_id = ")
        assert told in problem
