#!/usr/bin/env bash
# Spark 4.2.0 with Delta 4.4.0: a Thrift server started inside a session to which Delta came as a package
# lets in clients that just connect, and refuses those that name a database as they do.
#
# Seen: Spark's own beeline, which names one (as Hive's JDBC driver does), cannot open a session; the
# cause it gives is ClassNotFoundException: org.apache.spark.sql.delta.catalog.DeltaCatalog, though the
# session that the server was started in reads Delta tables. impyla, which names none, connects and
# reads the same table: statements get the class loader with the session's jars, the naming of a
# database while connecting does not.
# So: who serves Delta by HiveThriftServer2.startWithSparkSession tells clients apart, or has Delta's jars
# in Spark's own folder.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 delta-spark==4.4.0 \
    impyla==0.24.0
cd "$folder"
cat >one.py <<'PYTHON'
import subprocess
from pathlib import Path

import pyspark
from delta import configure_spark_with_delta_pip
from impala.dbapi import connect
from pyspark.sql import SparkSession

builder = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "OFF")
    .config("spark.databricks.delta.snapshotPartitions", "1")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.hadoop.hive.server2.thrift.bind.host", "127.0.0.1")
    .config("spark.hadoop.hive.server2.thrift.port", "0")
)
spark = configure_spark_with_delta_pip(builder).getOrCreate()
table = str(Path("receipts").absolute())
spark.range(3).write.format("delta").save(table)
spark.conf.set("hive.server2.thrift.bind.host", "127.0.0.1")
spark.conf.set("hive.server2.thrift.port", "0")
start = spark._jvm.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2.startWithSparkSession
server = start(spark._jsparkSession, False)
_, wire = server.getServices()
port, query = wire.getPortNumber(), f"SELECT count(*) AS n FROM delta.`{table}`"
with connect(host="127.0.0.1", port=port, auth_mechanism="PLAIN", user="x", password="x") as client:
    cursor = client.cursor()
    cursor.execute(query)
    print("impyla:", cursor.fetchall())
beeline = str(Path(pyspark.__file__).parent / "bin" / "beeline")
done = subprocess.run(
    [beeline, "--silent=true", "-u", f"jdbc:hive2://127.0.0.1:{port}", "-e", query],
    capture_output=True, text=True, timeout=120, check=False,
)
missing = "ClassNotFoundException: org.apache.spark.sql.delta.catalog.DeltaCatalog" in done.stderr
print("beeline:", done.returncode, "DeltaCatalog not found" if missing else done.stderr[-300:])
server.stop()
spark.stop()
PYTHON
venv/bin/python one.py 2>stderr >seen || {
    tail -5 stderr >&2
    exit 1
}
cat seen
diff seen - <<'SEEN'
impyla: [(3,)]
beeline: 1 DeltaCatalog not found
SEEN
