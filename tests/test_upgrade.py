"""A warehouse that an earlier release wrote: opened, brought up to date, taken on by a night."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from conftest import ROOT, RunJob
from deltalake import DeltaTable
from support.screen import on_screen, problems
from support.shop import ABOUT_RUNS, Shop, click, line, person, stored, stored_tables, versions

from rfm_spark.app import migrations
from rfm_spark.app.loading import load_settings
from rfm_spark.app.publishing import published
from rfm_spark.app.tables import ALL_TABLES, RUNS
from rfm_spark.core.table import Column, Table
from rfm_spark.facts.tables import ACQUISITION, CUSTOMER_DAYS
from rfm_spark.results.bridge.tables import REVENUE_BRIDGE
from rfm_spark.results.cluster_segments.tables import CLUSTER_SEGMENTS
from rfm_spark.results.clusters.tables import (
    CLUSTER_ASSIGNMENTS,
    CLUSTER_CANDIDATES,
    CLUSTER_MODELS,
    CLUSTER_REPRESENTATIVES,
    CLUSTER_TIERS,
    CLUSTERS,
    CUSTOMER_FEATURES,
    MICRO_GROUPS,
)
from rfm_spark.results.cohorts.tables import (
    COHORT_CURVES,
    COHORT_ENGAGEMENT,
    COHORT_GROWTH,
    COHORTS,
)
from rfm_spark.results.lifetime.result import RESULT as LIFETIME
from rfm_spark.results.rhythm.result import RESULT as RHYTHM
from rfm_spark.run import Run
from rfm_spark.storage.locations import location
from rfm_spark.storage.renewal import renew
from rfm_spark.storage.snapshot import NEWEST
from rfm_spark.storage.table_state import SCHEMA_VERSION
from rfm_spark.storage.warehouse import Warehouse

LAST_DAY, NIGHT = date(2025, 3, 20), date(2025, 3, 21)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(ROOT / "tests" / "data" / "warehouse_0_1_0.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def old_shop(unpacked: Path, tmp_path: Path) -> Shop:
    """The shop of release 0.1.0, with the times its raw files had."""
    shutil.copytree(unpacked, tmp_path / "shop")
    return Shop(tmp_path / "shop")


def run_of(spark, shop):
    warehouse = Warehouse(spark, location(spark, str(shop.warehouse)))
    return Run(spark, load_settings(shop.config), warehouse, location(spark, str(shop.raw)))


def second_day(shop):
    """A new customer, a late receipt, a click and an address."""
    shop.csv(
        "receipts2.csv",
        [
            line("n1", "c9", "2025-03-21 10:00:00", "8.00"),
            line("n2", "c1", "2025-02-20 10:00:00", "3.00", category="milk"),
        ],
    )
    shop.csv("clicks2.csv", [click("3", "c1", "2025-03-21")])
    shop.csv("customers2.csv", [person("c9", "Bonn", "2025-03-21")])


def told(shop, job):
    """Records of a job, the oldest first."""
    rows = [row for row in stored(shop.warehouse, "runs") if row["job"] == job]
    return sorted(rows, key=lambda row: row["started_at"])


def comment(table, column):
    fields = {field.name: field for field in DeltaTable(str(table)).schema().fields}
    return fields[column].metadata["comment"]


SINCE = (
    "value",
    "value_unit",
    "events",
    "profiles",
    "last_interactions",
    "collapsed",
    "edition",
    "explained",
    "explained_error",
    "boundary_edition",
    *(column.name for column in RHYTHM.customer_columns.columns),
    *(column.name for column in LIFETIME.customer_columns.columns),
)
"""Columns that rows of 0.1.0 do not have."""

SINCE_IN = {
    "rfm_cells": ("segment",),
    "segments": ("boundary_version",),
    "cohorts": tuple(column.name for column in COHORTS.columns if column.since > 1),
    "customer_360": ("cluster_tier", *(column.name for column in ACQUISITION)),
    **{
        table.name: (*also, *(column.name for column in table.columns if column.since > 1))
        for table, also in (
            (CUSTOMER_FEATURES, ()),
            (CLUSTER_MODELS, ()),
            # Centres were k-means' own, a millionth of a deviation from the means of customers.
            (CLUSTERS, ("centre",)),
            (CLUSTER_ASSIGNMENTS, ("distance", "runner_up_distance")),
        )
    },
}
"""The same, of columns that other tables had."""

SINCE_TABLES = {
    table.name
    for table in (
        *(COHORT_CURVES, COHORT_ENGAGEMENT, COHORT_GROWTH, REVENUE_BRIDGE, *RHYTHM.tables),
        *(
            CLUSTER_SEGMENTS,
            MICRO_GROUPS,
            CLUSTER_TIERS,
            CLUSTER_CANDIDATES,
            CLUSTER_REPRESENTATIVES,
        ),
    )
}
"""Tables that 0.1.0 did not make."""


def comparable(tables):
    """Without what release 0.1.0 had another of, or none, on the day that it described."""
    for row in tables["deliveries"]:
        del row["fingerprint"]
    for row in tables["receipts"]:  # NULL where nothing was compared since
        row["replaces_other"] = row["replaces_other"] or None
        row["is_forgotten"] = row["is_forgotten"] or None
    for row in tables["quarantine"]:
        del row["customer_id"]
    # Nor did 0.1.0 tell of which rows the amount is unknown.
    told = {
        "deliveries": "unknown_amount_rows",
        "quarantine": "is_amount_unknown",
        "reconciliation": "unknown_amount_rows",
    }
    for name, column in told.items():
        for row in tables[name]:
            del row[column]
    for name, rows in tables.items():
        if name in SINCE_TABLES:
            tables[name] = [row for row in rows if row["as_of"] != LAST_DAY]
            continue
        of_then = [row for row in rows if LAST_DAY in (row.get("as_of"), row.get("version"))]
        gone = (*SINCE, *SINCE_IN.get(name, ()))
        tables[name] = [row for row in rows if row not in of_then] + [
            {column: value for column, value in row.items() if column not in gone}
            for row in of_then
            if row.get("profile") != "engagement"
        ]
    tables["cluster_moves"] = []  # since that day
    return tables


def test_a_night_goes_on_as_in_a_warehouse_built_anew(run: RunJob, old_shop, tmp_path):
    before = stored(old_shop.warehouse, "rfm_boundaries")
    anew = Shop(tmp_path / "anew")
    shutil.copytree(old_shop.raw, anew.raw)
    run(old_shop.config, anew.raw, anew.warehouse)
    # Release 0.1.0 kept no models, from which the clusters of the night have their numbers.
    models = DeltaTable(str(anew.warehouse / "cluster_models"))
    models.update(updates={"version": "CAST(NULL AS DATE)"})
    for shop in (old_shop, anew):
        second_day(shop)
        run(old_shop.config, shop.raw, shop.warehouse, "nightly", NIGHT)

    found, expected = (comparable(stored_tables(shop.warehouse)) for shop in (old_shop, anew))
    for name, rows in expected.items():
        assert found[name] == rows, name
    assert sorted(found) == sorted(expected)
    # Nothing was read again: of receipts, only the days that the night brought were written.
    log = DeltaTable(str(old_shop.warehouse / "receipts")).history()
    assert sum("days" in (one.get("userMetadata") or "") for one in log) == 2
    assert told(old_shop, "nightly")[0]["written_rows"]
    held = [row for row in stored(old_shop.warehouse, "rfm_boundaries") if row["profile"] == "held"]
    assert {row["version"] for row in held} == {LAST_DAY}
    assert len(held) == len([row for row in before if row["profile"] == "held"])


def test_all_tables_are_published_as_they_were(spark, old_shop):
    run = run_of(spark, old_shop)
    assert published(run.warehouse).snapshot is NEWEST
    migrations.upgrade(run)
    newest = {n: one for n, one in versions(old_shop.warehouse).items() if n not in ABOUT_RUNS}
    assert published(run.warehouse).snapshot.versions == newest


def test_what_an_upgrade_did_is_on_record_and_is_done_once(run: RunJob, old_shop):
    for _ in range(2):
        run(old_shop.config, old_shop.raw, old_shop.warehouse, "ingest")
    [record] = told(old_shop, "upgrade")
    assert record["outcome"] == "succeeded"
    done = record["details"].splitlines()
    assert "runs: added results, details" in done
    assert "rfm_cells: added segment" in done
    assert [one for one in done if one.startswith("deliveries: fingerprint of 1 rows of receipts")]
    assert [one for one in done if one.startswith("rfm_boundaries: settings_digest of 15 rows of")]
    assert comment(old_shop.warehouse / "runs", "details")
    assert comment(old_shop.warehouse / "rfm_cells", "segment").startswith("Segment of the cell")
    first, second = told(old_shop, "ingest")
    # One has a new column, the others are new: all are made of what is stored.
    assert dict(first["written_rows"]) == {
        "customer_day_events": 2, "customer_year_events": 2, "first_receipts": 6,
    }  # fmt: skip
    assert second["written_rows"] == []


def test_reading_commands_open_it_and_change_nothing(cli, old_shop, capfd):
    before = versions(old_shop.warehouse)
    arguments = ("--config", old_shop.config, "--warehouse", old_shop.warehouse)
    assert cli("tables", *arguments) == 0
    assert "The last run: run as of 2025-03-20" in on_screen(capfd)
    assert cli("explain", "c2", *arguments) == 0
    shown = on_screen(capfd)
    [row] = [
        row
        for row in stored(old_shop.warehouse, "rfm")
        if (row["customer_id"], row["profile"]) == ("c2", "purchase")
    ]
    assert f"monetary {row['monetary_cents'] / 100:.2f} USD" in " ".join(shown.split())
    told = "purchase may have been others: those by which 2025-03-20 was scored are not"
    assert told in " ".join(shown.split())
    assert versions(old_shop.warehouse) == before


@pytest.mark.parametrize("killed_after", [0, 3, 11, 20])
def test_an_upgrade_that_is_killed_is_done_again(spark, old_shop, monkeypatch, killed_after):
    steps = count()

    def dies(*arguments):
        if next(steps) == killed_after:
            raise KeyboardInterrupt
        return renew(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "renew", dies)
        with pytest.raises(KeyboardInterrupt):
            migrations.upgrade(run_of(spark, old_shop))
    assert not told(old_shop, "upgrade")
    migrations.upgrade(run_of(spark, old_shop))
    assert len(told(old_shop, "upgrade")) == 1
    again = run_of(spark, old_shop)
    assert all(
        not renew(again.warehouse, table, False)
        for table in ALL_TABLES
        if again.warehouse.is_there(table)
    )
    assert all(not list(step.apply(again)) for step in migrations.MIGRATIONS)


def test_a_newer_warehouse_is_refused_before_anything_is_written(cli, old_shop, capfd, spark):
    place = old_shop.warehouse / "runs"
    newer = RUNS.schema_version + 1
    spark.sql(f"ALTER TABLE delta.`{place}` SET TBLPROPERTIES ('{SCHEMA_VERSION}' = '{newer}')")
    before = versions(old_shop.warehouse)
    assert cli("run", *old_shop.arguments()) == 2
    [problem] = problems(capfd)
    assert f"written with schema {newer} by a newer rfm-spark" in problem
    assert versions(old_shop.warehouse) == before


def changed(table, *columns):
    """The table as a later release could make it."""
    return Table(table.name, table.grain, columns, table.key, table.partition_by, schema_version=2)


def test_a_result_whose_columns_changed_is_emptied_and_a_fact_is_not(spark, old_shop):
    warehouse = run_of(spark, old_shop).warehouse
    others = [one for one in CLUSTERS.columns if one.name != "persona"]
    name = Column("label", CLUSTERS.columns[3].type, "Words")
    later = changed(CLUSTERS, *others, name)
    rows = warehouse.version(CLUSTERS)
    [told] = renew(warehouse, later, True)
    assert "label, persona" in told
    assert warehouse.read(later).isEmpty()
    assert set(warehouse.read(later).columns) == set(later.column_names)
    assert warehouse.version(later) == rows + 1
    fact = changed(CUSTOMER_DAYS, *CUSTOMER_DAYS.columns[:-1], name)
    with pytest.raises(Exception, match=r"see label, promo_visits\): use another warehouse"):
        renew(warehouse, fact, False)


def test_columns_and_properties_that_came_since_are_added(spark, old_shop):
    warehouse = run_of(spark, old_shop).warehouse
    since = Column("note", CLUSTERS.columns[3].type, "It's \\ new", since=2)
    described = [replace(one, comment=f"More: {one.comment}") for one in CLUSTERS.columns[2:4]]
    later = changed(CLUSTERS, *CLUSTERS.columns[:2], *described, *CLUSTERS.columns[4:], since)
    later = replace(later, grain="one customer's cluster")
    kept = warehouse.read(CLUSTERS).count()
    assert warehouse.read(later).where("note IS NULL").count() == kept
    place = str(old_shop.warehouse / "clusters")
    spark.sql(
        f"ALTER TABLE delta.`{place}` SET TBLPROPERTIES "
        "('delta.deletedFileRetentionDuration' = 'interval 70 days', "
        "'delta.logRetentionDuration' = 'interval 100 days')"
    )
    added, told, rows, properties = renew(warehouse, later, True)
    assert (told, rows) == ("described cluster, persona", "described its rows")
    [detail] = spark.sql(f"DESCRIBE DETAIL delta.`{place}`").collect()
    assert detail["description"] == DeltaTable(place).metadata().description == later.grain
    assert comment(place, "persona") == described[1].comment
    assert added.startswith("added ")
    assert added.endswith(", note")
    assert "delta.logRetentionDuration" in properties
    operations = {one["operation"] for one in DeltaTable(place).history()}
    assert not operations & {"REMOVE COLUMN MAPPING"}, "which writes all files anew"
    assert comment(place, "note") == "It's \\ new"
    assert warehouse.read(later).where("note IS NULL").count() == kept
    assert renew(warehouse, later, True) == []


def test_a_column_that_came_since_cannot_be_required():
    with pytest.raises(ValueError, match="rows from before"):
        Column("note", CLUSTERS.columns[3].type, "", required=True, since=2)


def test_the_number_of_the_warehouse_is_the_highest_of_any_table_and_column():
    numbers = [table.schema_version for table in ALL_TABLES]
    since = [column.since for table in ALL_TABLES for column in table.columns]
    assert max(*numbers, *since) <= RUNS.schema_version
