#!/usr/bin/env bash
# PySpark 4.2.0: Ctrl-C while a job runs cancels no job, and prints two traces.
#
# Seen: PySpark answers SIGINT with `cancelAllJobs` and then KeyboardInterrupt. While a job runs Python waits for the
# JVM in Py4J, whose connection cannot be used a second time by the same thread: "reentrant call inside
# <_io.BufferedReader>". So the call fails, KeyboardInterrupt is raised all the same, and the job goes on until the
# session is stopped. Py4J tells both with a trace, by the root logger.
# So: who catches KeyboardInterrupt, as a notebook does, and goes on, shares the machine with a job that nobody waits for:
# `cancelAllJobs` is to be called once more there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset SPARK_HOME
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cd "$folder"
cat >program.py <<'PYTHON'
import os
import signal
import threading
import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config(
    "spark.ui.showConsoleProgress", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
tracker = spark.sparkContext.statusTracker()


def interrupt():
    while not tracker.getActiveJobsIds():
        time.sleep(0.1)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)


threading.Thread(target=interrupt).start()
try:
    spark.range(10**12).selectExpr("sum(id % 7)").collect()
except KeyboardInterrupt:
    time.sleep(2)
    print("jobs that go on after KeyboardInterrupt:", len(tracker.getActiveJobsIds()))
spark.sparkContext.cancelAllJobs()
time.sleep(2)
print("jobs that go on after cancelAllJobs:", len(tracker.getActiveJobsIds()))
spark.stop()
PYTHON
timeout 120 "$folder/venv/bin/python" program.py >out.txt 2>err.txt
grep -o "reentrant call" err.txt | sort -u | tee -a out.txt >/dev/null
echo "traces of the root logger: $(grep -c '^ERROR:root:' err.txt)" >>out.txt
cat out.txt
diff - out.txt <<'EXPECTED'
jobs that go on after KeyboardInterrupt: 1
jobs that go on after cancelAllJobs: 0
reentrant call
traces of the root logger: 2
EXPECTED
echo "as described"
