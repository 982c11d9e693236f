#!/usr/bin/env bash
# Parquet 1.17.0 as Spark 4.2.0 brings it: ParquetFileReader.open(file) without options parses all of
# Hadoop's configuration files for every file that is opened.
#
# Seen: reading the end of a small file a hundred times by open(file) takes more than three times as long
# (0.65 s and 0.04 s on one machine) as by open(file, options) with one HadoopReadOptions.builder(configuration).build() for all of them,
# though the file comes with a configuration of its own: the options' builder makes a new one first,
# which reads core-default.xml and the others again as soon as it is asked for a key.
# So: whoever looks at the columns of thousands of files makes the options once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cd "$folder"
cat >one.py <<'PYTHON'
import time
from statistics import median

from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "OFF")
    .getOrCreate()
)
spark.range(10).coalesce(1).write.parquet("rows")
file = spark.read.parquet("rows").inputFiles()[0]
jvm, configuration = spark._jvm, spark._jsc.hadoopConfiguration()
source = jvm.org.apache.parquet.hadoop.util.HadoopInputFile.fromPath(
    jvm.org.apache.hadoop.fs.Path(file), configuration
)
open_file = jvm.org.apache.parquet.hadoop.ParquetFileReader.open
options = jvm.org.apache.parquet.HadoopReadOptions.builder(configuration).build()


def seconds(*more):
    began = time.monotonic()
    for _ in range(100):
        open_file(source, *more).close()
    return time.monotonic() - began


seconds(), seconds(options)  # the JVM compiles
plain, with_options = median(seconds() for _ in range(3)), median(seconds(options) for _ in range(3))
version = jvm.org.apache.parquet.Version.FULL_VERSION.split(" (")[0]
print(f"{version}: 100 opens in {plain:.2f} s, with options {with_options:.2f} s")
print("more than three times" if plain > 3 * with_options else "less than three times")
PYTHON
venv/bin/python one.py 2>stderr | tee seen || {
    tail -5 stderr >&2
    exit 1
}
tail -1 seen | diff - <(echo "more than three times")
