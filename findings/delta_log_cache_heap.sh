#!/usr/bin/env bash
# Delta 4.4.0 on Spark 4.2.0: each table that a session has written and read keeps megabytes of the
# driver's heap, however small it is, for as many as 10,000 tables.
#
# Seen: after 60 further tables of one row the heap that a full garbage collection leaves has grown by
# 2.7 MB a table. What is held are the newest snapshots, each with analysed plans whose every node has a
# bit set of a kilobyte. With `spark.databricks.delta.delta.log.cacheSize` set to 4 before the first table
# is opened it grows by 0.6 MB a table, which is what else a session keeps.
# So: a process that opens many tables (a test suite, a service for many warehouses) fills its heap and
# then does little but collect garbage; it bounds the cache.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 delta-spark==4.4.0
cd "$folder"
cat >one.py <<'PYTHON'
import sys
from pathlib import Path

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

TABLES = 60
cache_size = sys.argv[1]
builder = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "OFF")
    .config("spark.sql.ui.retainedExecutions", "1")
    .config("spark.databricks.delta.snapshotPartitions", "1")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
)
spark = configure_spark_with_delta_pip(builder).getOrCreate()
if cache_size != "default":
    spark.conf.set("spark.databricks.delta.delta.log.cacheSize", cache_size)


def use(number):
    path = str(Path(f"{cache_size}-{number}").absolute())
    spark.range(1).write.format("delta").save(path)
    spark.read.format("delta").load(path).where("id = 0").collect()


def heap():
    runtime = spark._jvm.java.lang.Runtime.getRuntime()
    for _ in range(4):
        spark._jvm.java.lang.System.gc()
    return (runtime.totalMemory() - runtime.freeMemory()) / 2**20


for number in range(40):  # classes are loaded, code is generated
    use(number)
before = heap()
for number in range(40, 40 + TABLES):
    use(number)
print((heap() - before) / TABLES)
spark.stop()
PYTHON
for size in default 4; do
    venv/bin/python one.py "$size" 2>stderr >"grown-$size" || {
        tail -5 stderr >&2
        exit 1
    }
    echo "cache of $size tables: $(cat "grown-$size") MB a table"
done
venv/bin/python - <<'PYTHON'
from pathlib import Path

default, bounded = (float(Path(f"grown-{size}").read_text()) for size in ("default", "4"))
assert default > 1.5, "a table keeps less than it did"
assert bounded < default / 2, "the cache is not bounded by its setting"
PYTHON
