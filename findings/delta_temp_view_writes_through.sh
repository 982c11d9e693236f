#!/usr/bin/env bash
# Delta 4.4.0 on Spark 4.2.0: a temporary view of a DataFrame that is nothing but a Delta table can be
# written to, and the table with it; with a filter that is always true it cannot.
#
# Seen: INSERT INTO, INSERT OVERWRITE, UPDATE and DELETE on such a view, a global one too, are done to
# the table, whose history has a commit for each, though nothing was registered but a view of
# spark.read. With .where("true") each is refused with an AnalysisException, and the view has the same
# rows.
# So: who makes views for others to read, such as over the Thrift server, gives each a filter.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 delta-spark==4.4.0
cd "$folder"
cat >one.py <<'PYTHON'
from pathlib import Path

from delta import configure_spark_with_delta_pip
from pyspark.errors import AnalysisException
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
spark.range(4).write.format("delta").save(path)
rows = spark.read.format("delta").load(path)
rows.createOrReplaceTempView("plain")
rows.createOrReplaceGlobalTempView("plain")
rows.where("true").createOrReplaceTempView("filtered")
rows.where("true").createOrReplaceGlobalTempView("filtered")


def told(statement):
    try:
        spark.sql(statement)
    except AnalysisException:
        outcome = "refused"
    else:
        outcome = "done"
    stored = spark.read.format("delta").load(path).orderBy("id").collect()
    print(f"{statement}: {outcome}, {[row['id'] for row in stored]}")


for view in ("filtered", "global_temp.filtered", "plain", "global_temp.plain"):
    told(f"INSERT INTO {view} VALUES (9)")
    told(f"UPDATE {view} SET id = 100 WHERE id = 1")
    told(f"DELETE FROM {view} WHERE id BETWEEN 2 AND 9")
    told(f"INSERT OVERWRITE {view} VALUES (1), (2)")
spark.stop()
PYTHON
venv/bin/python one.py 2>stderr >seen || {
    tail -5 stderr >&2
    exit 1
}
cat seen
diff seen - <<'SEEN'
INSERT INTO filtered VALUES (9): refused, [0, 1, 2, 3]
UPDATE filtered SET id = 100 WHERE id = 1: refused, [0, 1, 2, 3]
DELETE FROM filtered WHERE id BETWEEN 2 AND 9: refused, [0, 1, 2, 3]
INSERT OVERWRITE filtered VALUES (1), (2): refused, [0, 1, 2, 3]
INSERT INTO global_temp.filtered VALUES (9): refused, [0, 1, 2, 3]
UPDATE global_temp.filtered SET id = 100 WHERE id = 1: refused, [0, 1, 2, 3]
DELETE FROM global_temp.filtered WHERE id BETWEEN 2 AND 9: refused, [0, 1, 2, 3]
INSERT OVERWRITE global_temp.filtered VALUES (1), (2): refused, [0, 1, 2, 3]
INSERT INTO plain VALUES (9): done, [0, 1, 2, 3, 9]
UPDATE plain SET id = 100 WHERE id = 1: done, [0, 2, 3, 9, 100]
DELETE FROM plain WHERE id BETWEEN 2 AND 9: done, [0, 100]
INSERT OVERWRITE plain VALUES (1), (2): done, [1, 2]
INSERT INTO global_temp.plain VALUES (9): done, [1, 2, 9]
UPDATE global_temp.plain SET id = 100 WHERE id = 1: done, [2, 9, 100]
DELETE FROM global_temp.plain WHERE id BETWEEN 2 AND 9: done, [100]
INSERT OVERWRITE global_temp.plain VALUES (1), (2): done, [1, 2]
SEEN
