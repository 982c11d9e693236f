"""Storage: every table open to every reader, slices replaced whole, one writer at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from deltalake import CommitProperties, DeltaTable
from pyspark.errors import PySparkException
from pyspark.sql import functions as F
from support import people
from support.shop import EMPTY_AFTER_A_RUN, NOT_OF_A_RUN, stored, versions

from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.core.errors import UserError
from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.storage.commit_log import CommitLog, Note
from rfm_spark.storage.lease import LEASE, lease
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.session_settings import session_settings
from rfm_spark.storage.warehouse import Warehouse

DEFAULTS = "spark.databricks.delta.properties.defaults."
HOSTILE = {
    f"{DEFAULTS}enableDeletionVectors": "true",
    f"{DEFAULTS}columnMapping.mode": "name",
    f"{DEFAULTS}checkpointPolicy": "v2",
    f"{DEFAULTS}enableTypeWidening": "true",
    f"{DEFAULTS}enableRowTracking": "true",
    f"{DEFAULTS}minReaderVersion": "3",
    f"{DEFAULTS}minWriterVersion": "7",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}


@pytest.fixture
def warehouse(spark, tmp_path):
    return Warehouse(spark, str(tmp_path / "warehouse"))


def log_actions(folder, kind):
    """All actions of a kind in a table's log, oldest first."""
    logs = sorted((folder / "_delta_log").glob("*.json"))
    actions = [json.loads(text) for log in logs for text in log.read_text().splitlines()]
    return [action[kind] for action in actions if kind in action]


def test_every_table_is_open_to_all_readers_under_hostile_session_defaults(spark, tmp_path):
    folder = tmp_path / """it's a "shop" (new)"""
    with session_settings(spark, HOSTILE):
        place = Warehouse(spark, str(folder))
        for table in ALL_TABLES:
            place.create(table)
        place.replace(CUSTOMERS, people(spark, "anna"), F.lit(True))
    for table in ALL_TABLES:
        protocols = log_actions(folder / table.name, "protocol")
        assert [one["minReaderVersion"] for one in protocols] == [1], table.name
        assert not any(one.get("readerFeatures") for one in protocols), table.name
        [metadata] = log_actions(folder / table.name, "metaData")
        assert metadata["partitionColumns"] == list(table.partition_by)
        assert metadata["description"] == table.grain
        fields = json.loads(metadata["schemaString"])["fields"]
        assert {field["name"]: field["metadata"]["comment"] for field in fields} == {
            column.name: column.comment for column in table.columns
        }
        assert [(field["name"], field["type"]) for field in fields] == [
            (field.name, json.loads(field.json())["type"]) for field in table.schema
        ]
        required = {field["name"] for field in fields if not field["nullable"]}
        assert required == {column.name for column in table.columns if column.required}
    assert [row["customer_id"] for row in stored(folder, "customers")] == ["anna"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("SET TBLPROPERTIES ('rfm_spark.schema_version' = '99')", "by a newer rfm-spark"),
        ("ADD COLUMNS (shoe_size INT)", "see shoe_size"),
        ("SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')", "reader protocol 3"),
    ],
)
def test_a_table_of_another_make_is_refused_and_left_alone(
    spark, cli, capfd, warehouse, finished_shop, change, told
):
    warehouse.replace(CUSTOMERS, people(spark, "anna"), F.lit(True))
    spark.sql(f"ALTER TABLE delta.`{warehouse.path(CUSTOMERS)}` {change}")
    before = warehouse.version(CUSTOMERS)
    another = Warehouse(spark, warehouse.place)
    with pytest.raises(UserError, match=told):
        another.read(CUSTOMERS)
    with pytest.raises(UserError, match=told):
        another.replace(CUSTOMERS, people(spark, "bert"), F.lit(True))
    assert warehouse.version(CUSTOMERS) == before
    arguments = ["--config", finished_shop.config, "--warehouse", warehouse.place]
    assert cli("tables", *arguments) == 2
    assert told in capfd.readouterr().err


def test_checksums_of_commits_do_not_list_files(finished_shop):
    checksums = [
        json.loads(one.read_text()) for one in finished_shop.warehouse.glob("*/_delta_log/0*.crc")
    ]
    written = [one for one in checksums if one["numFiles"] > 0]
    assert len(written) >= len(ALL_TABLES) - len(NOT_OF_A_RUN) - len(EMPTY_AFTER_A_RUN)
    assert not any(one.get("allFiles") for one in written)


