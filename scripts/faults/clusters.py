"""A cluster of processes of this machine, whose executors come and go with a night."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyspark
from nights import Command

from rfm_spark.storage.engine import DELTA_PACKAGE

_MAIN = Path(__file__).parents[2] / "jobs" / "main.py"
_SUBMIT = Path(pyspark.__file__).parent / "bin" / "spark-submit"
_EXECUTORS = "local-cluster[2,1,1024]"
"""Two, with a core and a GB each."""

_CONF = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.ui.enabled": "false",
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
}


def submitted(night: Command) -> Command:
    """The same night with a driver that has executors of its own, each a process."""
    conf = [word for name, value in _CONF.items() for word in ("--conf", f"{name}={value}")]
    spark = (str(_SUBMIT), "--master", _EXECUTORS, "--packages", DELTA_PACKAGE, *conf)
    return replace(night, start=(*spark, str(_MAIN), "--log", "json", "nightly"))
