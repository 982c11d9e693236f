#!/usr/bin/env bash
# Delta 4.4.0 on Spark 4.2.0 (Hadoop 3.5.0): a commit to a table on a local disk starts a process
# for every question it has about a link, and for every permission it sets.
#
# Seen: appending one row starts readlink 16 times, eight each for the commit and its checksum, and
# chmod some ten times. Without Hadoop's native library, which the Python package of Spark does not
# bring, FileContext.rename asks readlink four times a file, and a file has a hidden checksum beside
# it. With io.delta.storage.LocalLogStore for `file:` and Spark's
# FileSystemBasedCheckpointFileManager, which rename through FileSystem, readlink is not started.
# So: on a local disk, set both where one process writes; a small commit takes tens of milliseconds
# less.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 delta-spark==4.4.0
cd "$folder"
mkdir shims
for name in readlink chmod; do # each notes that it was started, and does its work
    printf '#!/bin/sh\necho %s >>"%s/started"\nexec "%s" "$@"\n' \
        "$name" "$folder" "$(command -v "$name")" >"shims/$name"
    chmod +x "shims/$name"
done
cat >one.py <<'PYTHON'
import sys
from pathlib import Path

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

builder = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "OFF")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
)
if sys.argv[1] == "by file system":
    manager = "org.apache.spark.sql.execution.streaming.checkpointing"
    manager += ".FileSystemBasedCheckpointFileManager"
    builder = builder.config("spark.delta.logStore.file.impl", "io.delta.storage.LocalLogStore")
    builder = builder.config(
        "spark.hadoop.spark.sql.streaming.checkpointFileManagerClass", manager
    )
spark = configure_spark_with_delta_pip(builder).getOrCreate()
rows, table = spark.range(1), str(Path(sys.argv[1]).absolute())
rows.write.format("delta").save(table)
Path("started").write_text("")
rows.write.format("delta").mode("append").save(table)
print(sys.argv[1], Path("started").read_text().split().count("readlink"))
PYTHON
for way in "as it comes" "by file system"; do
    PATH="$folder/shims:$PATH" venv/bin/python one.py "$way" 2>stderr | tail -1 || {
        tail -5 stderr >&2
        exit 1
    }
done | tee seen
diff seen - <<'SEEN'
as it comes 16
by file system 0
SEEN
