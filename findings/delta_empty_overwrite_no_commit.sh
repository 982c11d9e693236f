#!/usr/bin/env bash
# Delta 4.4.0 on Spark 4.2.0: to replace a slice that has no rows by no rows makes no commit, and the
# userMetadata given with it is nowhere.
#
# Seen: writeTo(...).overwrite(condition) and mode("overwrite") with replaceWhere commit, with their
# note, where the slice had rows; the same again does not: the version stays, nothing is raised, and
# the newest note is an older one. An append of no rows does not either. With the setting
# spark.databricks.delta.skipRecordingEmptyCommits = false, which is internal and true by default,
# all of them commit.
# So: that a commit with a note is there cannot be taken from a write having returned; compare the
# version or the note, or switch the setting off where every write must leave its note.
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
from pyspark.sql import functions as F

builder = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "OFF")
    .config("spark.databricks.delta.snapshotPartitions", "1")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
)
spark = configure_spark_with_delta_pip(builder).getOrCreate()
rows = spark.sql("SELECT DATE'2025-01-01' AS day, 1 AS receipt")
none = rows.where("receipt > 1")
SLICE = "day = DATE'2025-01-01'"


def overwrite(path, note):
    writer = none.writeTo(f"delta.`{path}`").option("userMetadata", note)
    writer.overwrite(F.expr(SLICE))


def replace_where(path, note):
    writer = none.write.format("delta").mode("overwrite").option("replaceWhere", SLICE)
    writer.option("userMetadata", note).save(path)


def append(path, note):
    none.write.format("delta").mode("append").option("userMetadata", note).save(path)


for skip in ("as it comes", "false"):
    if skip == "false":
        spark.conf.set("spark.databricks.delta.skipRecordingEmptyCommits", skip)
    for write in (overwrite, replace_where, append):
        path = str(Path(f"{write.__name__} {skip}").absolute())
        rows.write.format("delta").partitionBy("day").save(path)
        for note in ("first", "again"):
            write(path, note)
            newest = spark.sql(f"DESCRIBE HISTORY delta.`{path}` LIMIT 1").first()
            print(
                f"skip {skip}, {write.__name__} {note}:",
                f"version {newest['version']}, note {newest['userMetadata']}",
            )
spark.stop()
PYTHON
venv/bin/python one.py 2>stderr >seen || {
    tail -5 stderr >&2
    exit 1
}
cat seen
diff seen - <<'SEEN'
skip as it comes, overwrite first: version 1, note first
skip as it comes, overwrite again: version 1, note first
skip as it comes, replace_where first: version 1, note first
skip as it comes, replace_where again: version 1, note first
skip as it comes, append first: version 0, note None
skip as it comes, append again: version 0, note None
skip false, overwrite first: version 1, note first
skip false, overwrite again: version 2, note again
skip false, replace_where first: version 1, note first
skip false, replace_where again: version 2, note again
skip false, append first: version 1, note first
skip false, append again: version 2, note again
SEEN
