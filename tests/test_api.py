"""The Python API: what a notebook or another program calls."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from datetime import date

import pytest
from support.documents import ROOT, python_examples
from support.shop import stored

import rfm_spark
from rfm_spark.storage.session_settings import session_settings

DAY = date(2025, 3, 20)


@pytest.fixture
def reader(spark, finished_shop):
    return rfm_spark.open_warehouse(spark, finished_shop.warehouse)


def test_every_name_is_there_and_loads_nothing_before_it_is_asked_for():
    for name in rfm_spark.__all__:
        assert getattr(rfm_spark, name).__doc__
        assert name in dir(rfm_spark)
    with pytest.raises(AttributeError, match="no attribute 'unknown'"):
        _ = rfm_spark.unknown
    light = "import rfm_spark, sys; assert not {'pyspark', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", light], check=True, timeout=60)


def test_a_table_is_read_as_of_a_day(reader):
    assert reader.days("segments") == [DAY]
    newest = reader.read("segments")
    assert {row["as_of"] for row in newest.collect()} == {DAY}
    assert reader.read("segments", DAY).count() == newest.count()
    assert reader.read("receipts").count() == 14
    assert "customer_360" in reader.tables()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda reader: reader.read("segment"), "segment: no such table; did you mean 'segments'?"),
        (lambda reader: reader.read("receipts", DAY), "receipts: describes no days"),
        (lambda reader: reader.days("runs"), "runs: describes no days"),
        (lambda reader: reader.read("rfm", date(2025, 3, 1)), "stored days: 2025-03-20"),
    ],
)
def test_a_mistake_is_one_clear_line(reader, call, told):
    with pytest.raises(rfm_spark.UserError, match=told):
        call(reader)


def test_a_job_runs_as_the_command_does(spark, copied_shop):
    settings = rfm_spark.load_settings(copied_shop.config, ["rfm.purchase.window_days=30"])
    places = {"input": copied_shop.raw, "warehouse": copied_shop.warehouse}
    earlier = date(2025, 3, 1)
    others = {
        "spark.sql.ansi.enabled": "false",
        "spark.databricks.delta.history.metricsEnabled": "false",
        "spark.databricks.delta.autoCompact.enabled": "true",
        "spark.databricks.delta.commitInfo.userMetadata": "a platform's own",
    }
    with session_settings(spark, others):
        assert rfm_spark.run_job(spark, "rfm", settings, **places, as_of=earlier) == earlier
        assert {name: spark.conf.get(name) for name in others} == others
    [run] = (row for row in stored(copied_shop.warehouse, "runs") if row["as_of"] == earlier)
    rows = [row for row in stored(copied_shop.warehouse, "rfm") if row["as_of"] == earlier]
    assert dict(run["written_rows"])["rfm"] == len(rows) > 0
    reader = rfm_spark.open_warehouse(spark, copied_shop.warehouse)
    assert reader.days("segments") == [earlier, DAY]
    with pytest.raises(rfm_spark.UserError, match="did you mean 'rfm'"):
        rfm_spark.run_job(spark, "rfmm", settings, **places)
    with pytest.raises(rfm_spark.UserError, match="name the business day"):
        rfm_spark.run_job(spark, "nightly", settings, **places)


def test_the_example_of_the_readme_runs(spark, copied_shop, monkeypatch, capsys):
    monkeypatch.chdir(copied_shop.folder)
    monkeypatch.setattr(rfm_spark, "local_session", lambda: nullcontext(spark), raising=False)
    example = python_examples(ROOT / "README.md")["In Python"]
    for folder, name in ((copied_shop.raw, "data"), (copied_shop.warehouse, "warehouse")):
        example = example.replace(f'"{name}"', f'"{folder.name}"')
    exec(compile(example, "README.md", "exec"), {})
    assert "2025-03-20" in capsys.readouterr().out
