"""Runs: what was done, with which settings, and which table versions it stands for."""

from __future__ import annotations

from pyspark.sql.types import DateType, DoubleType, LongType, MapType, StringType, TimestampType

from rfm_spark.tables.model import Column, Table

VERSIONS = MapType(StringType(), LongType())

RUNS = Table(
    name="runs",
    grain="one run of one job that wrote; one that succeeded is whole: its row is written last",
    columns=(
        Column("run_id", StringType(), "Unique", required=True),
        Column("job", StringType(), "Command that was run", required=True),
        Column("as_of", DateType(), "The day the results describe; NULL for ingest"),
        Column("outcome", StringType(), "succeeded, or failed and in what way", required=True),
        Column("started_at", TimestampType(), "When the run began", required=True),
        Column("seconds", DoubleType(), "How long it took", required=True),
        Column("settings_digest", StringType(), "Digest of the whole configuration", required=True),
        Column("code_version", StringType(), "Version and digest of rfm_spark", required=True),
        Column("read_versions", VERSIONS, "Delta version of every table read", required=True),
        Column("written_versions", VERSIONS, "Delta version of every table written", required=True),
        Column("written_rows", VERSIONS, "Rows written to each table", required=True),
    ),
    key=("run_id",),
)
