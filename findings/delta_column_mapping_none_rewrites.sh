#!/usr/bin/env bash
# Delta 4.4.0 on Spark 4.2.0: to set delta.columnMapping.mode = none, which it is anyway, writes all
# files of a table anew that never had column mapping, in a commit called REMOVE COLUMN MAPPING.
#
# Seen: ALTER TABLE ... SET TBLPROPERTIES with that property makes such a commit each time, beside that
# of other properties, where there are some; the files that are there afterwards are others, with the
# same rows. Without the property there is one commit, and no file is written.
# So: leave the property out where a table has it already; an upgrade that names it to be sure copies
# the table, and who follows a table by the operations in its log takes it for a change of data.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 delta-spark==4.4.0
cd "$folder"
cat >one.py <<'PYTHON'
from pathlib import Path

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

builder = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "OFF")
    .config("spark.databricks.delta.snapshotPartitions", "1")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
)
spark = configure_spark_with_delta_pip(builder).getOrCreate()
path = str(Path("receipts").absolute())
spark.sql("SELECT 1 AS receipt").write.format("delta").save(path)
files = sorted(one.name for one in Path(path).glob("*.parquet"))
MODE, OTHER = "'delta.columnMapping.mode' = 'none'", "'shop' = 'north'"
for properties in (OTHER, MODE, MODE, f"{OTHER}, {MODE}"):
    before = spark.sql(f"DESCRIBE HISTORY delta.`{path}`").count()
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ({properties})")
    history = spark.sql(f"DESCRIBE HISTORY delta.`{path}`").orderBy("version").collect()
    print(f"{properties}:", *sorted(row["operation"] for row in history[before:]), sep="\n  ")
there = spark.read.format("delta").load(path).inputFiles()
same = files == sorted(Path(one).name for one in there)
print("the same files:", same)
print("the same rows:", spark.read.format("delta").load(path).collect() == [(1,)])
spark.stop()
PYTHON
venv/bin/python one.py 2>stderr >seen || {
    tail -5 stderr >&2
    exit 1
}
cat seen
diff seen - <<'SEEN'
'shop' = 'north':
  SET TBLPROPERTIES
'delta.columnMapping.mode' = 'none':
  REMOVE COLUMN MAPPING
'delta.columnMapping.mode' = 'none':
  REMOVE COLUMN MAPPING
'shop' = 'north', 'delta.columnMapping.mode' = 'none':
  REMOVE COLUMN MAPPING
  SET TBLPROPERTIES
the same files: False
the same rows: True
SEEN
