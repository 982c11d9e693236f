#!/usr/bin/env bash
# Comet 1.2.0 on Spark 4.1.3: of a Delta table it takes up nothing before the shuffle, unless a setting is on.
#
# Seen: of the same rows, summed by a key, a folder of Parquet files gives a plan of native steps from the scan to the
# last sum. Of a Delta table the scan and the first sums are Spark's: Comet scans only what is exactly Spark's Parquet
# format, which Delta's is not, and takes up no aggregate whose rows come from a scan of Spark's. With
# `spark.comet.convert.parquet.enabled`, off by default and documented as of Parquet scans, Spark still reads the Delta
# table, and all that follows is native. (Measured with it: ten million receipts to sums of customers' days in 9.5 s
# for 17.9, where without it they took 10.5 for 16.9, and days to years in 2.0 for 2.6, where it gained nothing.)
# So: with Delta, set it, and look at the plan.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset SPARK_HOME
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.1.3 delta-spark==4.4.0
cd "$folder"
cat >program.py <<'PYTHON'
import re
import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

PACKAGES = ("io.delta:delta-spark_4.1_2.13:4.4.0", "org.apache.datafusion:comet-spark-spark4.1_2.13:1.2.0")
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.jars.packages": ",".join(PACKAGES),
    "spark.jars.ivy": str(Path("ivy").absolute()),
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.plugins": "org.apache.spark.CometPlugin",
    "spark.shuffle.manager": "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager",
    "spark.memory.offHeap.enabled": "true",
    "spark.memory.offHeap.size": "1g",
}
# Comet's shuffle uses classes of Spark's packages: its jar must be there when the JVM starts.
SETTINGS["spark.driver.extraClassPath"] = ":".join(map(str, Path("ivy/jars").glob("*comet*")))
builder = SparkSession.builder.master("local[2]")
for name, value in SETTINGS.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
if "--fetch" in sys.argv:
    sys.exit()
rows = spark.range(100_000).select((F.col("id") % 1000).alias("customer"), (F.col("id") % 77).alias("cents"))
for form in ("parquet", "delta"):
    rows.write.format(form).save(f"rows.{form}")


def steps(form):
    found = spark.read.format(form).load(f"rows.{form}").groupBy("customer").agg(F.sum("cents"))
    assert found.count() == 1000
    plan = found._jdf.queryExecution().executedPlan().toString()
    names = re.findall(r"^[ +-]*(?:\*\(\d+\) )?(\w*(?:Scan|Exchange|HashAggregate|Columnar))\b", plan, re.MULTILINE)
    return ", ".join(reversed(names))


print("parquet:", steps("parquet"))
print("delta:", steps("delta"))
spark.conf.set("spark.comet.convert.parquet.enabled", "true")
print("delta, converted:", steps("delta"))
PYTHON
"$folder/venv/bin/python" program.py --fetch >"$folder/log" 2>&1 || { tail -n 30 "$folder/log" && exit 1; }
"$folder/venv/bin/python" program.py 2>"$folder/log" >told || { tail -n 30 "$folder/log" && exit 1; }
cat told
diff - told <<'TOLD'
parquet: CometNativeScan, CometHashAggregate, CometExchange, CometHashAggregate
delta: FileScan, HashAggregate, CometColumnarExchange, CometHashAggregate
delta, converted: FileScan, CometSparkColumnarToColumnar, CometHashAggregate, CometExchange, CometHashAggregate
TOLD
