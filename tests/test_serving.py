"""The Thrift server, read by a client that is not ours, over its own protocol."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from impala.dbapi import connect
from impala.error import Error
from pyspark.sql import functions as F
from support.documents import DOCS, python_examples
from support.screen import problems
from support.sessions import SHORT_LIVED
from support.shop import stored, stored_tables, versions

from rfm_spark.app.api import open_run
from rfm_spark.app.loading import load_settings
from rfm_spark.app.publishing import publish
from rfm_spark.app.queries import query_panel
from rfm_spark.app.serving import ServedViews
from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.cli.serving import until_stopped
from rfm_spark.results.rfm.tables import SEGMENTS
from rfm_spark.storage import gateway
from rfm_spark.storage.snapshot import NEWEST
from rfm_spark.storage.warehouse import as_of_slice

QUERIES = (
    "SELECT * FROM {}segments ORDER BY profile, segment",
    "SELECT run_id, job, as_of, outcome, seconds FROM {}runs",
    "SELECT customer_id, city, segment, first_visit, lifetime_revenue_cents, recency_days"
    " FROM {}customer_360_latest ORDER BY customer_id",
    "SELECT s.segment, count(*) AS n, avg(c.lifetime_visits) AS visits FROM {}segments_latest s"
    " LEFT JOIN {}customer_360_latest c USING (segment) WHERE s.profile = 'purchase'"
    " GROUP BY s.segment ORDER BY s.segment",
    "SELECT cast(1.50 AS decimal(9, 2)) AS price, cast(NULL AS int) AS nothing, '日本' AS word",
)


@pytest.fixture(scope="module")
def served(finished_shop, tmp_path_factory):
    """The port at which a process of its own serves the finished shop."""
    command = [
        sys.executable, "-m", "rfm_spark", "serve", "--port", "0",
        "--config", finished_shop.config, "--warehouse", finished_shop.warehouse,
    ]  # fmt: skip
    environment = {**os.environ, **SHORT_LIVED}
    folder = tmp_path_factory.mktemp("where it was started")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder
    ) as process:
        try:
            told = process.stdout.readline()
            yield int(re.search(r"jdbc:hive2://127\.0\.0\.1:(\d+)$", told)[1])
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
    assert code == 0
    assert not list(folder.iterdir()), "something was left behind"


@contextmanager
def client(port):
    address = {"host": "127.0.0.1", "port": port, "auth_mechanism": "PLAIN"}
    with closing(connect(**address, user="somebody", password="-")) as connection:
        yield connection.cursor()


def asked(cursor, text):
    cursor.execute(text)
    return [column[0] for column in cursor.description], cursor.fetchall()


@pytest.fixture(scope="module")
def run_of(spark):
    return lambda shop: open_run(spark, load_settings(shop.config), ".", shop.warehouse)


@pytest.mark.parametrize("query", QUERIES)
def test_a_client_reads_what_sql_shows(served, finished_shop, run_of, query):
    shown = query_panel(run_of(finished_shop), query.format("", ""), 1000)
    with client(served) as cursor:
        names, rows = asked(cursor, query.format("global_temp.", "global_temp."))
    assert names == [column.title for column in shown.columns]
    told = [["" if value is None else str(value) for value in row] for row in rows]
    assert rows
    assert told == shown.rows


def test_the_way_that_is_shown_leads_to_the_rows(served, finished_shop):
    [code] = [code for code in python_examples(DOCS / "analysts.md").values() if "impala" in code]
    assert code.count("port=10000") == 1
    found = {}
    exec(code.replace("port=10000", f"port={served}"), found)
    segments = stored(finished_shop.warehouse, "segments")
    day = max(row["as_of"] for row in segments)
    wanted = [(row["segment"], row["customers"]) for row in segments if row["as_of"] == day]
    assert sorted(found["rows"]) == sorted(wanted)
    assert [n for _, n in found["rows"]] == sorted((n for _, n in wanted), reverse=True)


def test_every_table_is_there_and_its_newest_day(served, finished_shop):
    there = stored_tables(finished_shop.warehouse, without=())
    of_days = {table.name for table in ALL_TABLES if "as_of" in table.key}
    wanted = {*there, *(f"{name}_latest" for name in there if name in of_days)}
    with client(served) as cursor:
        _, rows = asked(cursor, "SHOW VIEWS IN global_temp")
    assert {row[1] for row in rows} == wanted


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO global_temp.{0} SELECT * FROM global_temp.{0}",
        "INSERT OVERWRITE global_temp.{0} SELECT * FROM global_temp.{0}",
        "DELETE FROM global_temp.{0}",
        "UPDATE global_temp.{0} SET customers = 0",
        "MERGE INTO global_temp.{0} a USING global_temp.{0} b ON a.segment = b.segment"
        " WHEN MATCHED THEN DELETE",
        "TRUNCATE TABLE global_temp.{0}",
        "ALTER TABLE global_temp.{0} DROP COLUMN customers",
    ],
)
def test_a_view_cannot_be_written_to(served, finished_shop, statement):
    before = versions(finished_shop.warehouse)
    for name in ("segments", "segments_latest"):
        with client(served) as cursor, pytest.raises(Error):
            cursor.execute(statement.format(name))
    assert versions(finished_shop.warehouse) == before


def test_what_one_client_sets_is_its_own(served):
    with client(served) as one, client(served) as other:
        one.execute("SET spark.sql.ansi.enabled=false")
        one.execute("CREATE TEMPORARY VIEW segments AS SELECT 1 AS a")
        assert asked(one, "SELECT cast('x' AS int) AS a FROM segments") == (["a"], [(None,)])
        with pytest.raises(Error, match="CAST_INVALID_INPUT"):
            other.execute("SELECT cast('x' AS int)")
        with pytest.raises(Error, match="TABLE_OR_VIEW_NOT_FOUND"):
            other.execute("SELECT * FROM segments")


def test_views_follow_a_night_that_is_published(run_of, copied_shop):
    run, night = run_of(copied_shop), run_of(copied_shop)
    night.warehouse.follow(NEWEST)
    views = ServedViews(run)
    views.refresh()
    before = night.warehouse.read(SEGMENTS)
    [day] = before.agg(F.max("as_of")).first()
    later = day + timedelta(days=1)
    night.warehouse.replace(SEGMENTS, before.withColumn("as_of", F.lit(later)), as_of_slice(later))
    run.spark.sql("DROP VIEW global_temp.customer_360")
    views.refresh()
    assert run.spark.table("global_temp.segments").select("as_of").distinct().count() == 1
    publish(night, [SEGMENTS])
    views.refresh()
    assert run.spark.table("global_temp.customer_360").count()
    newest = run.spark.table("global_temp.segments_latest").select("as_of").distinct().collect()
    assert [row["as_of"] for row in newest] == [later]
    assert run.spark.table("global_temp.segments").select("as_of").distinct().count() == 2
    views.drop()
    assert run.spark.sql("SHOW VIEWS IN global_temp").isEmpty()


def test_a_port_that_is_taken_is_one_line(cli, finished_shop, spark, capfd):
    place = ["--config", finished_shop.config, "--warehouse", finished_shop.warehouse]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli("serve", *place, "--port", port) == 2
    [line] = problems(capfd)
    assert line.startswith(f"cannot serve at 127.0.0.1:{port}: Address already in use")
    assert spark.sql("SHOW VIEWS IN global_temp").isEmpty()


def test_an_environment_that_would_choose_the_place_is_refused(
    cli, finished_shop, capfd, monkeypatch
):
    place = ["--config", finished_shop.config, "--warehouse", finished_shop.warehouse]
    monkeypatch.setattr(gateway, "_GO_BEFORE", ("PATH",))  # the JVM's, which is running
    assert cli("serve", *place, "--port", 0) == 2
    [line] = problems(capfd)
    assert "PATH of the environment would be obeyed: unset it" in line


def test_without_tables_there_is_nothing_to_serve(cli, copied_shop, capfd):
    place = ["--config", copied_shop.config, "--warehouse", copied_shop.folder / "elsewhere"]
    assert cli("serve", *place) == 2
    [line] = problems(capfd)
    assert line.endswith("elsewhere: no tables are there yet; run `rfm-spark run`")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting(number):
    before = signal.getsignal(number)
    with until_stopped() as stops:
        os.kill(os.getpid(), number)
        assert stops.get(timeout=10) == number
    assert signal.getsignal(number) is before
