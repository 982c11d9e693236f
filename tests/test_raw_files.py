"""Raw files: what tells a delivery from another, and what lies beside its rows."""

from __future__ import annotations

import shutil
import time
from datetime import date

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from support.files import damage
from support.shop import Shop, line

from rfm_spark.app.loading import load_settings
from rfm_spark.core.errors import UserError
from rfm_spark.ingest.files.deliveries import find_deliveries
from rfm_spark.ingest.files.lookups import with_lookups
from rfm_spark.ingest.files.raw_files import read_rows


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


@pytest.fixture
def opened(spark, shop):
    """The raw rows of the shop's receipts."""

    def rows():
        source, place = load_settings(shop.config).receipts, str(shop.raw)
        found = find_deliveries(spark, source, place, "receipts")
        raw = read_rows(spark, source, found, "receipts").rows
        return with_lookups(spark, raw, source, place, "receipts", None)

    return rows


def with_lookup(shop, name, file):
    """The shop's receipts with a look-up by category."""
    shop.csv("receipts1.csv", [line("r1", "c1", "2025-01-01", "1.00", category="7")])
    told = f'path = "{file}"\nformat = "{file.partition(".")[2]}"\non = "category"'
    lookup = f"[receipts.lookups.{name}]\n{told}\n\n"
    shop.configure(changes={"[receipts.columns]": lookup + "[receipts.columns]"})


def test_a_delivery_is_the_same_on_machines_of_all_time_zones(spark, shop, monkeypatch):
    shop.csv("receipts1.csv", [line("r1", "c1", "2025-01-01", "1.00")])
    source = load_settings(shop.configure()).receipts
    found = []
    try:
        for zone in ("UTC", "Asia/Tokyo"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            found += find_deliveries(spark, source, str(shop.raw), "receipts")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found[0] == found[1]


def test_a_night_may_have_empty_files_only(spark, shop):
    shop.file("receipts1.csv").touch()
    source = load_settings(shop.configure()).receipts
    found = find_deliveries(spark, source, str(shop.raw), "receipts", date(2025, 1, 1))
    assert found == []
    with pytest.raises(UserError, match="is empty"):
        find_deliveries(spark, source, str(shop.raw), "receipts")


def test_a_file_of_a_line_break_has_no_rows(spark, shop):
    shop.file("receipts0.csv").write_text("\r\n")
    source = load_settings(shop.configure()).receipts
    assert find_deliveries(spark, source, str(shop.raw), "receipts", date(2025, 1, 1)) == []
    shop.csv("receipts1.csv", [line("r1", "c1", "2025-01-01", "1.00")])
    [found] = find_deliveries(spark, source, str(shop.raw), "receipts")
    assert found.name == "receipts1.csv"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("receipts1.csv.zip", "is an archive"),
        ("receipts1.csv.XZ", "is compressed in a way that is not read"),
        ("receipts1.xlsx", "is a spreadsheet"),
    ],
)
def test_a_file_that_spark_reads_as_other_bytes_is_refused(spark, shop, name, reason):
    shop.file(name).write_bytes(b"of another kind")
    source = load_settings(shop.configure(changes={"receipts*.csv": "receipts*"})).receipts
    with pytest.raises(UserError, match=reason):
        find_deliveries(spark, source, str(shop.raw), "receipts")


def test_columns_of_a_loader_are_columns_like_others(shop, opened):
    fields = line("r1", "c1", "2025-01-01", "1.00") | {"_file": "f", "_line": "7", "_raw": "x"}
    shop.csv("receipts1.csv", [fields])
    shop.configure()
    [row] = opened().select("_file", "_line", "_raw").collect()
    assert tuple(row) == ("f", "7", "x")


def test_a_delta_table_made_anew_is_another_delivery(spark, shop):
    source = load_settings(
        shop.configure(changes={"receipts*.csv": "receipts", '"csv"': '"delta"'})
    ).receipts
    found = []
    for receipt in ("r1", "r1", "r2"):
        if receipt == "r2":
            shutil.rmtree(shop.raw / "receipts")
        if not (shop.raw / "receipts").exists():
            rows = pa.Table.from_pylist([line(receipt, "c1", "2025-01-01", "1.00")])
            write_deltalake(shop.raw / "receipts", rows)
        [delivery] = find_deliveries(spark, source, str(shop.raw), "receipts")
        found.append(delivery.fingerprint)
    assert found[0] == found[1]
    assert found[1] != found[2]


def test_quotes_may_be_marked_by_a_backslash(shop, opened):
    fields = line("r1", "c1", "2025-01-01", "1.00")
    text = (
        ",".join(fields) + "\n" + ",".join({**fields, "category": r'"Wine \"Old\", red"'}.values())
    )
    shop.file("receipts1.csv").write_text(text + "\n")
    shop.configure(changes={'grain = "line"': "grain = \"line\"\nescape = '\\'"})
    [row] = opened().select("category").collect()
    assert row["category"] == 'Wine "Old", red'


def test_quotes_in_a_lookup_are_read_as_in_a_source(shop, opened):
    text = '7,"Pipe 1/2"", steel",hardware'
    shop.file("names.csv").write_text(f"category,label,kind\n{text}\n")
    with_lookup(shop, "names", "names.csv")
    [row] = opened().select("names.label", "names.kind").collect()
    assert tuple(row) == ('Pipe 1/2", steel', "hardware")


def test_a_lookup_cannot_have_the_name_of_a_column(shop, opened):
    shop.file("names.csv").write_text("category,label\n7,x\n")
    with_lookup(shop, "category", "names.csv")
    with pytest.raises(UserError, match="the source has a column 'category' already"):
        opened()


def test_keys_of_a_lookup_that_are_written_in_two_ways_would_multiply_rows(shop, opened):
    shop.file("names.csv").write_text("category,label\n7,x\n7.0,y\n")
    with_lookup(shop, "names", "names.csv")
    with pytest.raises(UserError, match="'category' occurs more than once"):
        opened()


def test_a_lookup_with_damaged_data_is_named(shop, opened):
    damage(shop.parquet("names.parquet", [{"category": f"c{n}"} for n in range(99)]))
    with_lookup(shop, "names", "names.parquet")
    with pytest.raises(UserError) as caught:
        opened()
    [told] = caught.value.problems
    assert told.startswith(f"[receipts.lookups.names] {shop.raw}/names.parquet cannot be read")
