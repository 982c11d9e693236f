"""What `rfm-spark init` finds in files, and what it says of what it cannot know; without Spark."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from deltalake import write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.exports import (
    GA4,
    KLAVIYO,
    LIGHTSPEED,
    SHOPIFY,
    SQUARE,
    STRIPE,
    WOOCOMMERCE,
    csv_text,
    written,
)

from rfm_spark.app.loading import load_settings
from rfm_spark.app.proposal.csv_dialects import dialect_of
from rfm_spark.app.proposal.findings import Finding
from rfm_spark.app.proposal.numbers import number_format
from rfm_spark.app.proposal.presets import presets
from rfm_spark.app.proposal.proposal import Proposal, proposal
from rfm_spark.app.proposal.times import epoch_format, time_format
from rfm_spark.app.settings import Settings
from rfm_spark.cli import exit_code
from rfm_spark.core.errors import UserError

HEADER = ["id", "customer", "at", "total"]
ROWS = [
    ["1", "ada", "2026-01-05 09:00:00", "10.00"],
    ["2", "bob", "2026-01-25 10:00:00", "20.50"],
    ["3", "ada", "2026-01-26 11:00:00", "3.00"],
]


def proposed(place: Path, text: str, name: str = "r.csv", encoding: str = "utf-8") -> Proposal:
    return proposal([written(place / name, text, encoding)])


def loaded(found: Proposal, place: Path) -> Settings:
    file = place / "proposed.toml"
    file.write_text(found.text, encoding="utf-8")
    return load_settings(file)


def columns_of(found: Proposal, at: int = 0) -> dict[str, str | list[str]]:
    return {key: field.written() for key, field in found.findings[at].fields.items()}


def refusal(place: Path, text: str, name: str = "r.csv") -> str:
    with pytest.raises(UserError) as caught:
        proposed(place, text, name)
    [problem] = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("values", "decimal", "is_unsure"),
    [
        (["1.234,50", "3,00"], ",", False),
        (["1,234.50", "3.00"], ".", False),
        (["12,5", "7"], ",", False),
        (["1,234", "7"], ".", True),
        (["1.234", "7"], ".", True),
        (["0,125", "1,234"], ",", False),
        (["1,234,567"], ".", False),
        (["1.50", "2,50", "3.50"], ".", True),
    ],
)
def test_decimal_marks_are_told_by_all_values_together(values, decimal, is_unsure) -> None:
    found = number_format(values)
    assert found is not None
    assert (found.decimal, bool(found.doubts)) == (decimal, is_unsure)


def test_what_is_ambiguous_follows_the_other_columns_of_the_file(tmp_path: Path) -> None:
    rows = [[*row[:3], "1.234", cents] for row, cents in zip(ROWS, ["1,50", "2,5", "3,00"],
                                                             strict=True)]  # fmt: skip
    found = proposed(tmp_path, csv_text([*HEADER, "tip"], rows, ";"))
    assert found.findings[0].fields["amount"].read(found.findings[0].group.sample.rows[0]) == "1234"


def test_values_that_are_numbers_have_no_marks_to_be_unsure_of() -> None:
    found = number_format([1.125, 2.375, 3])
    assert found is not None
    assert (found.is_plain, found.digits, found.doubts) == (True, 3, [])


@pytest.mark.parametrize(
    "values", [["A12", "B7"], ["red", "7", "8"], ["12 Main St"], ["x"], ["١٢"]]
)
def test_codes_are_no_numbers(values: list[str]) -> None:
    assert number_format(values) is None


@pytest.mark.parametrize(
    ("values", "pattern", "is_unsure"),
    [
        (["2026-01-05", "2026-01-06"], None, False),
        (["2026-01-05T09:00:00Z"], None, False),
        (["25/01/2026 09:00", "05/02/2026 10:00"], "d/M/yyyy H:mm", False),
        (["01/25/2026 9:00 AM"], "M/d/yyyy h:mm a", False),
        (["05.02.2026", "06.02.2026"], "d.M.yyyy", True),
        (["05/02/2026", "05/03/2026", "01/04/2026", "03/04/2026"], "d/M/yyyy", True),
        (["02/05/2026", "03/05/2026", "04/01/2026", "04/03/2026"], "M/d/yyyy", True),
        (["25/01/26 09:00", "26/01/26 10:00:05"], "d/M/yy H:mm[:ss]", True),
        (["25/01/2026", "26/01/2026 10:00"], "d/M/yyyy[ H:mm]", False),
        (["Jan 25, 2026"], "MMM d, yyyy", False),
        (["20260125"], "yyyyMMdd", False),
    ],
)
def test_patterns_of_times_are_told_by_all_values_together(values, pattern, is_unsure) -> None:
    found = time_format(values)
    assert found is not None
    assert (found.pattern, bool(found.doubts)) == (pattern, is_unsure)


@pytest.mark.parametrize(
    "values", [["31/02/2026"], ["13/13/2026"], ["2026-01-05", "soon"], ["x"], ["٢٠٢٦-01-05"]]
)
def test_what_no_calendar_has_is_no_time(values: list[str]) -> None:
    assert time_format(values) is None


def test_numbers_since_1970_tell_their_unit_by_their_size() -> None:
    units = {1_767_655_800: "seconds", 1_767_655_800_000: "millis", 1_767_655_800_000_000: "micros"}
    for number, unit in units.items():
        found = epoch_format([number, str(number + 1)])
        assert found is not None
        assert found.epoch == unit
    assert epoch_format([12, 1_767_655_800]) is None


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "||", "~"])
def test_delimiters_are_told_where_other_marks_come_as_often(delimiter: str) -> None:
    rows = [["1", "Berg, Ada", "05.01.2026 09:00:00", "1.234,50"],
            ["2", "Lind; Bo", "06.01.2026 10:00:00", "2,00"]]  # fmt: skip
    quoted = [[f'"{one}"' for one in row] for row in [HEADER, *rows]]
    text = "\n".join(delimiter.join(row) for row in quoted)
    assert dialect_of(text).delimiter == delimiter


def test_quotes_and_escapes_are_told() -> None:
    mysql = 'id,item\n1,"Wine \\"Old\\", red"\n2,"Cask"\n'
    assert dialect_of(mysql).escape == "\\"
    single = "id,item,x\n1,'Wine, red',a\n2,'Cask, big',b\n"
    assert dialect_of(single).quote == "'"
    assert dialect_of('id,note\n1,"two\nlines"\n2,"one"\n').is_multiline


SHAPES = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "decimal": st.sampled_from([".", ","]),
        "has_thousands": st.booleans(),
        "sign": st.sampled_from(["", " €", "$"]),
        "day": st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p",
                                "%d/%m/%Y", "%Y/%m/%d %H:%M:%S"]),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
        "names": st.sampled_from([
            ["Order #", "Customer ID", "Created at", "Total"],
            ["receipt_no", "card", "bought_at", "amount"],
            ["Belegnummer", "Kundennummer", "Datum", "Betrag"],
            ["InvoiceNo", "CustomerID", "InvoiceDate", "Revenue"],
            ["c1", "c2", "c3", "c4"],
        ]),
        "order": st.permutations(range(4)),
        "seed": st.integers(0, 2**32),
    }
)  # fmt: skip


def money_text(cents: int, shape: dict) -> str:
    whole, behind = divmod(abs(cents), 100)
    text = f"{whole:,}" if shape["has_thousands"] else str(whole)
    if shape["decimal"] == ",":
        text = text.replace(",", ".")
    number = f"{text}{shape['decimal']}{behind:02}"
    signed = f"${number}" if shape["sign"] == "$" else f"{number}{shape['sign']}"
    return f"-{signed}" if cents < 0 else signed


@given(shape=SHAPES)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_the_same_receipts_in_any_shape_mean_the_same_or_are_told_to_be_unsure(
    tmp_path_factory, shape
) -> None:
    chance = random.Random(shape["seed"])
    start = datetime(2026, 1, 1)  # noqa: DTZ001 - local times
    meant = [
        (f"B{number}", f"k{chance.randrange(20)}é", start + timedelta(hours=7 * number),
         chance.randrange(-5_000, 900_000))
        for number in range(60)
    ]  # fmt: skip
    if shape["encoding"] == "latin-1" and shape["sign"] == " €":
        shape["sign"] = ""
    rows = [
        [receipt, customer, at.strftime(shape["day"]), money_text(cents, shape)]
        for receipt, customer, at, cents in meant
    ]
    text = csv_text(
        [shape["names"][place] for place in shape["order"]],
        [[row[place] for place in shape["order"]] for row in rows],
        shape["delimiter"],
    )
    folder = tmp_path_factory.mktemp("shape")
    found = proposed(folder, text, encoding=shape["encoding"])
    [one] = found.findings
    loaded(found, folder)
    read = [
        (
            one.fields["receipt_id"].read(row),
            one.fields["customer_id"].read(row),
            (one.fields["time"].read(row) or "")[: len("2026-01-01 00:00") if "H" in shape["day"]
                                                 or "I" in shape["day"] else 10],
            round(float(one.fields["amount"].read(row) or "nan") * 100),
        )
        for row in one.group.sample.rows
    ]  # fmt: skip
    has_hour = "H" in shape["day"] or "I" in shape["day"]
    expected = [(receipt, customer, f"{at:%Y-%m-%d %H:%M}" if has_hour else f"{at:%Y-%m-%d}", cents)
                for receipt, customer, at, cents in meant]  # fmt: skip
    assert read == expected
    if shape["names"][0] == "c1":
        assert any("taken for the customer" in doubt for doubt in one.doubts)


@pytest.mark.parametrize(
    ("text", "name"),
    [(SHOPIFY, "shopify"), (WOOCOMMERCE, "woocommerce"), (SQUARE, "square"), (STRIPE, "stripe"),
     (GA4, "ga4"), (KLAVIYO, "klaviyo"), (LIGHTSPEED, "lightspeed")],
)  # fmt: skip
def test_known_exports_are_recognised_by_their_columns(tmp_path, text, name) -> None:
    found = proposed(tmp_path, text, "x.jsonl" if text.startswith("{") else "x.csv")
    assert found.findings[0].title == presets()[name].title
    assert f"# {presets()[name].title}" in found.text
    loaded(found, tmp_path)


def test_a_preset_that_does_not_fit_says_what_is_missing(tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", csv_text(HEADER, ROWS))
    with pytest.raises(UserError, match="it has no column Name, Email"):
        proposal([file], "shopify")
    with pytest.raises(UserError, match="did you mean 'shopify'"):
        proposal([file], "shopfy")


def test_lines_are_told_by_ids_that_come_again(tmp_path: Path) -> None:
    header = ["invoice", "customer", "date", "sku", "qty", "price"]
    rows = [["1", "a", "2026-01-05", "x", "2", "1.50"], ["1", "a", "2026-01-05", "y", "1", "2.00"],
            ["2", "b", "2026-01-06", "x", "1", "1.50"]]  # fmt: skip
    found = proposed(tmp_path, csv_text(header, rows))
    assert found.findings[0].settings["grain"] == "line"
    assert columns_of(found) == {
        "receipt_id": "invoice", "customer_id": "customer", "time": "date", "quantity": "qty",
        "unit_price": "price", "category": "sku",
    }  # fmt: skip


def test_a_total_that_stands_on_every_line_is_not_added_up(tmp_path: Path) -> None:
    header = ["order_id", "customer", "date", "total", "qty", "price"]
    one, other = ["1", "a", "2026-01-05", "5.00"], ["2", "b", "2026-01-06", "3.00"]
    rows = [[*one, "2", "1.50"], [*one, "1", "2"], [*other, "1", "1.00"], [*other, "2", "1"]]
    assert columns_of(proposed(tmp_path, csv_text(header, rows)))["unit_price"] == "price"
    without = [[*row[:4], f"item {at}"] for at, row in enumerate(rows)]
    found = proposed(tmp_path, csv_text([*header[:4], "item"], without), "w.csv")
    assert any("same on all lines" in doubt for doubt in found.findings[0].doubts)


def test_numbers_that_begin_again_in_each_store_have_the_store_in_their_id(tmp_path: Path) -> None:
    header = ["store", "receipt_no", "customer", "date", "total"]
    rows = [[store, str(number), f"{store}{number}", "2026-01-05", "1.00"]
            for store in ("north", "south") for number in range(9)]  # fmt: skip
    found = proposed(tmp_path, csv_text(header, rows))
    assert columns_of(found)["receipt_id"] == ["store", "receipt_no"]
    assert found.findings[0].settings["grain"] == "receipt"


def test_names_are_written_as_names_and_expressions_quote_them(tmp_path: Path) -> None:
    header = ['Order "no"', "Customer `ID`", "Date\\Time", "Total, €"]
    rows = [[*row[:3], f"{row[3]} €"] for row in ROWS]
    found = proposed(tmp_path, csv_text(header, rows))
    columns = loaded(found, tmp_path).receipts.columns
    assert (columns.receipt_id, columns.customer_id, columns.time) == tuple(header[:3])
    assert columns.amount == "translate(`Total, €`, ' €', '')"


def test_currencies_tell_their_minor_units(tmp_path: Path) -> None:
    yen = [[*row[:3], f"¥{number}"] for row, number in zip(ROWS, (1500, 20, 300), strict=True)]
    business = loaded(proposed(tmp_path, csv_text(HEADER, yen)), tmp_path).business
    assert (business.currency, business.minor_unit_digits) == ("JPY", 0)
    dinar = [[*row, "KWD"] for row in ROWS]
    found = proposed(tmp_path, csv_text([*HEADER, "currency"], dinar), "d.csv")
    assert loaded(found, tmp_path).business.minor_unit_digits == 3


def test_json_parquet_and_delta_are_read_by_their_own_types(tmp_path: Path) -> None:
    lines = [{"id": 1, "customer": {"id": 7}, "created": 1767655800000, "total": 19.9},
             {"id": 2, "customer": None, "created": 1767655900000, "total": 3}]  # fmt: skip
    text = "\n".join(map(json.dumps, lines))
    found = proposed(tmp_path, text, "o.json")
    assert columns_of(found) == {
        "receipt_id": "id", "customer_id": "get_json_object(customer, '$.id')",
        "time": "concat(timestamp_millis(try_cast(created AS BIGINT)), 'Z')", "amount": "total",
    }  # fmt: skip
    assert loaded(found, tmp_path).receipts.types["created"] == "STRING"
    table = pa.table(
        {
            "order_id": [1, 2, 3],
            "user_id": [1.0, None, 1.0],
            "ordered_at": [datetime(2026, 1, day) for day in (1, 2, 3)],  # noqa: DTZ001
            "revenue": [1.5, 2.0, 3.0],
            "region": ["n", "s", "n"],
            "voided": [False, None, True],
        }
    )
    pq.write_table(table, tmp_path / "p.parquet")
    write_deltalake(tmp_path / "table", table, partition_by=["region"])
    for name, file_format in (("p.parquet", "parquet"), ("table", "delta")):
        found = proposal([tmp_path / name])
        assert loaded(found, tmp_path).receipts.format == file_format
        assert list(columns_of(found).values()) == [
            "order_id",
            "user_id",
            "ordered_at",
            "revenue",
            "lower(trim(coalesce(CAST(voided AS STRING), ''))) IN "
            "('true', '1', 'yes', 'y', 't', 'x')",
        ]
        assert [row["region"] for row in found.findings[0].group.sample.rows][:1] == ["n"]


def test_cancelled_receipts_and_sums_below_the_last_row_do_not_count(tmp_path: Path) -> None:
    states = ["paid", "Cancelled", "refunded"]
    rows = [[*row, state] for row, state in zip(ROWS, states, strict=True)]
    found = proposed(
        tmp_path, csv_text([*HEADER, "status"], [*rows, ["Total", "", "", "33.50", ""]])
    )
    receipts = loaded(found, tmp_path).receipts
    assert receipts.where == "at IS NOT NULL"
    assert receipts.columns.is_void == "lower(trim(coalesce(status, ''))) IN ('cancelled')"
    doubts = " ".join(found.findings[0].doubts)
    assert "1 of 4 rows have no at" in doubts
    assert "receipts whose status is refunded count" in doubts
    refunds = [[*row, refund] for row, refund in zip(ROWS, ["0", "0", "3"], strict=True)]
    found = proposed(tmp_path, csv_text([*HEADER, "Refund"], refunds), "f.csv")
    assert any("Refund may be money" in doubt for doubt in found.findings[0].doubts)


def test_euros_of_windows_are_amounts_and_the_loss_is_told(tmp_path: Path) -> None:
    rows = [[row[0], f"{row[1]}é", row[2], f"{row[3]} €"] for row in ROWS]
    found = proposed(tmp_path, csv_text(HEADER, rows), encoding="windows-1252")
    told = loaded(found, tmp_path)
    assert told.receipts.encoding == "ISO-8859-1"
    assert told.receipts.columns.amount == "translate(total, ' \x80', '')"
    assert told.business.currency == "EUR"
    assert any("windows-1252" in doubt for doubt in found.findings[0].group.sample.doubts)
    assert found.findings[0].fields["customer_id"].read(found.findings[0].group.sample.rows[0]) == (
        "adaé"
    )


def test_files_without_a_letter_that_tells_go_with_those_that_have_one(tmp_path: Path) -> None:
    named = [[row[0], "Zoë", *row[2:]] for row in ROWS]
    written(tmp_path / "day-1.csv", csv_text(HEADER, ROWS))
    written(tmp_path / "day-2.csv", csv_text(HEADER, named), "latin-1")
    written(tmp_path / "other.csv", csv_text(HEADER, named), "latin-1")
    receipts = loaded(proposal([tmp_path]), tmp_path).receipts
    assert receipts.encoding == "ISO-8859-1"
    assert receipts.path == "*.csv"


def test_files_of_other_kinds_become_sections_of_their_own(tmp_path: Path) -> None:
    rows = [[str(n), f"k{n % 5}", "2026-01-05", "1.00"] for n in range(20)]
    written(tmp_path / "till-2026-01.csv", csv_text(HEADER, rows[:10]))
    written(tmp_path / "till-2026-02.csv", csv_text(HEADER, rows[10:]))
    written(tmp_path / "clicks.csv", csv_text(
        ["customer", "event", "at"], [[f"k{n % 5}", "open", f"2026-01-0{1 + n % 5}"]
                                      for n in range(20)]))  # fmt: skip
    written(
        tmp_path / "people.csv",
        csv_text(
            ["customer", "Age Group", "city"], [[f"k{n}", "30-39", "Berlin"] for n in range(5)]
        ),
    )
    written(tmp_path / "notes.csv", csv_text(["text", "x"], [["a", "b"], ["c", "d"]]))
    found = proposal([tmp_path])
    sections = {one.section: one for one in found.findings}
    assert list(sections) == ["receipts", "interactions.clicks", "customers"]
    told = loaded(found, tmp_path)
    assert told.receipts.path == "till*.csv"
    assert told.interactions["clicks"].columns.kind == "event"
    assert told.customers.columns.attributes == {"age_group": "Age Group", "city": "city"}
    assert [text.partition(":")[0] for text in found.left_out] == ["notes.csv"]


def test_totals_of_customers_stand_in_place_of_receipts(tmp_path: Path) -> None:
    header = ["customer", "orders", "last_order", "revenue"]
    rows = [["ada", "3", "2026-01-05", "30.00"], ["bob", "1", "2026-01-07", "9.00"]]
    found = proposed(tmp_path, csv_text(header, rows))
    columns = loaded(found, tmp_path).customer_totals.columns
    assert (columns.as_of, columns.orders) == ("DATE '2026-01-07'", "orders")


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("1,ada,2026-01-05,10\n2,bob,2026-01-06,11\n", "r.csv", "has no header"),
        ("id,customer,,total\n1,ada,2026-01-05,10\n", "r.csv", "header, column 3"),
        ("id,customer,at,total\n", "r.csv", "has a header and no row"),
        ('[{"id": 1}', "r.json", "is one JSON array, and not whole"),
        ('[1, {"id": 1}]', "r.json", "is a JSON array of other things than objects"),
        ("[ ]", "r.json", "is an array without an object"),
        ("", "r.csv", "is empty"),
        ("a,b\nx,y\nz,w\n", "r.csv", "nothing tells who did what when"),
        ("PK", "r.xlsx", "is a spreadsheet: save it as CSV"),
        ("customer,city\nada,Rome\nbob,Bonn\n", "r.csv", "tells of customers, but not what they"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_one_line(tmp_path, text, name, told) -> None:
    assert told in refusal(tmp_path, text, name)


def test_a_configuration_that_is_there_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "r.csv", csv_text(HEADER, ROWS))
    out = written(tmp_path / "shop.toml", "mine")
    assert exit_code(["init", str(file), "--out", str(out)]) == 2
    assert "is there already; name another file, or give --force" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == "mine"
    assert exit_code(["init", str(file), "--out", str(out), "--force"]) == 0
    assert "2026-01-05 09:00:00" in capsys.readouterr().out
    assert out.read_text(encoding="utf-8").startswith("# Proposed by rfm-spark init")
    assert exit_code(["init", str(tmp_path / "no.csv"), "--out", str(tmp_path / "x.toml")]) == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["r.csv", "shop.toml"]


def sections_of(settings: Settings) -> dict[str, object]:
    told = settings.model_dump()
    return {key: told[key] for key in ("receipts", "interactions", "customers") if told[key]}


@pytest.mark.parametrize(
    ("name", "data", "keys"),
    [
        ("online_retail_ii", "online_retail_ii",
         ["receipt_id", "customer_id", "time", "quantity", "unit_price"]),
        ("cdnow", "cdnow", ["receipt_id", "customer_id", "time", "quantity", "amount"]),
        ("complete_journey", "complete_journey",
         ["receipt_id", "customer_id", "time", "quantity", "amount", "store_id"]),
    ],
)  # fmt: skip
def test_real_receipts_are_described_as_the_demos_describe_them(
    shared_data: Path, tmp_path: Path, name: str, data: str, keys: Sequence[str]
) -> None:
    mine = loaded(proposal([shared_data / data]), tmp_path)
    theirs = load_settings(ROOT / "conf" / f"{name}.toml")
    assert mine.receipts is not None
    assert theirs.receipts is not None
    assert mine.receipts.grain == theirs.receipts.grain
    for key in keys:
        assert getattr(mine.receipts.columns, key) == getattr(theirs.receipts.columns, key), key
    assert (mine.customers is None) == (theirs.customers is None)
    assert set(mine.receipts.lookups) == set(theirs.receipts.lookups)


def test_real_clicks_are_described_as_the_demo_describes_them(shared_data, tmp_path) -> None:
    mine = loaded(proposal([shared_data / "retentioneering_ecom_synthetic"]), tmp_path)
    theirs = load_settings(ROOT / "conf" / "ecom_events.toml")
    assert mine.interactions["events"].columns == theirs.interactions["web"].columns
    assert mine.receipts is None


def test_findings_name_what_they_have_looked_at(tmp_path: Path) -> None:
    found: Finding = proposed(tmp_path, csv_text(HEADER, ROWS)).findings[0]
    assert found.group.sample.extent == "all 3 rows"


@pytest.mark.parametrize("receipt", ["ORD-10{}", "INV10{}", "6004 0001 1{}"])
@pytest.mark.parametrize("customer", ["CUS00{}", "K-{}", "0049 170 1{}"])
def test_codes_with_letters_and_spaces_are_ids_and_no_money(tmp_path, receipt, customer):
    rows = [
        [receipt.format(10 + n), customer.format(10 + n % 4), f"2026-01-{n + 1:02}", f"{n + 1}.50"]
        for n in range(12)
    ]
    header = ["order_id", "customer_id", "date", "eur"]
    file = written(tmp_path / "orders.csv", csv_text(header, rows))
    columns = loaded(proposal([file]), tmp_path).receipts.columns
    assert (columns.receipt_id, columns.customer_id) == ("order_id", "customer_id")
    assert columns.amount == "eur"


def test_a_control_character_in_a_name_leaves_the_configuration_one(tmp_path):
    rows = [[str(n), f"k{n % 3}", f"2026-01-{n + 1:02}", f"{n + 1}.50", "x"] for n in range(9)]
    header = ["order_id", "customer_id", "date", "total", "no\x07te"]
    file = written(tmp_path / "orders.csv", csv_text(header, rows))
    assert loaded(proposal([file]), tmp_path).receipts.columns.amount == "total"
