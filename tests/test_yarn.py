"""Nights on Hadoop YARN: by a driver of this machine, and by one in the cluster."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pyspark
import pytest
from conftest import ROOT, Cli
from pyspark.sql import SparkSession
from support.sessions import FEW_ROWS, SHORT_LIVED
from support.shop import (
    ABOUT_RUNS,
    TILLS,
    assert_same_tables,
    receipts_shop,
    stored,
    stored_tables,
)
from support.yarn import yarn_cluster

_JAVA = SHORT_LIVED["JDK_JAVA_OPTIONS"] + " -XX:+UseSerialGC"
SMALL = {
    # The jars are on each machine, at the same place: else 400 MB go there with every command.
    "spark.yarn.jars": "local:{spark}/jars/*",
    "spark.driver.memory": "1g",
    "spark.executor.memory": "600m",
    "spark.executor.cores": "1",
    "spark.executor.instances": "1",
    "spark.dynamicAllocation.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.yarn.stagingDir": "{folder}",
    "spark.yarn.am.memory": "256m",
    "spark.driver.extraJavaOptions": _JAVA,
    "spark.executor.extraJavaOptions": _JAVA,
    "spark.yarn.am.memoryOverhead": "256m",
    **FEW_ROWS,
}
NIGHT = ("--date", "2025-03-20")
NOT_COMPARED = (*ABOUT_RUNS, "deliveries")
"""They tell of runs, and when files were taken in."""


@pytest.mark.platform
def test_nights_on_yarn_make_the_usual_tables(
    spark: SparkSession, cli: Cli, tmp_path: Path
) -> None:
    shop = receipts_shop(tmp_path, TILLS)
    assert cli("nightly", *shop.arguments(*NIGHT)) == 0
    home = Path(pyspark.__file__).parent
    settings = {name: value.format(spark=home, folder=tmp_path) for name, value in SMALL.items()}
    options = [word for one in settings.items() for word in ("--conf", "=".join(one))]
    with yarn_cluster(spark, tmp_path / "yarn") as configuration:

        def submit(mode: str, *more: str) -> subprocess.CompletedProcess[str]:
            place = tmp_path / mode
            night = ("--input", f"file://{shop.raw}", "--warehouse", f"file://{place}")
            command = [
                *(ROOT / "scripts" / "submit", "nightly", "--master", "yarn"),
                *("--deploy-mode", mode, *options, "--", "--config", shop.config),
                *(*night, *NIGHT, *more),
            ]
            return subprocess.run(
                [str(part) for part in command],
                capture_output=True,
                text=True,
                timeout=900,
                check=False,
                cwd=tmp_path,
                env={
                    **os.environ,
                    **SHORT_LIVED,
                    "HADOOP_CONF_DIR": str(configuration),
                    "SPARK_LOCAL_IP": "127.0.0.1",
                },
            )

        by_mode = {mode: submit(mode) for mode in ("client", "cluster")}
        mistaken = submit("cluster", "--set", "clusters.k=none")
    expected = stored_tables(shop.warehouse, NOT_COMPARED)
    for mode, done in by_mode.items():
        assert done.returncode == 0, done.stderr[-3000:]
        assert_same_tables(stored_tables(tmp_path / mode, NOT_COMPARED), expected)
    # What it does is told where the driver is: Spark gives what Python tells on standard error to
    # standard output (findings/spark_submit_python_stderr.sh).
    [of_client, of_cluster] = [stored(tmp_path / mode, "runs")[0]["run_id"] for mode in by_mode]
    drivers = sorted((tmp_path / "yarn/containers").glob("*/*01/stdout"))
    [_, cluster, mistake] = [one.read_text() for one in drivers]
    assert of_client in by_mode["client"].stdout
    assert of_cluster in cluster
    assert of_cluster not in by_mode["cluster"].stdout + by_mode["cluster"].stderr
    assert mistaken.returncode == 2
    assert "clusters.k" in mistake
    assert re.search(r"yarn logs -applicationId application_\d+_0003", mistaken.stderr)
