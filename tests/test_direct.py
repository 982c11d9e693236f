"""What is read without Spark is what Spark reads, and nothing starts it in vain."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime

import pytest
from pyspark.sql import functions as F
from support.mounts import mounted
from support.sessions import no_spark
from support.shop import stored, whole_shop

from rfm_spark.app.tables import ALL_TABLES, RUNS, SETTINGS
from rfm_spark.cli import exit_code
from rfm_spark.cli.progress import StepProgress
from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.results.registry import CUSTOMER_360
from rfm_spark.results.rfm.tables import RFM_CELLS, SEGMENTS
from rfm_spark.storage import direct
from rfm_spark.storage.listing import _files_by_spark, listed_files
from rfm_spark.storage.locations import holds_at_most
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.snapshot import NEWEST, Snapshot
from rfm_spark.storage.warehouse import Warehouse

DAY = date(2025, 3, 20)


@pytest.fixture
def both(spark, finished_shop):
    """The finished warehouse without Spark, and the same as a place that only Hadoop reaches."""
    place = str(finished_shop.warehouse)
    without = Warehouse(SessionOnDemand(no_spark), place)
    return without, Warehouse(spark, mounted(spark, finished_shop.warehouse))


def in_any_order(rows):
    return sorted(map(repr, rows))


def test_an_earlier_version_is_read_alike(both):
    before = Snapshot({SEGMENTS.name: 0}, frozenset({RUNS.name}))
    for warehouse in both:
        with warehouse.reading(before):
            assert warehouse.version(SEGMENTS) == 0
            assert warehouse.rows(SEGMENTS) == []
            assert warehouse.days(SEGMENTS) == {}
            assert warehouse.bounds(SEGMENTS, "as_of") == (None, None)
            assert not warehouse.is_there(RFM_CELLS)
            with pytest.raises(UserError, match="there is no table 'rfm_cells' yet"):
                warehouse.require(RFM_CELLS)
            assert len(warehouse.rows(RUNS)) == 1
        assert warehouse.rows(SEGMENTS)
        gone = pytest.raises(UserError, match="its version 99, which is the published one")
        with warehouse.reading(Snapshot({SEGMENTS.name: 99})), gone:
            warehouse.rows(SEGMENTS)
        assert warehouse.snapshot is NEWEST


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.name)
def test_every_table_is_told_as_by_spark(both, table):
    without, by_spark = both
    assert without.is_there(table) == by_spark.is_there(table)
    if not by_spark.is_there(table):
        return
    assert without.state(table) == by_spark.state(table)
    assert without.version(table) == by_spark.version(table)
    assert without.detail(table) == by_spark.detail(table)
    assert without.count(table) == by_spark.count(table)
    assert in_any_order(without.rows(table)) == in_any_order(by_spark.rows(table))


@pytest.mark.parametrize(
    ("table", "where", "columns"),
    [
        (RFM_CELLS, {"profile": "purchase", "as_of": DAY}, None),
        (RFM_CELLS, {"profile": "purchase", "as_of": date(2025, 3, 19)}, None),
        (RFM_CELLS, {"as_of": DAY, "r_score": 5}, ["customers", "cell"]),
        (SEGMENTS, {"segment": "Can't Lose"}, ["segment_order"]),
        (RUNS, {"as_of": DAY, "job": "run"}, ["written_versions", "results", "started_at"]),
        (RECEIPTS, {"month": "2025-01"}, ["receipt_id"]),
    ],
)
def test_some_rows_are_those_of_spark(both, table, where, columns):
    without, by_spark = both
    columns = columns and [name for name in columns if name in table.column_names]
    found = without.rows(table, where, columns)
    assert in_any_order(found) == in_any_order(by_spark.rows(table, where, columns))
    assert bool(found) == (DAY in where.values() or "as_of" not in where)


def test_reasons_are_counted_as_by_spark(both, copied_shop):
    without, by_spark = both
    assert without.counts(QUARANTINE, "reasons") == by_spark.counts(QUARANTINE, "reasons")
    [row] = stored(copied_shop.warehouse, "quarantine")
    assert without.counts(QUARANTINE, "reasons") == dict.fromkeys(row["reasons"], 1)


@pytest.mark.parametrize(
    ("table", "column"),
    [(CUSTOMER_DAYS, "day"), (RECEIPTS, "business_date")],
)
def test_statistics_bound_a_column(both, table, column):
    without, by_spark = both
    assert without.bounds(table, column) == by_spark.bounds(table, column)


def test_a_column_without_statistics_is_left_to_spark(spark, finished_shop):
    warehouse = Warehouse(spark, str(finished_shop.warehouse))
    assert direct.direct_tables(warehouse.place).bounds(CUSTOMER_DAYS, "visits") is None
    row = warehouse.read(CUSTOMER_DAYS).agg(F.min("visits"), F.max("visits")).collect()[0]
    assert warehouse.bounds(CUSTOMER_DAYS, "visits") == tuple(row)


def test_days_are_those_of_spark(both):
    without, by_spark = both
    found = without.days(CUSTOMER_360)
    assert found == by_spark.days(CUSTOMER_360) == {DAY: by_spark.count(CUSTOMER_360)}


def test_columns_of_a_day_are_those_of_spark(both):
    without, by_spark = both
    names = ["customer_id", "attributes", "last_interactions"]
    found = without.small_day(CUSTOMER_360, DAY, names, 100)
    wanted = by_spark.rows(CUSTOMER_360, {"as_of": DAY}, names)
    assert in_any_order(found.to_pylist(maps_as_pydicts="strict")) == in_any_order(wanted)
    assert len(found) > 1
    assert without.small_day(CUSTOMER_360, DAY, names, len(found) - 1) is None
    assert by_spark.small_day(CUSTOMER_360, DAY, names, 100) is None


def test_a_table_without_rows_has_no_bounds(spark, tmp_path):
    warehouse = Warehouse(spark, str(tmp_path))
    warehouse.create(CUSTOMER_DAYS)
    assert warehouse.bounds(CUSTOMER_DAYS, "day") == (None, None)
    assert warehouse.detail(CUSTOMER_DAYS) == (0, 0)
    assert warehouse.count(CUSTOMER_DAYS) == 0


def test_rows_that_come_without_spark_are_like_those_of_spark(spark, copied_shop):
    place = str(copied_shop.warehouse)
    [row] = Warehouse(spark, place).rows(RUNS)
    Warehouse(SessionOnDemand(no_spark), place).append(RUNS, [{**row, "run_id": "by delta-rs"}])
    Warehouse(spark, place).append(RUNS, [{**row, "run_id": "by Spark"}])
    found = {one.pop("run_id"): one for one in Warehouse(spark, place).rows(RUNS)}
    assert found == dict.fromkeys((row.pop("run_id"), "by delta-rs", "by Spark"), row)
    read = spark.read.format("delta").load(f"{place}/runs")
    assert read.count() == 3
    assert read.where("results IS NULL").isEmpty()


def test_another_schema_is_refused_without_spark(copied_shop, spark, monkeypatch):
    place = str(copied_shop.warehouse)
    newer = "SET TBLPROPERTIES (rfm_spark.schema_version=9)"
    spark.sql(f"ALTER TABLE delta.`{place}/settings` {newer}")
    with pytest.raises(UserError, match="newer rfm-spark"):
        Warehouse(SessionOnDemand(no_spark), place).rows(SETTINGS)


@pytest.fixture
def without_spark(monkeypatch):
    """A command that must not start Spark; its exit code."""
    monkeypatch.setattr("rfm_spark.cli.sessions.local_session", lambda **_: no_spark())
    return lambda *arguments: exit_code([str(one) for one in arguments])


def test_a_run_with_nothing_to_do_starts_no_spark(without_spark, copied_shop, capsys):
    where = ("--config", copied_shop.config, "--warehouse", copied_shop.warehouse)
    before = stored(copied_shop.warehouse, "runs")
    assert without_spark("run", *where, "--input", copied_shop.raw) == 0
    shown = capsys.readouterr()
    assert "results stand" in shown.err
    assert "start Spark" not in shown.err
    for panel in (
        "Segments",
        "Where every receipt",
        "Clusters, the largest first",
        "First cohorts",
    ):
        assert panel in shown.out
    old, new = sorted(stored(copied_shop.warehouse, "runs"), key=lambda one: one["started_at"])
    assert [old] == before
    assert (new["job"], new["as_of"], new["outcome"]) == ("run", DAY, "succeeded")
    assert new["settings_digest"] == old["settings_digest"]
    assert new["written_versions"] == []
    assert new["results"] == old["results"]
    assert new["started_at"] > datetime(2026, 1, 1, tzinfo=UTC)


def test_tables_are_listed_without_spark(without_spark, copied_shop, capsys):
    where = ("--config", copied_shop.config, "--warehouse", copied_shop.warehouse)
    assert without_spark("tables", *where) == 0
    assert "customer_360" in capsys.readouterr().out


@pytest.mark.parametrize(
    "pattern",
    ["*.csv", "a", "*", "*/*.csv", "day=*/", "?/x.csv", ".hidden/x.csv", "a/../b", "./a", "*/_d*",
     "a/x.csv", "*/deep"],
)  # fmt: skip
def test_files_are_listed_as_by_spark(spark, tmp_path, pattern):
    names = (
        "top.csv", "_top.csv", ".top.csv", "_metadata.csv", "a/x.csv", "a/_x.csv", "a/deep/y.csv",
        "b/x.csv", "b/_deep/x.csv", "b/_day=1/x.csv", ".hidden/x.csv", "_hidden/x.csv",
        "day=1/x.csv", "day=2/x.csv", "day=2/x.csv._COPYING_", "day=2/two words.csv",
    )  # fmt: skip
    for name in names:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (tmp_path / "empty.csv").touch()
    found = listed_files(SessionOnDemand.of(spark), str(tmp_path), pattern)
    assert found
    assert sorted(found, key=repr) == sorted(
        _files_by_spark(spark, str(tmp_path), pattern), key=repr
    )


@pytest.mark.parametrize("pattern", ["none/*.csv", "none", "[x]"])
def test_a_pattern_of_nothing_is_told(spark, tmp_path, pattern):
    with pytest.raises(FileNotFoundError):
        listed_files(SessionOnDemand.of(spark), str(tmp_path), pattern)


def test_little_is_what_files_hold_but_for_logs(tmp_path):
    (tmp_path / "large").write_bytes(bytes(10_000))
    assert holds_at_most(10_000, [str(tmp_path)])
    assert not holds_at_most(9_999, [str(tmp_path)])
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log" / "0.json").write_bytes(bytes(99))
    assert holds_at_most(10_000, [str(tmp_path)])
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "file").write_bytes(b"xy")
    assert not holds_at_most(10_001, [str(tmp_path)])
    assert holds_at_most(0, [str(tmp_path / "none")])
    assert not holds_at_most(10**9, ["s3a://bucket/raw"])


def test_a_table_that_is_not_there_has_no_rows_wherever_it_is(spark, tmp_path):
    for place in (str(tmp_path), mounted(spark, tmp_path)):
        warehouse = Warehouse(spark, place)
        assert not warehouse.is_there(RUNS)
        assert warehouse.rows(RUNS) == []
        with pytest.raises(UserError, match="there is no table 'runs' yet"):
            warehouse.bounds(RUNS, "as_of")


def test_processes_that_read_rows_end_well(finished_shop):
    """Threads of Arrow that still read ahead ended more than half of them by SIGABRT."""
    read = (
        "import sys; from datetime import date; from rfm_spark.app.tables import RESULT_TABLES; "
        "from rfm_spark.storage.direct import direct_tables; "
        "tables = direct_tables(sys.argv[1]); "
        "[tables.rows(one, {'as_of': date(2025, 3, 20)}, None) for one in RESULT_TABLES[-4:]]"
    )
    for _ in range(8):
        subprocess.run([sys.executable, "-c", read, finished_shop.warehouse], check=True)


@pytest.mark.parametrize(("size", "has_few_rows"), [(2**20, True), (2**20 + 1, False)])
def test_plans_are_interpreted_up_to_a_megabyte(tmp_path, monkeypatch, size, has_few_rows):
    asked = []

    def session(**given):
        asked.append(given)
        raise RunFailure("enough is known")

    monkeypatch.setattr("rfm_spark.cli.sessions.local_session", session)
    monkeypatch.setenv("RFM_SPARK_COMET_JAR", "/jars/comet.jar")
    monkeypatch.setenv("RFM_SPARK_DRIVER_MEMORY", "3g")
    shop = whole_shop(tmp_path)
    held = sum(file.stat().st_size for file in shop.raw.rglob("*"))
    (shop.raw / "other").write_bytes(bytes(size - held))
    options = ("--config", shop.config, "--input", shop.raw, "--warehouse", shop.warehouse)
    assert exit_code(["run", *map(str, options)]) == 1
    told = {"driver_memory": "3g", "comet_jar": "/jars/comet.jar"}
    assert asked == [{"has_few_rows": has_few_rows, **told}]


@pytest.mark.parametrize("memory", ["3 GB", "3", "g", "1.5g", "511m", "-2g", "3gb", "٣g"])
def test_memory_that_spark_cannot_have_is_refused_before_it_starts(
    tmp_path, monkeypatch, capfd, memory
):
    monkeypatch.setenv("RFM_SPARK_DRIVER_MEMORY", memory)
    command = ["generate", "--receipts", "1", "--customers", "2", "--days", "1"]
    assert exit_code([*command, "--out", str(tmp_path / "out")]) == 2
    told = capfd.readouterr().err
    assert f"RFM_SPARK_DRIVER_MEMORY (driver_memory in Python): {memory!r}" in told
    assert not (tmp_path / "out").exists()


def test_a_step_inside_another_is_not_part_of_its_time(monkeypatch, capsys):
    seconds = iter([0.0, 1.0, 4.0, 9.0])  # both begin, both end
    monkeypatch.setattr("rfm_spark.cli.progress.time.monotonic", lambda: next(seconds))
    with StepProgress().step("outer"), StepProgress().step("inner"):
        pass
    inner, outer = capsys.readouterr().err.splitlines()
    assert ("inner" in inner, "3.0 s" in inner) == (True, True)
    assert ("outer" in outer, "6.0 s" in outer) == (True, True)
