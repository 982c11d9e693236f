"""Which Spark and Delta are tested together, and what is refused before anything is written."""

from __future__ import annotations

import subprocess
import sys

import pytest
from py4j.clientserver import JavaClient
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.session import submitted_session
from rfm_spark.storage import engine
from rfm_spark.storage.engine import pair_problem

JAR = "file:/jars/io.delta_delta-spark_4.2_2.13-4.4.0.jar"


@pytest.mark.parametrize(
    ("spark", "jar"),
    [
        ("4.2.0", JAR),
        ("4.2.1", "/opt/spark/jars/delta-spark_2.13-4.4.1.jar"),
        ("4.2.0-amzn-1", JAR),
        ("4.2.0", None),
        ("4.2.0", "file:/databricks/jars/delta--shaded.jar"),
    ],
)
def test_a_tested_pair(spark, jar):
    assert pair_problem(spark, jar) is None


@pytest.mark.parametrize(
    ("spark", "jar", "told"),
    [
        ("4.3.0", JAR, "Spark 4.3.0 with Delta 4.4 for Spark 4.2"),
        ("4.2.0", JAR.replace("_4.2", "_4.1"), "Spark 4.2.0 with Delta 4.4 for Spark 4.1"),
        ("4.2.0", JAR.replace("4.4.0", "4.5.0"), "Spark 4.2.0 with Delta 4.5 for Spark 4.2"),
        ("4.1.3", None, "Spark 4.1.3 with its Delta"),
        ("4.20.0", JAR, "Spark 4.20.0 with"),
    ],
)
def test_any_other_pair_is_refused(spark, jar, told):
    problem = pair_problem(spark, jar)
    assert problem.startswith(told)
    assert "use Spark 4.2 with Delta 4.4" in problem


def test_the_pair_of_this_environment_is_one_of_them(spark):
    engine.require_tested_pair(spark)


def test_a_session_of_another_pair_is_refused_before_anything_is_written(spark, monkeypatch):
    monkeypatch.setattr(engine, "TESTED_PAIRS", {"4.1": "4.4"})
    with (
        pytest.raises(UserError, match=r"Spark 4\.2\.\d+ with Delta 4\.4 .* is no pair"),
        submitted_session(),
    ):
        raise AssertionError("the session was given out")
    assert spark.range(1).count() == 1


def test_a_local_session_sends_none_of_yarns_defaults_with_its_jobs(spark):
    spark._jvm.org.apache.hadoop.mapred.JobConf()  # with it come the defaults of MapReduce and YARN
    sent = spark._jsparkSession.sessionState().newHadoopConf()
    assert sent.get("mapreduce.job.reduces") == "1"
    assert sent.get("yarn.resourcemanager.address") is None


def test_no_function_is_looked_up_in_the_jvm_twice(spark, monkeypatch):
    rows = spark.range(3)
    sent, original = [], JavaClient.send_command

    def send(self, command, *arguments, **named):
        sent.append(command)
        return original(self, command, *arguments, **named)

    def counted():
        one = F.when(F.col("id").isin(1, 2), F.lit("a")).otherwise(F.struct("id", F.lit(1))["id"])
        return rows.select(one.alias("one"), F.coalesce("id", F.lit(2))).where(
            ~F.col("id").isNull()
        )

    assert counted().count() == 3
    monkeypatch.setattr(JavaClient, "send_command", send)
    counted()
    assert len(sent) > 20
    assert [command for command in sent if command.startswith("r\n")] == []


STARTED = """
import sys, time
from pathlib import Path
from rfm_spark.session import _started

class Builder:
    def getOrCreate(self):
        with open(sys.argv[1], "a") as file:
            for _ in range(2):
                print(sys.argv[2], file=file, flush=True)
                time.sleep(0.3)

_started(Builder(), Path(sys.argv[1] + ".log"))
"""


def test_sessions_of_one_user_start_one_after_another(tmp_path):
    """Ivy, which fetches Delta's jars on a new machine, fails where two do so at once."""
    told = tmp_path / "told"
    names = ("a", "b", "c")
    processes = [subprocess.Popen([sys.executable, "-c", STARTED, told, name]) for name in names]
    assert [one.wait(60) for one in processes] == [0, 0, 0]
    lines = told.read_text().split()
    assert [*lines[::2]] == [*lines[1::2]]
    assert sorted(lines[::2]) == [*names]
