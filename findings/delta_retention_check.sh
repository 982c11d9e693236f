#!/usr/bin/env bash
# Delta 4.4.0 on Spark 4.2.0: the check that a log is kept as long as removed files looks at the
# statement and at defaults, not at what the table has.
#
# Seen: on a table with deletedFileRetentionDuration = 30 days, a logRetentionDuration of 8 days is
# accepted (above the default of 7 days for files), one of 1 day is refused "(7 days)"; and on a
# table with logRetentionDuration = 90 days, a deletedFileRetentionDuration of 60 days is refused,
# because the default of the log is 30 days. Both together in one statement are accepted.
# So: set both in one statement, always.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 delta-spark==4.4.0
cd "$folder"
venv/bin/python - 2>"$folder/stderr" <<'PYTHON' || { tail -5 "$folder/stderr" >&2 && exit 1; }
from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

builder = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "OFF")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config(
        "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog"
    )
)
spark = configure_spark_with_delta_pip(builder).getOrCreate()
FILES, LOG = "delta.deletedFileRetentionDuration", "delta.logRetentionDuration"


def table(name, **days):
    path = f"delta.`{name}`"
    spark.sql(f"CREATE TABLE {path} (id BIGINT) USING delta TBLPROPERTIES ({listed(**days)})")
    return path


def listed(**days):
    names = {"files": FILES, "log": LOG}
    return ", ".join(f"'{names[one]}' = 'interval {n} days'" for one, n in days.items())


def alter(path, **days):
    try:
        spark.sql(f"ALTER TABLE {path} SET TBLPROPERTIES ({listed(**days)})")
    except Exception as error:
        text = str(error)
        return "refused, 7 days" if "(7 days)" in text else "refused"
    return "accepted"


folder = "file:" + __import__("os").getcwd()
thirty = table(f"{folder}/a", files=30, log=90)
ninety = table(f"{folder}/b", files=30, log=90)
seen = [
    ("files 30 days, log to 1 day", alter(thirty, log=1)),
    ("files 30 days, log to 8 days", alter(thirty, log=8)),
    ("log 90 days, files to 60 days", alter(ninety, files=60)),
    ("both in one statement", alter(ninety, files=60, log=90)),
]
for what, outcome in seen:
    print(f"{what}: {outcome}")
spark.stop()
expected = ["refused, 7 days", "accepted", "refused", "accepted"]
assert [outcome for _, outcome in seen] == expected, "this has changed"
PYTHON
