"""Lines above the header of CSV files: what is there is not read, and all else is."""

from __future__ import annotations

import bz2
import gzip

import pytest
from pyspark.sql import functions as F
from support.screen import problems
from support.shop import Shop, line, stored, versions

from rfm_spark.app.loading import load_settings
from rfm_spark.ingest.files.deliveries import find_deliveries
from rfm_spark.ingest.files.raw_files import read_rows
from rfm_spark.ingest.files.title_lines import Head, _head
from rfm_spark.ingest.rows.delivered import MALFORMED
from rfm_spark.settings.sources import Customers

SKIPPED = {'grain = "line"': 'grain = "line"\nskip_lines = 3\nmultiline = true'}
LINES = [line(f"r{n}", f"c{n % 9}", f"2025-01-{n % 28 + 1:02}", f"{n}.50") for n in range(1, 400)]


def text_of(rows, names=None, header=None):
    names = names or list(rows[0])
    body = "".join(",".join(row.get(name) or "" for name in names) + "\n" for row in rows)
    return (header or ",".join(names) + "\n") + body


def taken_in(cli, shop):
    assert cli("ingest", *shop.arguments()) == 0
    stored_rows = {
        table: [
            {name: value for name, value in row.items() if name not in ("delivery", "file")}
            for row in stored(shop.warehouse, table)
        ]
        for table in ("receipts", "quarantine")
    }
    assert stored_rows["receipts"]
    return stored_rows


@pytest.mark.parametrize("is_multiline", [True, False])
def test_receipts_below_titles_are_those_of_files_without(cli, tmp_path, is_multiline):
    """Titles of fewer, as many and more fields than the header; two generations; compressed."""
    fewer, more = LINES[:200], [row | {"till": "7"} for row in LINES[200:]]
    names = list(reversed(more[0]))
    torn = "torn,line\n"  # stays a row, which is turned away
    plain = Shop(tmp_path / "plain")
    plain.file("receipts1.csv").write_text(text_of(fewer) + torn)
    plain.file("receipts2.csv").write_text(text_of(more[:100], names))
    plain.file("receipts3.csv").write_text(text_of(more[100:], names))
    titled = Shop(tmp_path / "titled")
    quoted = '"Sales, of\nJanuary"\n' if is_multiline else '"Sales, of"\nJanuary\n'
    titled.file("receipts1.csv").write_text(
        "\ufeff" + quoted + ",".join("abcdefg") + "\n\n" + text_of(fewer) + torn
    )
    titled.file("receipts2.csv.gz").write_bytes(
        gzip.compress(("\u00a0\n  \nrows,of,8,or,more,fields,as,here,are\n" +
                       text_of(more[:100], names)).encode())
    )  # fmt: skip
    titled.file("receipts3.csv.bz2").write_bytes(
        bz2.compress(
            ("Sales\nof February\n,,,\n" + text_of(more[100:], names))
            .replace("\n", "\r\n")
            .encode()
        )
    )
    skipped = dict(SKIPPED)
    if not is_multiline:
        skipped = {old: new.replace("\nmultiline = true", "") for old, new in skipped.items()}
    titled.configure(changes={**skipped, "receipts*.csv": "receipts*"})
    plain.configure(changes={"receipts*.csv": "receipts*"})
    assert cli("check", *titled.arguments()) == 0
    found, wanted = taken_in(cli, titled), taken_in(cli, plain)
    assert len(wanted["receipts"]) == len(LINES)
    assert found["receipts"] == wanted["receipts"]
    reasons = [[row["reasons"] for row in one["quarantine"]] for one in (found, wanted)]
    assert reasons[0] == reasons[1]
    assert len(reasons[0]) == 1


def test_a_file_in_many_pieces_loses_its_titles_and_nothing_else(spark, tmp_path):
    """Rows that say in part what a title says are rows, wherever a piece of the file begins."""
    rows = [row | {"category": "Sales"} for row in LINES]
    shop = Shop(tmp_path)
    shop.file("receipts1.csv").write_text("Sales\nof,January\n\n" + text_of(rows))
    config = shop.configure(changes={'grain = "line"': 'grain = "line"\nskip_lines = 3'})
    source, place = load_settings(config).receipts, str(shop.raw)
    found = find_deliveries(spark, source, place, "receipts")
    piece = "spark.sql.files.maxPartitionBytes"
    usual = spark.conf.get(piece)
    spark.conf.set(piece, str(found[0].files[0].length // 7))
    try:
        raw = read_rows(spark, source, found, "receipts").rows
        assert raw.where(F.col(MALFORMED) == "").count() == raw.count() == len(rows)
        assert raw.select(F.spark_partition_id()).distinct().count() > 5
    finally:
        spark.conf.set(piece, usual)


def test_what_is_wrong_with_lines_above_a_header_is_told_once(cli, tmp_path, capfd):
    shop = Shop(tmp_path)
    shop.file("receipts1.csv").write_text("a\nb\n")
    shop.file("receipts2.csv").write_text("title\n\n\n" + text_of(LINES))
    for number in (3, -1, 5_000_000):
        shop.configure(changes={'grain = "line"': f'grain = "line"\nskip_lines = {number}'})
        assert cli("check", *shop.arguments()) == 2
        [told] = problems(capfd)
        if number == 3:
            assert told.startswith("[receipts] skip_lines = 3: no header comes behind so many")
            assert "lines in receipts1.csv; it is the number of the lines above" in told
        else:
            assert "receipts.skip_lines" in told
            assert "greater than" in told or "less than" in told
    shop.file("receipts2.csv").unlink()
    shop.file("receipts1.csv").write_text("title,,\n" + text_of(LINES))
    shop.configure()
    assert cli("check", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert "a title is no header; say by skip_lines" in told
    assert versions(shop.warehouse) == {}


@pytest.mark.parametrize(
    ("lines", "is_multiline", "told"),
    [
        (["t", "", "a,b", "1,2"], False, Head(("t", ""), "a,b")),
        (["t", "", "", "a,b", "1,2"], True, Head(("t", "", ""), "a,b")),
        (['"t', 'u"', "a,b"], True, Head(('"t\nu"',), "a,b")),
        (["t", '"u', 'v"', '"a', 'b",c'], True, Head(("t",), "")),
        (["t", "u", '"a', 'b",c', "1"], True, Head(("t", "u"), '"a\nb",c')),
        (["t", '5" nail', "a,b"], True, Head(("t", '5" nail'), "a,b")),
        (["t", "u"], False, Head(("t", "u"), "")),
        (["t", "u"], True, Head(("t", "u"), "")),
        ([], True, Head((), "")),
    ],
)
def test_the_header_is_the_record_behind_the_lines_that_are_skipped(lines, is_multiline, told):
    source = Customers(
        path="c.csv",
        format="csv",
        skip_lines=2,
        multiline=is_multiline,
        columns={"customer_id": "a", "attributes": {"b": "b"}},
    )
    assert _head(iter(lines), source) == told
