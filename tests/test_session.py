"""The embedded session: what starting it and each of its queries leaves out."""

from __future__ import annotations

import subprocess
import sys

from py4j.clientserver import JavaClient
from pyspark.sql import functions as F


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
