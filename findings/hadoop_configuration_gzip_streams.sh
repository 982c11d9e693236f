#!/usr/bin/env bash
# Hadoop 3.5.0 in Spark 4.2.0: a configuration that is serialized has a gzip stream of its own for the name of the
# file that each of its entries came from, and half of its entries are YARN's, in a local session too.
#
# Seen: `Configuration.write` of what a new local session reads files with writes 1,100 entries in 110 kB, and as
# many gzip streams among them, each a Deflater that is set up for a dozen letters; 10 to 20 ms on a slow machine.
# Spark does so for each scan and each write of files. With an empty `yarn-default.xml` that the JVM finds before
# Hadoop's own (`spark.driver.extraClassPath`) it is half of both.
# So: of many small jobs a part is spent on names nobody reads; a program without YARN can leave its defaults out.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset SPARK_HOME
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cd "$folder"
mkdir without_yarn
echo '<configuration/>' >without_yarn/yarn-default.xml
cat >written.py <<'PYTHON'
import sys

from pyspark.sql import SparkSession

builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
for path in sys.argv[1:]:
    builder = builder.config("spark.driver.extraClassPath", path)
spark = builder.config("spark.log.level", "OFF").getOrCreate()
spark.range(1).write.parquet("files" + str(len(sys.argv)))  # what loads all defaults
jvm = spark.sparkContext._jvm
configuration = spark._jsparkSession.sessionState().newHadoopConf()
stream = jvm.java.io.ByteArrayOutputStream()
configuration.write(jvm.java.io.DataOutputStream(stream))
written = bytes(stream.toByteArray())
streams = written.count(b"\x1f\x8b\x08")
for what, number in (("entries", configuration.size()), ("gzip streams", streams)):
    print(f"{what}: {round(number, -2):,}")
print(f"kB: {round(len(written) / 1000, -1):.0f}")
PYTHON
{
    echo "as it is" && venv/bin/python written.py
    echo "without YARN's defaults" && venv/bin/python written.py "$folder/without_yarn"
} 2>errors | tee seen || { cat errors && exit 1; }
diff - seen <<'SEEN'
as it is
entries: 1,100
gzip streams: 1,100
kB: 110
without YARN's defaults
entries: 600
gzip streams: 600
kB: 60
SEEN
