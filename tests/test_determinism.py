"""The same input gives the same tables: in any order, on any partitions, on a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import deltalake
import duckdb
import pandas as pd
import pytest
from conftest import ROOT, RunJob
from pyspark.sql import SparkSession
from support.shop import interpreted

from rfm_spark.tables import ALL_TABLES

CONFIG = ROOT / "conf" / "complete_journey.toml"
OTHER_PARTITIONS = {
    "spark.sql.shuffle.partitions": "7",
    "spark.sql.files.maxPartitionBytes": "200k",
    "spark.sql.files.openCostInBytes": "10k",
}
FEW_CUSTOMERS = ("--set", "clusters.k=4")


@pytest.fixture(scope="module")
def groceries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's input, with the receipts of every 20th household."""
    folder = tmp_path_factory.mktemp("groceries") / "input"
    script = ROOT / "scripts" / "complete_journey_data.py"
    subprocess.run([sys.executable, script, folder], check=True, timeout=120)
    _rewrite(folder, "household_id % 20 = 0", "transaction_ts, basket_id, product_id")
    return folder


@pytest.fixture(scope="module")
def undisturbed(run: RunJob, groceries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    warehouse = tmp_path_factory.mktemp("undisturbed")
    run(CONFIG, groceries, warehouse, overrides=("clusters.k=4",))
    return warehouse


def test_shuffled_input_on_other_partitions_without_generated_code_gives_the_same_tables(
    spark: SparkSession, run: RunJob, groceries: Path, undisturbed: Path, tmp_path: Path
) -> None:
    shuffled = tmp_path / "input"
    shuffled.mkdir()
    for file in groceries.iterdir():
        (shuffled / file.name).write_bytes(file.read_bytes())
    _rewrite(shuffled, "true", "hash(transaction_ts, basket_id, product_id)")
    with interpreted(spark, **OTHER_PARTITIONS):
        run(CONFIG, shuffled, tmp_path / "warehouse", overrides=("clusters.k=4",))
    assert_same_tables(undisturbed, tmp_path / "warehouse")


@pytest.mark.cluster
def test_executors_in_processes_of_their_own_give_the_same_tables(
    groceries: Path, undisturbed: Path, tmp_path: Path
) -> None:
    submit = Path(sys.executable).parent / "spark-submit"
    command = [
        *(submit, "--master", "local-cluster[2,1,1024]"),
        *("--properties-file", ROOT / "conf" / "spark" / "standalone.conf"),
        *("--conf", "spark.driver.memory=1g", "--conf", "spark.executor.memory=1g"),
        *("--conf", "spark.executor.cores=1", "--conf", "spark.dynamicAllocation.enabled=false"),
        *("--conf", "spark.shuffle.service.enabled=false"),
        *("--conf", "spark.databricks.delta.snapshotPartitions=2"),
        *("--conf", "spark.sql.shuffle.partitions=4"),
        *("--conf", "spark.executor.extraJavaOptions=-XX:TieredStopAtLevel=1"),
        *(ROOT / "jobs" / "run.py", "--config", CONFIG, *FEW_CUSTOMERS),
        *("--input", groceries, "--warehouse", tmp_path / "warehouse"),
    ]
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert_same_tables(undisturbed, tmp_path / "warehouse")


def assert_same_tables(one: Path, other: Path) -> None:
    """Every table that holds results has the same rows in both warehouses."""
    for table in ALL_TABLES:
        if table.name in ("runs", "deliveries"):
            continue  # they tell when a run was made, and of which files
        left, right = (_sorted(place / table.name, list(table.key)) for place in (one, other))
        pd.testing.assert_frame_equal(left, right, check_exact=True, obj=table.name)


def _sorted(place: Path, key: list[str]) -> pd.DataFrame:
    frame = deltalake.DeltaTable(str(place)).to_pandas()
    nested = frame.columns[[frame[name].map(_is_nested).any() for name in frame.columns]]
    frame[nested] = frame[nested].astype(str)
    return frame.sort_values(key, na_position="first").reset_index(drop=True)


def _is_nested(value: object) -> bool:
    return isinstance(value, list | dict) or hasattr(value, "tolist")


def _rewrite(folder: Path, where: str, order: str) -> None:
    file, new = folder / "transactions.parquet", folder / "new.parquet"
    duckdb.sql(
        f"COPY (SELECT * FROM '{file}' WHERE {where} ORDER BY {order}) TO '{new}'"
        " (FORMAT parquet, ROW_GROUP_SIZE 20000)"
    )
    new.replace(file)
