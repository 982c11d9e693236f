"""Comet, whose native code takes the place of Spark's: the same tables, or a message."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from pyspark.sql import SparkSession
from support.shop import assert_same_tables, stored_tables

from rfm_spark.app.api import run_job
from rfm_spark.app.loading import load_settings
from rfm_spark.cli import exit_code
from rfm_spark.core.errors import UserError
from rfm_spark.facts.job import by_customer
from rfm_spark.facts.transforms import customer_days
from rfm_spark.generator.deliveries import Files, configuration, write_deliveries
from rfm_spark.generator.market import Market
from rfm_spark.session import FEW_ROWS, local_session
from rfm_spark.storage import comet
from rfm_spark.storage.comet import COMET_SETTINGS, comet_settings
from rfm_spark.storage.engine import minor
from rfm_spark.storage.session_settings import session_settings

COMET = "org.apache.datafusion:comet-spark-spark4.1_2.13:1.2.0"
NAME = "comet-spark-spark4.1_2.13-1.2.0.jar"

of_spark_4_1 = pytest.mark.skipif(
    minor(pyspark.__version__) != "4.1", reason="there is no Comet for another Spark"
)

FETCH = f"""
from rfm_spark.session import local_session
from support.file_systems import fetched
with local_session(has_few_rows=True) as spark:
    print(*(jar for jar in fetched(spark, [{COMET!r}]) if "comet" in jar))
"""

RESULTS = """
[cohorts]
grains = ["month"]

[clusters]
k = 2
starts = 2
features = ["recency_days", "frequency", "monetary_cents"]
"""


@pytest.fixture
def spark_4_1(monkeypatch):
    monkeypatch.setattr(comet.pyspark, "__version__", "4.1.3")


def test_a_session_with_comet_has_its_jar_where_spark_looks_first(spark_4_1, tmp_path):
    jar = tmp_path / NAME
    jar.touch()
    settings = comet_settings(str(jar), 512)
    assert settings["spark.driver.extraClassPath"] == str(jar)
    assert settings["spark.memory.offHeap.size"] == "512m"
    assert settings["spark.plugins"] == "org.apache.spark.CometPlugin"


@pytest.mark.parametrize(
    ("jar", "told"),
    [
        (NAME, "there is no file"),
        (NAME.replace("4.1", "4.0"), r"is for Spark 4\.0, and this is 4\.1\.3"),
        ("comet.jar", r"is no jar of Comet: .* comet-spark-spark4\.1_2\.13-VERSION\.jar"),
    ],
)
def test_what_is_no_jar_of_this_spark_is_refused(spark_4_1, tmp_path, jar, told):
    with pytest.raises(UserError, match=told):
        comet_settings(str(tmp_path / jar), 512)


def test_a_command_refuses_it_before_spark_starts(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("RFM_SPARK_COMET_JAR", str(tmp_path / "comet.jar"))
    command = ["generate", "--receipts", "1", "--customers", "2", "--days", "1"]
    assert exit_code([*command, "--out", str(tmp_path / "out")]) == 2
    told = capfd.readouterr().err
    assert "RFM_SPARK_COMET_JAR" in told
    assert "comet.jar is no jar of Comet" in told
    assert not (tmp_path / "out").exists()


def test_a_cluster_is_told_of_all_that_an_embedded_session_begins_with():
    page = Path(__file__).parents[1].joinpath("docs", "platforms.md").read_text(encoding="utf-8")
    assert [one for one in COMET_SETTINGS.items() if f"--conf {'='.join(one)}" not in page] == []


@pytest.fixture(scope="module")
def native() -> Iterator[SparkSession]:
    """A session with Comet, whose jar is fetched as Spark fetches Delta's."""
    tests = Path(__file__).parent
    fetch = subprocess.run(
        [sys.executable, "-c", FETCH],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tests.parent}:{tests}"},
    )
    assert SparkSession.getActiveSession() is None, "tests of Comet have a process of their own"
    with local_session(driver_memory="2g", comet_jar=fetch.stdout.strip()) as spark:
        yield spark


@pytest.fixture(scope="module")
def shop(native, tmp_path_factory) -> Path:
    """A folder with a year of made-up receipts, and `shop.toml`."""
    folder = tmp_path_factory.mktemp("shop")
    market = Market(receipts=4_000, customers=400, days=365)
    files = Files(str(folder / "input"), "parquet", "bulk")
    write_deliveries(native, market, files)
    toml = configuration(market, files) + RESULTS
    (folder / "shop.toml").write_text(toml, encoding="utf-8")
    return folder


def made(spark: SparkSession, shop: Path, warehouse: Path, *, with_comet: bool) -> Path:
    settings = load_settings(shop / "shop.toml")
    # With Comet as users have it: Spark compiles and adapts its plans, which it does not without.
    others = {} if with_comet else FEW_ROWS
    with session_settings(spark, {"spark.comet.enabled": str(with_comet).lower(), **others}):
        run_job(spark, "run", settings, input=shop / "input", warehouse=warehouse)
    return warehouse


@of_spark_4_1
def test_every_table_is_the_same_with_comet(native, shop, tmp_path):
    with_comet = made(native, shop, tmp_path / "with", with_comet=True)
    without = made(native, shop, tmp_path / "without", with_comet=False)
    found, expected = stored_tables(with_comet), stored_tables(without)
    assert len(expected["rfm"]) > 300
    assert_same_tables(found, expected)

    facts = customer_days(by_customer(native.read.format("delta").load(f"{with_comet}/receipts")))
    assert native_steps(facts) == {"CometHashAggregate", "CometExchange", "CometFilter"}


def native_steps(rows) -> set[str]:
    """Which of the steps that facts are made by are Comet's."""
    plan = rows._jdf.queryExecution().executedPlan().toString()
    return {name for name in ("CometHashAggregate", "CometExchange", "CometFilter") if name in plan}


@of_spark_4_1
def test_a_damaged_file_is_named_with_comet_too(native, shop, tmp_path):
    folder = tmp_path / "input" / "receipts"
    folder.mkdir(parents=True)
    whole = min((shop / "input" / "receipts").glob("*.parquet"))
    content = bytearray(whole.read_bytes())
    content[100:2_000] = bytes(1_900)
    (folder / whole.name).write_bytes(content)
    settings = load_settings(shop / "shop.toml")
    with pytest.raises(UserError, match=whole.name):
        run_job(native, "ingest", settings, input=tmp_path / "input", warehouse=tmp_path / "w")
