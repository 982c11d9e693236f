#!/usr/bin/env bash
# Spark 4.2.0 on Java 17: of thirty columns each can take five times as long as of twelve.
#
# Seen: of a million rows, one expression of twelve takes 43 ns, and one of thirty like it 226 ns. The code that Spark
# generates for a stage is one method; the JVM compiles no method of more than 8,000 bytes, and interprets it for
# each row. Spark knows that limit: with `spark.sql.codegen.hugeMethodLimit` at 8000 it gives such code up, takes
# the steps one by one, and an expression of thirty takes 35 ns. But the default is 65535, the most that a class file
# can hold, so nothing is done and nothing is told.
# So: one column more can make a job slow all at once; `explain("codegen")` tells `maxMethodCodeSize`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset SPARK_HOME
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cd "$folder"
cat >program.py <<'PYTHON'
import contextlib
import io
import re
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

ROWS = 1_000_000
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config(
    "spark.ui.showConsoleProgress", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


def selected(columns):
    value = F.col("id").cast("double")
    return spark.range(0, ROWS, 1, 2).select(
        *[
            (F.floor(F.least(F.greatest((number + 0.7) / (value + 1), F.lit(0.01)), F.lit(100.0)) * 1e6
                     + 0.5) / 1e6).alias(f"c{number}")
            for number in range(columns)
        ]
    )


def size(columns):
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        selected(columns).explain("codegen")
    return max(map(int, re.findall(r"maxMethodCodeSize:(\d+)", told.getvalue())))


def seconds(columns, limit):
    spark.conf.set("spark.sql.codegen.hugeMethodLimit", limit)
    began = time.monotonic()
    selected(columns).write.format("noop").mode("overwrite").save()
    return time.monotonic() - began


few, many = (int(one) for one in sys.argv[1:3])
print("method of", few, "expressions:", "up to 8,000 bytes" if size(few) <= 8000 else "longer")
print("method of", many, "expressions:", "up to 8,000 bytes" if size(many) <= 8000 else "longer")
for columns in (few, many):
    seconds(columns, 65535)
    each = min(seconds(columns, 65535) for _ in range(2)) / columns
    if columns == few:
        base = each
slow = each
seconds(many, 8000)
fast = min(seconds(many, 8000) for _ in range(2)) / many
print("by default an expression of the many takes", "over 3 times" if slow > 3 * base else "less than 3 times",
      "one of the few")
print("with a limit of 8000 it takes", "less than 3 times" if fast < 3 * base else "over 3 times", "of it")
print(f"(of a row, nanoseconds of two cores: {base * 1e9 / ROWS:.1f}, {slow * 1e9 / ROWS:.1f}, "
      f"{fast * 1e9 / ROWS:.1f})", file=sys.stderr)
PYTHON
venv/bin/python program.py 12 30 2>told | tee seen
grep nanoseconds told
diff - seen <<'SEEN'
method of 12 expressions: up to 8,000 bytes
method of 30 expressions: longer
by default an expression of the many takes over 3 times one of the few
with a limit of 8000 it takes less than 3 times of it
SEEN
