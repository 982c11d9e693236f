#!/usr/bin/env bash
# Spark 4.2.0 (Java 17): a time that ends in a zone by its letters is one instant by a cast and another
# by a pattern with z, and neither of them is what the country means that writes so.
#
# Seen: of "2026-07-01 12:00:00 BST" a cast makes 06:00 UTC (the zone of Dhaka, in Java's list of short
# ids), to_timestamp with the pattern "... z" 01:00 UTC (Bougainville); in Britain, whose summer time is
# called BST, it is 11:00 UTC. EST in July is five hours behind UTC for the cast, four for the pattern.
# AST is Alaska's for the cast, the Atlantic's for the pattern. CEST, EDT and PDT are NULL for the cast
# and read by the pattern. DuckDB 2.0.0 reads the first ones as Spark's cast does, and raises for the
# others. Nothing is told of any of it.
# So: read no such text; take the letters off and give the zone by its name (Europe/London), or have
# the export write an offset.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 duckdb==2.0.0
cd "$folder"
cat >one.py <<'PYTHON'
import duckdb
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "OFF")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
duck = duckdb.connect()
duck.execute("SET TimeZone = 'UTC'")


def by_duckdb(text):
    try:
        [[found]] = duck.execute("SELECT strftime(?::TIMESTAMPTZ, '%H:%M')", [text]).fetchall()
    except duckdb.ConversionException:
        return "refused"
    return found


texts = [f"2026-07-01 12:00:00 {zone}" for zone in ("UTC", "BST", "EST", "AST", "CEST", "EDT")]
rows = spark.createDataFrame([(text,) for text in texts], "text string")
read = rows.select(
    "text",
    F.date_format(F.expr("try_cast(text AS timestamp)"), "HH:mm").alias("cast"),
    F.date_format(F.try_to_timestamp("text", F.lit("yyyy-MM-dd HH:mm:ss z")), "HH:mm").alias("z"),
)
for row in read.collect():
    print(f"{row['text']}: cast {row['cast']}, z {row['z']}, DuckDB {by_duckdb(row['text'])}")
spark.stop()
PYTHON
venv/bin/python one.py 2>stderr >seen || {
    tail -5 stderr >&2
    exit 1
}
cat seen
diff seen - <<'SEEN'
2026-07-01 12:00:00 UTC: cast 12:00, z 12:00, DuckDB 12:00
2026-07-01 12:00:00 BST: cast 06:00, z 01:00, DuckDB 06:00
2026-07-01 12:00:00 EST: cast 17:00, z 16:00, DuckDB 17:00
2026-07-01 12:00:00 AST: cast 20:00, z 15:00, DuckDB 20:00
2026-07-01 12:00:00 CEST: cast None, z 10:00, DuckDB refused
2026-07-01 12:00:00 EDT: cast None, z 16:00, DuckDB refused
SEEN