@pytest.mark.parametrize("table", [RECEIPTS, CUSTOMER_DAYS])
def test_values_that_hardly_repeat_are_written_without_a_dictionary(finished_shop, table):
    place = finished_shop.warehouse / table.name
    files = [uri.removeprefix("file://") for uri in DeltaTable(str(place)).file_uris()]
    assert files
    has_dictionary = set()
    for file in files:
        group = pq.read_metadata(file).row_group(0)
        chunks = [group.column(number) for number in range(group.num_columns)]
        assert {one.compression for one in chunks} == {"ZSTD"}
        has_dictionary |= {one.path_in_schema for one in chunks if one.has_dictionary_page}
    assert not has_dictionary & set(table.plain)
    assert has_dictionary, "others have one"


def test_a_slice_is_replaced_and_the_rest_stays(spark, warehouse, tmp_path):
    first = warehouse.replace(CUSTOMERS, people(spark, "anna", "bert", "carl"), F.lit(True))
    assert first.rows == 3
    is_bert = F.col("customer_id") == "bert"
    commit = warehouse.replace(CUSTOMERS, people(spark, "bert"), is_bert, {"why": "moved"})
    assert (commit.rows, commit.version) == (1, first.version + 1)
    names = [row["customer_id"] for row in stored(tmp_path / "warehouse", "customers")]
    assert names == ["anna", "bert", "carl"]
    [note] = warehouse.notes_since(CUSTOMERS, first.version)
    assert (note.version, note.is_write, note.content) == (commit.version, True, {"why": "moved"})
    assert warehouse.last_note(CUSTOMERS) == note
    gone = warehouse.replace(CUSTOMERS, people(spark), is_bert)
    assert (gone.rows, gone.version) == (0, commit.version + 1)
    warehouse.replace(CUSTOMERS, people(spark, "anna"), F.col("customer_id") == "anna")
    nothing = warehouse.replace(CUSTOMERS, people(spark), is_bert, {"why": "nothing"})
    assert (nothing.rows, nothing.version) == (0, gone.version + 1)
    names = [row["customer_id"] for row in stored(tmp_path / "warehouse", "customers")]
    assert names == ["anna", "carl"]


def test_commits_are_what_delta_tells_of_its_history(spark, warehouse):
    for names in (["anna"], ["bert", "carl"], []):
        warehouse.replace(CUSTOMERS, people(spark, *names), F.lit(True), {"names": names})
    for name in ("dora", "emil"):
        warehouse.append(
            CUSTOMERS, people(spark, name).toArrow().to_pylist(maps_as_pydicts="strict")
        )
    warehouse.compact(CUSTOMERS)
    path = warehouse.path(CUSTOMERS)
    log = CommitLog(SessionOnDemand.of(spark), path)
    history = sorted(DeltaTable(path).history(), key=lambda commit: commit["version"])
    assert log.versions() == [commit["version"] for commit in history] == [*range(7)]
    for commit in history:
        info = log.info(commit["version"])
        assert all(info[name] == commit[name] for name in ("operation", "timestamp"))
        assert info.get("userMetadata") == commit.get("userMetadata")
        assert info["operationMetrics"] == commit["operationMetrics"]
    now = DeltaTable(path)
    assert warehouse.version(CUSTOMERS) == now.version()
    assert warehouse.last_note(CUSTOMERS).content == {"names": []}
    told = {note.version: note.is_write for note in warehouse.notes_since(CUSTOMERS, 2)}
    assert told == {3: True, 4: True, 5: True, 6: False}


@pytest.mark.parametrize(
    ("noted", "content"),
    [
        (Note.written({"of": 3}), {"of": 3}),
        (Note.written({}), {}),
        ('{"of": 3, "days": []}', {"of": 3, "days": []}),  # as 0.1.0 wrote it
        (None, None),
        ("", None),
        ("loaded by hand", None),
        ('{"job": "etl", "rfm_spark": "yes"}', None),
        ('["of"]', None),
        ("3", None),
    ],
)
def test_notes_of_others_are_none_of_ours(noted, content):
    note = Note.of(4, {"operation": "WRITE", "userMetadata": noted})
    assert note == Note(4, True, content is not None, content or {})


