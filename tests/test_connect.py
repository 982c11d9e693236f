"""A session of a real Spark Connect server: it is refused, and reads the tables without us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pyspark.sql import SparkSession
from support.sessions import SHORT_LIVED
from support.shop import Shop, stored

PROGRAM = """
import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

import rfm_spark

config, raw, warehouse, elsewhere, jars = sys.argv[1:]
settings = {
    "spark.jars": jars,
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
spark = SparkSession.builder.remote("local[1]").config(map=settings).getOrCreate()
told = []
for refused in (
    lambda: rfm_spark.run_job(
        spark, "run", rfm_spark.load_settings(config), input=raw, warehouse=elsewhere
    ),
    lambda: rfm_spark.open_warehouse(spark, warehouse),
):
    try:
        refused()
    except rfm_spark.UserError as error:
        told.append(str(error))
rows = spark.read.format("delta").load(f"{warehouse}/segments").count()
kind = f"{type(spark).__module__}"
Path(elsewhere + ".json").write_text(json.dumps({"kind": kind, "told": told, "rows": rows}))
spark.stop()
"""


def test_a_session_of_spark_connect_is_refused_and_reads_the_tables(
    spark: SparkSession, finished_shop: Shop, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "warehouse"
    places = (finished_shop.config, finished_shop.raw, finished_shop.warehouse, elsewhere)
    arguments = (*places, spark.conf.get("spark.jars"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
        env={**os.environ, **SHORT_LIVED, "SPARK_LOCAL_IP": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(Path(f"{elsewhere}.json").read_text())
    assert found["kind"] == "pyspark.sql.connect.session"
    assert len(found["told"]) == 2
    assert all("Spark Connect" in one and "use a classic session" in one for one in found["told"])
    assert found["rows"] == len(stored(finished_shop.warehouse, "segments"))
    assert not elsewhere.exists()
