#!/usr/bin/env bash
# PySpark 4.2.0 asks the JVM for a function's class and for the function itself each time one is called, and for
# some of them by a name without a package, which is looked for in each package that was imported.
#
# Seen: `F.lit(1)` sends three commands over the socket, two of them look-ups that always have the same answer;
# `F.col("a")` has seven look-ups and six calls, most of them to note the line it stands in, and `F.struct("a", "b")`
# eight and six. In a program that builds thousands of columns they are a good part of the time it plans.
# So: a JavaClass that keeps its members, set as attribute of the view under the names that PySpark asks for, takes
# all of them away (a private matter of PySpark: test that the count stays 0).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset SPARK_HOME
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cd "$folder"
cat >looked_up.py <<'PYTHON'
from collections import Counter

from py4j.clientserver import JavaClient
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
spark = builder.config("spark.log.level", "OFF").getOrCreate()
KINDS = {"r": "look-ups", "c": "calls", "m": "let go of"}
sent, send = Counter(), JavaClient.send_command


def counted(self, command, *arguments, **named):
    sent[KINDS.get(command.partition("\n")[0], "others")] += 1
    return send(self, command, *arguments, **named)


JavaClient.send_command = counted
CALLS = {
    "F.col('a')": lambda: F.col("a"),
    "F.lit(1)": lambda: F.lit(1),
    "F.struct('a', 'b')": lambda: F.struct("a", "b"),
}
for name, call in CALLS.items():
    call()  # what is asked for once only
    for _ in range(2):
        sent.clear()
        column = call()
        print(name, *(f"{kind}: {sent[kind]}" for kind in ("look-ups", "calls")))
PYTHON
venv/bin/python looked_up.py 2>errors | tee seen || { cat errors && exit 1; }
diff - seen <<'SEEN'
F.col('a') look-ups: 7 calls: 6
F.col('a') look-ups: 7 calls: 6
F.lit(1) look-ups: 2 calls: 1
F.lit(1) look-ups: 2 calls: 1
F.struct('a', 'b') look-ups: 8 calls: 6
F.struct('a', 'b') look-ups: 8 calls: 6
SEEN
