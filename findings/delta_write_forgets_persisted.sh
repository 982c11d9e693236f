#!/usr/bin/env bash
# Spark 4.2.0 with Delta 4.4.0: rows that were persisted, and that come from a Delta table, are worked out anew by each
# use once the table has been written to, while their DataFrame still tells that they are stored.
#
# Seen: after an append to the table `collect` of the persisted DataFrame gives the same three ids (its snapshot holds),
# made at another time, and at yet another one when it is asked again; `storageLevel` is MEMORY_AND_DISK throughout.
# A write to another table changes nothing, and rows that were read by `versionAsOf` stay kept.
# So: write a table last that others of the same run go on from, or read it by its version.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset SPARK_HOME
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cd "$folder"
cat >persisted.py <<'PYTHON'
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

builder = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "OFF")
    .config("spark.jars.packages", "io.delta:delta-spark_4.2_2.13:4.4.0")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
)
spark = builder.getOrCreate()
for table in ("one", "other"):
    spark.range(3).write.format("delta").save(table)
NOW = F.expr("java_method('java.lang.System', 'nanoTime')").alias("made")
for name, options in (("newest", {}), ("version 0", {"versionAsOf": 0})):
    rows = spark.read.format("delta").options(**options).load("one").select("id", NOW).persist()
    before = rows.collect()
    for table in ("other", "one"):
        spark.range(1).write.format("delta").mode("append").save(table)
        first, second = rows.collect(), rows.collect()
        assert [row["id"] for row in first] == [row["id"] for row in before]
        kept = (first == before, second == first, rows.storageLevel.useMemory)
        print(f"{name}, {table} was written: kept {kept[0]}, then {kept[1]}, told {kept[2]}")
    rows.unpersist()
    spark.range(3).write.format("delta").mode("overwrite").save("one")
PYTHON
venv/bin/python persisted.py 2>errors | tee seen || { cat errors && exit 1; }
diff - seen <<'SEEN'
newest, other was written: kept True, then True, told True
newest, one was written: kept False, then False, told True
version 0, other was written: kept True, then True, told True
version 0, one was written: kept True, then True, told True
SEEN
