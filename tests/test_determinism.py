"""The same input gives the same tables: in any order, on any partitions, on a cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import deltalake
import pandas as pd
import pytest
from conftest import ROOT, RunJob
from pyspark.sql import SparkSession
from support.cluster import standalone_cluster
from support.files import rewrite
from support.sessions import FEW_ROWS, SHORT_LIVED, as_in_use
from support.shop import ABOUT_RUNS, NOT_OF_A_RUN

from rfm_spark.app.tables import ALL_TABLES

SHUFFLED = "hash(transaction_ts, basket_id, quantity)"
ON_THE_CLUSTER = {
    "spark.driver.memory": "1g",
    "spark.executor.memory": "1g",
    "spark.executor.cores": "1",
    "spark.cores.max": "2",
    "spark.dynamicAllocation.enabled": "false",
    "spark.ui.enabled": "false",
    # Other partitions than a session here has, and no generated code.
    **FEW_ROWS,
    "spark.sql.shuffle.partitions": "3",
    "spark.sql.files.maxPartitionBytes": "400k",
    "spark.sql.files.openCostInBytes": "10k",
    "spark.sql.leafNodeDefaultParallelism": "3",
}


@pytest.mark.cluster
def test_shuffled_input_on_a_cluster_of_processes_gives_the_same_tables(
    spark: SparkSession, run: RunJob, groceries: Path, tmp_path: Path
) -> None:
    """A master, two workers, and a driver that has the packed environment and jars only.

    The receipts are those of every 20th household.
    """
    config, one, other = ROOT / "conf" / "complete_journey.toml", tmp_path / "1", tmp_path / "2"
    ordered, shuffled = one / "input", other / "input"
    for folder, order in ((ordered, "transaction_ts, basket_id"), (shuffled, SHUFFLED)):
        shutil.copytree(groceries, folder)
        rewrite(folder / "transactions.parquet", "household_id % 20 = 0", order)
    with as_in_use(spark):
        run(config, ordered, one / "warehouse")
    settings = [
        word for name, value in ON_THE_CLUSTER.items() for word in ("--conf", f"{name}={value}")
    ]
    with standalone_cluster(tmp_path) as master:
        command = [
            *(ROOT / "scripts" / "submit", "run", "--master", master, *settings, "--"),
            *("--config", config, "--input", shuffled, "--warehouse", other / "warehouse"),
        ]
        done = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
            cwd=tmp_path,
            env={**os.environ, **SHORT_LIVED, "SPARK_LOCAL_IP": "127.0.0.1"},
        )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(list(tmp_path.glob("work*/app-*/*/stderr"))) == 2, "one executor on each worker"
    assert_same_tables(one / "warehouse", other / "warehouse")


def assert_same_tables(one: Path, other: Path) -> None:
    """Every table that holds results has the same rows in both warehouses."""
    for table in ALL_TABLES:
        if table.name in (*ABOUT_RUNS, "deliveries"):
            continue  # they tell when a run was made, and of which files
        if table.name in NOT_OF_A_RUN:
            continue
        left, right = (_sorted(place / table.name, list(table.key)) for place in (one, other))
        pd.testing.assert_frame_equal(left, right, check_exact=True, obj=table.name)


def _sorted(place: Path, key: list[str]) -> pd.DataFrame:
    frame = deltalake.DeltaTable(str(place)).to_pandas()
    nested = frame.columns[[frame[name].map(_is_nested).any() for name in frame.columns]]
    frame[nested] = frame[nested].astype(str)
    return frame.sort_values(key, na_position="first").reset_index(drop=True)


def _is_nested(value: object) -> bool:
    return isinstance(value, list | dict) or hasattr(value, "tolist")
