"""Results stand while nothing has changed, and not a moment longer."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pytest
from deltalake import DeltaTable
from support.shop import stored

from rfm_spark.app import run_record
from rfm_spark.app.jobs import run_job
from rfm_spark.app.loading import load_settings
from rfm_spark.app.tables import RESULT_TABLES
from rfm_spark.core import code_version as code
from rfm_spark.facts.tables import FACT_TABLES
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.registry import BY_COMMAND, RESULTS
from rfm_spark.run import ABSENT, Run
from rfm_spark.storage.locations import location
from rfm_spark.storage.warehouse import Warehouse

DAY = date(2025, 3, 20)


@pytest.fixture
def stand(spark, copied_shop):
    """Names of the results that stand."""

    def ask(as_of=DAY, overrides=()):
        return set(
            run_record.results_that_stand(run_of(spark, copied_shop, overrides), RESULTS, as_of)
        )

    return ask


def run_of(spark, shop, overrides=()):
    warehouse = Warehouse(spark, location(spark, str(shop.warehouse)))
    settings = load_settings(shop.config, overrides)
    return Run(spark, settings, warehouse, location(spark, str(shop.raw)))


OF_SUMS = {"rfm", "bridge", "clusters", "customer-360"}
OF_FACTS = {*OF_SUMS, "cohorts", "rhythm"}
ALL = {*OF_FACTS, "moves", "cluster-segments"}
MADE_OF = {
    "receipts": {"rfm"},
    "customer_days": OF_FACTS,
    "customers": OF_SUMS,  # sums of customers tell who is known
    "customer_day_categories": {"clusters"},
    "customer_year_events": OF_SUMS,
    "first_receipts": {"customer-360"},
    "segments": {"rfm", "moves"},
    "cluster_assignments": {"clusters", "cluster-segments", "customer-360"},
    "cluster_segments": {"cluster-segments"},
    "rfm": {"rfm", "moves", "bridge", "cluster-segments", "customer-360"},
    "customer_360": {"customer-360"},
    "cohorts": {"cohorts"},
    "cohort_curves": {"cohorts"},
    "cohort_engagement": {"cohorts"},
    "cohort_growth": {"cohorts"},
    "customer_rhythm": {"rhythm", "customer-360"},
    "customer_status": {"rhythm"},
    "second_purchases": {"rhythm"},
    "revenue_bridge": {"bridge"},
}
"""Table to the results that are made of it, or make it."""


def test_all_stand_where_nothing_has_changed(stand):
    assert stand() == ALL


def test_another_day_is_another_result(stand):
    assert stand(as_of=date(2025, 3, 19)) == set()


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("clusters.k=3", {"clusters", "cluster-segments", "customer-360"}),
        (
            "rfm.purchase.window_days=90",
            {"rfm", "moves", "bridge", "cluster-segments", "customer-360"},
        ),
        ("cohorts.week_start='sunday'", {"cohorts"}),
        ("business.currency='CHF'", ALL),
        ("metastore.database='shop'", ALL),
        ("maintenance.late_days=40", set()),
    ],
)
def test_a_setting_concerns_the_results_it_decides(stand, setting, changed):
    assert stand(overrides=(setting,)) == ALL - changed


@pytest.mark.parametrize("table", MADE_OF)
def test_a_table_that_changed_or_is_gone(stand, copied_shop, table):
    folder = copied_shop.warehouse / table
    DeltaTable(str(folder)).delete("true")
    assert stand() == ALL - MADE_OF[table]
    shutil.rmtree(folder)
    assert stand() == ALL - MADE_OF[table]


def test_the_first_profile_is_another_one_in_another_order(spark, copied_shop):
    text = copied_shop.config.read_text()
    both = ("[rfm.purchase]\n", "[rfm.short]\nwindow_days = 30\n")
    digests = []
    for first, second in (both, both[::-1]):
        copied_shop.configure(text + first + second)
        settings = run_of(spark, copied_shop).settings
        digests.append(run_record.rules_digest(settings, BY_COMMAND["customer-360"]))
    assert digests[0] != digests[1]


def test_a_table_that_is_there_at_last_is_more_to_read(spark, copied_shop):
    for name in ("customers", "runs"):  # as if they had never come
        shutil.rmtree(copied_shop.warehouse / name)
    run = run_of(spark, copied_shop)
    run_job(run, "customer-360", DAY)
    assert run.versions.read["customers"] == ABSENT
    again = run_of(spark, copied_shop)
    assert "customer-360" in run_record.results_that_stand(again, RESULTS, DAY)
    again.warehouse.create(CUSTOMERS)
    assert "customer-360" not in run_record.results_that_stand(again, RESULTS, DAY)


def test_other_code(stand, monkeypatch):
    monkeypatch.setattr(run_record, "code_version", lambda: "0.1.0+other")
    assert stand() == set()


def test_what_a_run_that_failed_had_finished_stands(stand, copied_shop):
    runs = DeltaTable(str(copied_shop.warehouse / "runs"))
    runs.update(updates={"outcome": "'failed: RunFailure'"})
    assert stand() == ALL


def test_only_the_last_record_of_a_result_counts(stand, spark, copied_shop):
    runs = spark.read.format("delta").load(str(copied_shop.warehouse / "runs"))
    older = "transform(results, r -> named_struct('result', r.result, 'rules_digest', 'other', "
    later = runs.selectExpr(
        "* EXCEPT (run_id, started_at, results)",
        "'later' AS run_id",
        "started_at + INTERVAL 1 HOUR AS started_at",
        older + "'read_versions', r.read_versions, 'written_versions', r.written_versions)) "
        "AS results",
    )
    later.write.format("delta").mode("append").save(str(copied_shop.warehouse / "runs"))
    assert stand() == set()


def test_each_result_reads_and_writes_what_it_declares(spark, copied_shop):
    run = run_of(spark, copied_shop)
    sums = {table.name for table in (*FACT_TABLES, CUSTOMERS)}
    for name, record in run_record.results_that_stand(run, RESULTS, DAY).items():
        result = BY_COMMAND[name]
        declared = {table.name for table in (*result.reads, *result.tables)}
        assert set(record.written_versions) <= {table.name for table in result.tables}, name
        assert set(record.read_versions) <= declared | (sums if result.asks else set()), name
        made = {one.name for one in result.tables if run.warehouse.count(one)}
        assert made <= set(record.written_versions), name


def test_only_what_does_not_stand_is_made_again(spark, copied_shop):
    run = run_of(spark, copied_shop, ("clusters.k=3",))
    there = [table for table in RESULT_TABLES if run.warehouse.is_there(table)]
    before = {table: run.warehouse.version(table) for table in there}
    run_job(run, "run", DAY)
    changed = {table.name for table in there if run.warehouse.version(table) != before[table]}
    made = ("clusters", "cluster-segments", "customer-360")
    tables = {table for name in made for table in BY_COMMAND[name].tables}
    assert changed == {table.name for table in tables if run.warehouse.count(table)}
    again = run_of(spark, copied_shop, ("clusters.k=3",))
    assert set(run_record.results_that_stand(again, RESULTS, DAY)) == ALL


def test_the_configuration_of_every_day_is_kept(spark, copied_shop):
    first = run_of(spark, copied_shop).settings
    run_job(run_of(spark, copied_shop, ("rfm.purchase.window_days=90",)), "rfm", DAY)
    run_job(run_of(spark, copied_shop, ("rfm.purchase.window_days=90",)), "rfm", DAY)
    rows = stored(copied_shop.warehouse, "settings")
    kept = {row["settings_digest"]: json.loads(row["settings"]) for row in rows}
    assert len(rows) == len(kept) == 2
    runs = sorted(stored(copied_shop.warehouse, "runs"), key=lambda row: row["started_at"])
    windows = [kept[row["settings_digest"]]["rfm"]["purchase"]["window_days"] for row in runs]
    assert windows == [first.rfm["purchase"].window_days, 90, 90]
    assert kept[runs[0]["settings_digest"]] == first.model_dump(mode="json")


def test_the_code_version_changes_with_any_source_file(tmp_path, monkeypatch):
    package = tmp_path / "rfm_spark"
    (package / "inner").mkdir(parents=True)
    source = package / "inner" / "one.py"
    source.write_text("x = 1\n")
    monkeypatch.setattr(code.resources, "files", lambda _: package)
    found = []
    for text in ("x = 1\n", "x = 2\n"):
        source.write_text(text)
        code.code_version.cache_clear()
        found.append(code.code_version())
    code.code_version.cache_clear()
    assert found[0] != found[1]
