"""The same receipts in fifty shapes give the same tables, to the last cent."""

from __future__ import annotations

import lzma
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from support.configurations import inline_toml
from support.shape_files import section, write
from support.shapes import Shape, shape
from support.ways import AS_TEXT, AS_TYPES, LINES, of_receipts, whole

from rfm_spark.app.loading import load_settings
from rfm_spark.core.errors import UserError
from rfm_spark.ingest.files.deliveries import find_deliveries
from rfm_spark.ingest.sources import checked_rows
from rfm_spark.ingest.versions.receipt_versions import receipt_versions
from rfm_spark.ingest.versions.whole_receipts import whole_receipt_versions
from rfm_spark.run import Run
from rfm_spark.settings.sources import Receipts
from rfm_spark.storage.warehouse import Warehouse

Row = tuple[Any, ...]
"""Id, customer, instant, cents, items, store, and cents by category where a row is a line."""

SHAPES = [shape(number) for number in range(50)]


def taken_in(
    spark: SparkSession, folder: Path, feeds: Mapping[str, Any]
) -> list[tuple[Receipts, DataFrame]]:
    """Feeds of one shop, each with the typed rows that `ingest` makes of its files."""
    receipts = "".join(f"{name} = {inline_toml(feed)}\n" for name, feed in feeds.items())
    text = f'[business]\ntime_zone = "Europe/Berlin"\n\n[receipts]\n{receipts}'
    (folder / "shop.toml").write_text(text, encoding="utf-8")
    settings = load_settings(folder / "shop.toml")
    run = Run(spark, settings, Warehouse(spark, str(folder / "warehouse")), str(folder / "raw"))
    return [
        (source, checked_rows(run, label, source, found).rows)
        for label, source in settings.feeds.items()
        for found in [find_deliveries(spark, source, run.input, label)]
    ]


@pytest.fixture(scope="module")
def receipts(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Versions of receipts of each shape, as `ingest` makes them, all feeds of one shop.

    They are put together at once and not written: fifty commits would take minutes.
    """
    folder = tmp_path_factory.mktemp("shapes")
    rows: dict[str, list[DataFrame]] = defaultdict(list)
    feeds = {}
    for one in SHAPES:
        write(one, folder / "raw" / one.feed)
        feeds[one.feed] = section(one, folder / "raw" / one.feed)
    for source, checked in taken_in(spark, folder, feeds):
        rows[source.grain].append(checked)
    of_lines, of_whole = (reduce(DataFrame.unionAll, rows[grain]) for grain in ("line", "receipt"))
    versions = [
        *receipt_versions(of_lines, with_categories=True, zero_is_visit=True).collect(),
        *whole_receipt_versions(of_whole, with_categories=False).collect(),
    ]
    found = defaultdict(list)
    for row in versions:
        feed = row["delivery"].partition("/")[0]
        found[feed].append(row.asDict(recursive=True))
    return found


def expected(of: Shape) -> list[Row]:
    """What each receipt must become."""
    return [
        (
            of.written("receipt_id", one),
            of.written("customer_id", one),
            one.instant,
            one.cents,
            one.pieces,
            one.store,
            {name: sum(line.cents for line in own if line.category == name)
             for name in sorted({line.category for line in own})}
            if of.grain == "line" else {},
        )
        for own in of_receipts(LINES)
        for one in [replace(own[0], cents=sum(line.cents for line in own),
                            pieces=sum(line.pieces for line in own))
                    if of.grain == "line" else whole(own)[0]]
    ]  # fmt: skip


def found_rows(rows: Sequence[Any]) -> list[Row]:
    """The same of versions of receipts."""
    return [
        (
            row["receipt_id"].partition(":")[2],
            row["customer_id"],
            row["receipt_ts"].astimezone(UTC),
            row["net_cents"],
            row["items"],
            row["store_id"],
            {one["category"]: one["net_cents"] for one in row["categories"] or ()},
        )
        for row in rows
        if not row["is_rejected"]
    ]


@pytest.mark.parametrize("one", SHAPES, ids=str)
def test_a_shape_gives_the_same_receipts(one: Shape, receipts: dict[str, list[Any]]) -> None:
    found, right = found_rows(receipts[one.feed]), expected(one)
    unlike = [row for row in found if row not in right]
    assert unlike == []
    assert len(found) == len(right)


def test_every_way_of_writing_is_in_some_shape() -> None:
    drawn = {id(way) for one in SHAPES for way in one.ways.values()}
    ways = [way for table in (AS_TEXT, AS_TYPES) for of in table.values() for way in of.values()]
    assert all(id(way) in drawn for way in ways)
    text = [one for one in SHAPES if one.container == "csv"]
    assert len({one.encoding for one in text}) == 5
    assert len({one.delimiter for one in text}) == 6
    assert len({one.compression for one in text}) == 4
    assert {one.json for one in SHAPES if "json" in one.container} == {"lines", "array", "indented"}


def _nanoseconds(file: Path) -> None:
    times = pa.array([1_767_600_000 * 10**9], pa.timestamp("ns", "UTC"))
    pq.write_table(pa.table({"id": ["1"], "customer": ["a"], "at": times, "total": [1.5]}), file)


HEADER = "id,customer,at,total\n"
ROW = "1,Zoë,2026-01-05,1.50\n"


@pytest.mark.parametrize(
    ("name", "write_it", "settings", "told"),
    [
        ("o.csv.xz", lambda file: file.write_bytes(lzma.compress(HEADER.encode())), {},
         "o.csv.xz is compressed in a way that is not read"),
        ("o.csv", lambda file: file.write_text(HEADER + ROW, encoding="cp1252"),
         {"encoding": "windows-1252"}, "o.csv cannot be read as csv"),
        ("o.parquet", _nanoseconds, {"format": "parquet"}, "o.parquet"),
        ("o.csv", lambda file: file.write_text("1,a,2026-01-05,1.50\n2,a,2026-01-06,1.50\n"), {},
         "no column 'id'"),
        ("o.csv", lambda file: file.write_text((HEADER + ROW).replace(",", ";")), {},
         "no column 'id'"),
    ],
    ids=["xz", "windows-1252", "nanoseconds", "no header", "other delimiter"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_its_name(
    spark: SparkSession, tmp_path: Path, name: str, write_it: Any, settings: Any, told: str
) -> None:
    (tmp_path / "raw").mkdir()
    write_it(tmp_path / "raw" / name)
    columns = {"receipt_id": "id", "customer_id": "customer", "time": "at", "amount": "total"}
    found = {"path": "*", "format": "csv", "grain": "receipt", "columns": columns} | settings
    with pytest.raises(UserError) as refused:
        taken_in(spark, tmp_path, {"one": found})
    assert told in str(refused.value)