def test_what_others_do_to_a_table_is_known_as_theirs(spark, warehouse):
    of_platform = {
        "spark.databricks.delta.autoCompact.enabled": "true",
        "spark.databricks.delta.autoCompact.minNumFiles": "2",
        "spark.databricks.delta.commitInfo.userMetadata": "the platform's",
    }
    warehouse.create(CUSTOMERS)
    with session_settings(spark, of_platform):
        for name in ("anna", "bert", "carl"):
            rows, where = people(spark, name), F.col("customer_id") == name
            commit = warehouse.replace(CUSTOMERS, rows, where, {"name": name})
            assert commit.rows == 1
    log = CommitLog(SessionOnDemand.of(spark), warehouse.path(CUSTOMERS))
    operations = [log.info(version)["operation"] for version in log.versions()]
    assert "OPTIMIZE" in operations, "nothing was compacted"
    assert warehouse.last_note(CUSTOMERS).content == {"name": "carl"}
    properties = CommitProperties(custom_metadata={"userMetadata": "compacted by hand"})
    DeltaTable(warehouse.path(CUSTOMERS)).optimize.compact(commit_properties=properties)
    assert warehouse.last_note(CUSTOMERS).content == {"name": "carl"}
    warehouse.delete(CUSTOMERS, F.col("customer_id") == "anna")
    assert warehouse.last_note(CUSTOMERS).content == {"name": "carl"}
    DeltaTable(warehouse.path(CUSTOMERS)).delete("customer_id = 'bert'")
    assert warehouse.last_note(CUSTOMERS) is None


def test_changes_are_unknown_where_the_log_is_not_whole(spark, warehouse):
    for name in ("anna", "bert", "carl"):
        warehouse.replace(CUSTOMERS, people(spark, name), F.lit(True))
    assert warehouse.notes_since(CUSTOMERS, 4) is None
    assert warehouse.notes_since(CUSTOMERS, 3) == []
    log = Path(warehouse.path(CUSTOMERS)) / "_delta_log"
    (log / f"{2:020}.json").rename(log / "elsewhere")
    assert warehouse.notes_since(CUSTOMERS, 1) is None
    assert len(warehouse.notes_since(CUSTOMERS, 2)) == 1


def test_rows_outside_the_slice_are_refused(spark, warehouse):
    with pytest.raises(PySparkException, match="outside the slice"):
        warehouse.replace(CUSTOMERS, people(spark, "bert"), F.col("customer_id") == "anna")
    assert warehouse.read(CUSTOMERS).isEmpty()
    warehouse.replace(CUSTOMERS, people(spark, "anna"), F.lit(True))
    before = warehouse.version(CUSTOMERS)
    with pytest.raises(PySparkException, match="REPLACE_WHERE"):
        warehouse.replace(CUSTOMERS, people(spark, "bert"), F.col("customer_id") == "anna")
    assert warehouse.version(CUSTOMERS) == before


HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write("rfm-spark run, anna@till, pid 7")
file.flush()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_run_on_a_warehouse_is_told_who_holds_it(
    spark, cli, capfd, tmp_path, finished_shop
):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / LEASE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout.readline() == b"held\n"
        arguments = ["--config", finished_shop.config, "--input", finished_shop.raw]
        assert cli("run", *arguments, "--warehouse", tmp_path) == 2
        told = capfd.readouterr().err
        assert f"{tmp_path}: another run is writing this warehouse" in told
        assert "anna@till, pid 7" in told
    finally:
        process.kill()
        process.communicate()
    assert versions(tmp_path) == {}
    with lease(SessionOnDemand.of(spark), str(tmp_path), "the next run"):
        assert (tmp_path / LEASE).read_text() == "the next run"


def test_a_lease_ends_with_its_block_and_after_a_failure(spark, tmp_path):
    with pytest.raises(ZeroDivisionError), lease(SessionOnDemand.of(spark), str(tmp_path), "first"):
        raise ZeroDivisionError
    with (
        lease(SessionOnDemand.of(spark), str(tmp_path), "second"),
        pytest.raises(UserError, match="second"),
        lease(SessionOnDemand.of(spark), str(tmp_path), "third"),
    ):
        pass


def test_delta_rs_polars_and_duckdb_read_every_table_as_spark_does(spark, finished_shop):
    connection = duckdb.connect()
    of_others = {*EMPTY_AFTER_A_RUN, *NOT_OF_A_RUN}
    for table in ALL_TABLES:
        if table.name in of_others:
            continue
        path = str(finished_shop.warehouse / table.name)
        rows = spark.read.format("delta").load(path).count()
        assert rows > 0, f"{table.name} is empty: it shows nothing"
        assert DeltaTable(path).to_pyarrow_table().num_rows == rows
        assert pl.read_delta(path).height == rows
        relation = connection.read_parquet(DeltaTable(path).file_uris())
        assert relation.aggregate("count(*)").fetchall() == [(rows,)]
        assert sorted(relation.columns) == sorted(table.column_names)
