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
from rfm_spark.storage.session_settings import session_settings

CONFIG = ROOT / "conf" / "complete_journey.toml"
ORDERED, SHUFFLED = "transaction_ts, basket_id", "hash(transaction_ts, basket_id, quantity)"
OTHER_PARTS = {
    # Other partitions than a session here has, and no generated code.
    **FEW_ROWS,
    "spark.sql.shuffle.partitions": "3",
    "spark.sql.files.maxPartitionBytes": "400k",
    "spark.sql.files.openCostInBytes": "10k",
    "spark.sql.leafNodeDefaultParallelism": "3",
}
ON_THE_CLUSTER = {
    **OTHER_PARTS,
    "spark.driver.memory": "1g",
    "spark.executor.memory": "1g",
    "spark.executor.cores": "1",
    "spark.cores.max": "2",
    "spark.dynamicAllocation.enabled": "false",
    "spark.ui.enabled": "false",
}


def some_households(groceries: Path, folder: Path, order: str) -> Path:
    """The demo's input with the receipts of every 20th household, in some order."""
    shutil.copytree(groceries, folder)
    rewrite(folder / "transactions.parquet", "household_id % 20 = 0", order)
    return folder


@pytest.fixture(scope="module")
def ordered(
    spark: SparkSession, run: RunJob, groceries: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The warehouse of an input in the order of time."""
    folder = tmp_path_factory.mktemp("ordered")
    with as_in_use(spark):
        run(CONFIG, some_households(groceries, folder / "input", ORDERED), folder / "warehouse")
    return folder / "warehouse"


def test_shuffled_input_in_other_parts_gives_the_same_tables(
    spark: SparkSession, run: RunJob, groceries: Path, ordered: Path, tmp_path: Path
) -> None:
    shuffled = some_households(groceries, tmp_path / "input", SHUFFLED)
    with session_settings(spark, OTHER_PARTS):
        run(CONFIG, shuffled, tmp_path / "warehouse")
    assert_same_tables(ordered, tmp_path / "warehouse")


@pytest.mark.platform
def test_shuffled_input_on_a_cluster_of_processes_gives_the_same_tables(
    groceries: Path, ordered: Path, tmp_path: Path
) -> None:
    """A master, two workers, and a driver that has the packed environment and jars only."""
    shuffled = some_households(groceries, tmp_path / "input", SHUFFLED)
    settings = [
        word for name, value in ON_THE_CLUSTER.items() for word in ("--conf", f"{name}={value}")
    ]
    with standalone_cluster(tmp_path) as master:
        command = [
            *(ROOT / "scripts" / "submit", "run", "--master", master, *settings, "--"),
            *("--config", CONFIG, "--input", shuffled, "--warehouse", tmp_path / "warehouse"),
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
    assert_same_tables(ordered, tmp_path / "warehouse")


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
