#!/usr/bin/env bash
# Spark 4.2.0, DuckDB 2.0.1, Polars 2.1.0, pandas 2.3.3: a week begins on Thursday, Monday, or with the data.
#
# Seen, for Saturday 2026-01-10: windows of seven days, and of a week, begin on Thursday in Spark, whose own
# date_trunc says Monday; DuckDB's time_bucket begins both on Monday; Polars begins "7d" on Thursday and "1w" on
# Monday; pandas begins "7D" on the first day of the data, and "W" ends on Sunday and is named after its end.
# Spark and Polars count from 1970-01-01, a Thursday. Cohorts by week of two of these do not have the same people.
# So: truncate to the week by name, or give the start.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 duckdb==2.0.1 polars==2.1.0 \
    pandas==2.3.3
cd "$folder"
cat >one.py <<'PYTHON'
from datetime import datetime

import duckdb
import pandas as pd
import polars as pl
from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
day = "2026-01-10"
found = {}
for width in ("7 days", "1 week"):
    rows = spark.sql(
        f"SELECT window(TIMESTAMP '{day}', '{width}').start AS start, count(*) GROUP BY 1"
    ).selectExpr("CAST(to_date(start) AS STRING)")
    found[f"Spark window {width}"] = rows.first()[0]
    sql = f"SELECT time_bucket(INTERVAL '{width}', DATE '{day}')::DATE::TEXT"
    found[f"DuckDB time_bucket {width}"] = duckdb.sql(sql).fetchall()[0][0]
truncated = spark.sql(f"SELECT CAST(to_date(date_trunc('WEEK', DATE '{day}')) AS STRING)")
found["Spark date_trunc WEEK"] = truncated.first()[0]
spark.stop()
frame = pl.DataFrame({"day": [datetime.fromisoformat(day)]})
for width in ("7d", "1w"):
    start = frame.group_by_dynamic("day", every=width).agg(pl.len())["day"][0]
    found[f"Polars group_by_dynamic {width}"] = str(start.date())
series = pd.Series([1], index=pd.to_datetime([day]))
for width in ("7D", "W"):
    found[f"pandas resample {width}"] = str(series.resample(width).sum().index[0].date())
for name, start in found.items():
    print(f"{name}: {datetime.fromisoformat(start):%A} {start}")
PYTHON
venv/bin/python one.py 2>stderr >seen || {
    tail -20 stderr >&2
    exit 1
}
cat seen
diff seen - <<'SEEN'
Spark window 7 days: Thursday 2026-01-08
DuckDB time_bucket 7 days: Monday 2026-01-05
Spark window 1 week: Thursday 2026-01-08
DuckDB time_bucket 1 week: Monday 2026-01-05
Spark date_trunc WEEK: Monday 2026-01-05
Polars group_by_dynamic 7d: Thursday 2026-01-08
Polars group_by_dynamic 1w: Monday 2026-01-05
pandas resample 7D: Saturday 2026-01-10
pandas resample W: Sunday 2026-01-11
SEEN
