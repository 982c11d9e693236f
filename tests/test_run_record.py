"""Results stand while nothing has changed, and not a moment longer."""

from __future__ import annotations

import shutil
from datetime import date

import pytest
from deltalake import DeltaTable

from rfm_spark.pipeline import run_record
from rfm_spark.pipeline.context import Job
from rfm_spark.settings import load_settings
from rfm_spark.storage.locations import location
from rfm_spark.storage.warehouse import Warehouse

DAY = date(2025, 3, 20)


@pytest.fixture
def stand(spark, copied_shop):
    def ask(names=("run", "nightly"), as_of=DAY, overrides=()):
        settings = load_settings(copied_shop.config, overrides)
        warehouse = Warehouse(spark, location(str(copied_shop.warehouse)))
        job = Job(spark, settings, warehouse, location(str(copied_shop.raw)))
        return run_record.results_stand(job, names, as_of)

    return ask


def test_they_stand_where_nothing_has_changed(stand):
    assert stand()


def test_what_was_read_and_written_is_noted_for_the_next_run(spark, copied_shop):
    warehouse = Warehouse(spark, location(str(copied_shop.warehouse)))
    job = Job(spark, load_settings(copied_shop.config), warehouse, location(str(copied_shop.raw)))
    assert run_record.results_stand(job, ["run"], DAY)
    now = {
        log.parent.name: DeltaTable(str(log.parent)).version()
        for log in copied_shop.warehouse.glob("*/_delta_log")
    }
    del now["runs"]
    assert job.read_versions == now


def test_another_day_job_or_setting_is_another_result(stand):
    assert not stand(as_of=date(2025, 3, 19))
    assert not stand(names=["rfm"])
    assert not stand(overrides=("clusters.k=3",))


@pytest.mark.parametrize("table", ["receipts", "customer_days", "segments", "customer_360"])
def test_a_table_that_changed_or_is_gone(stand, copied_shop, table):
    folder = copied_shop.warehouse / table
    DeltaTable(str(folder)).delete("true")
    assert not stand()
    shutil.rmtree(folder)
    assert not stand()


def test_other_code(stand, monkeypatch):
    monkeypatch.setattr(run_record, "code_version", lambda: "0.1.0+other")
    assert not stand()


def test_a_run_that_failed(stand, copied_shop):
    runs = DeltaTable(str(copied_shop.warehouse / "runs"))
    runs.update(updates={"outcome": "'failed: RunFailure'"})
    assert not stand()


def test_only_the_last_run_of_the_job_counts(stand, spark, copied_shop):
    runs = spark.read.format("delta").load(str(copied_shop.warehouse / "runs"))
    later = runs.selectExpr(
        "* EXCEPT (run_id, started_at, as_of)",
        "'later' AS run_id",
        "started_at + INTERVAL 1 HOUR AS started_at",
        "DATE '2025-03-19' AS as_of",
    )
    later.write.format("delta").mode("append").save(str(copied_shop.warehouse / "runs"))
    assert not stand()


def test_the_code_version_changes_with_any_source_file(tmp_path, monkeypatch):
    package = tmp_path / "rfm_spark"
    (package / "inner").mkdir(parents=True)
    source = package / "inner" / "one.py"
    source.write_text("x = 1\n")
    monkeypatch.setattr(run_record.resources, "files", lambda _: package)
    found = []
    for text in ("x = 1\n", "x = 2\n"):
        source.write_text(text)
        run_record.code_version.cache_clear()
        found.append(run_record.code_version())
    run_record.code_version.cache_clear()
    assert found[0] != found[1]
