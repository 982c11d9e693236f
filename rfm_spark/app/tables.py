"""The tables of the application itself, and all tables of a warehouse."""

from __future__ import annotations

from pyspark.sql.types import (
    ArrayType,
    DateType,
    DoubleType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from rfm_spark.app.audiences.tables import AUDIENCE_TABLES
from rfm_spark.app.backtest.tables import BACKTEST_TABLES
from rfm_spark.core.table import Column, Table
from rfm_spark.facts.tables import FACT_TABLES
from rfm_spark.ingest.tables import INGEST_TABLES
from rfm_spark.results.registry import RESULTS

VERSIONS = MapType(StringType(), LongType())

RESULT_RECORD = StructType(
    [
        StructField("result", StringType()),
        StructField("rules_digest", StringType()),
        StructField("read_versions", VERSIONS),
        StructField("written_versions", VERSIONS),
    ]
)

RUNS = Table(
    name="runs",
    grain="one run of one command that wrote; one that succeeded is whole: its row is written last",
    columns=(
        Column("run_id", StringType(), "Unique", required=True),
        Column("job", StringType(), "Command that was run; upgrade: of this warehouse", True),
        Column("as_of", DateType(), "The day the results describe; NULL for ingest"),
        Column("outcome", StringType(), "succeeded, or failed and in what way", required=True),
        Column("started_at", TimestampType(), "When the run began", required=True),
        Column("seconds", DoubleType(), "How long it took", required=True),
        Column("settings_digest", StringType(), "Digest of the whole configuration", required=True),
        Column("code_version", StringType(), "Version and digest of rfm_spark", required=True),
        Column("read_versions", VERSIONS, "Delta version of every table read", required=True),
        Column("written_versions", VERSIONS, "Delta version of every table written", required=True),
        Column("written_rows", VERSIONS, "Rows written to each table", required=True),
        Column(
            "results",
            ArrayType(RESULT_RECORD),
            "Of every whole result: the table versions it was made from and left",
            since=2,
        ),
        Column(
            "details",
            StringType(),
            "Of an upgrade: what it did; of days made together: which; of forget: numbers, as JSON",
            since=2,
        ),
    ),
    key=("run_id",),
    schema_version=11,
)

SETTINGS = Table(
    name="settings",
    grain="one configuration that a run had; `runs` names it by its digest",
    columns=(
        Column("settings_digest", StringType(), "Digest of the whole configuration", required=True),
        Column("settings", StringType(), "All sections and keys as JSON, defaults too", True),
        Column("first_used_at", TimestampType(), "When the first run with it began", required=True),
    ),
    key=("settings_digest",),
)

PUBLISHED = Table(
    name="published",
    grain="one table of one publication; the rows of the greatest `publication` name the versions "
    "that readers take, and are written last of all",
    columns=(
        Column("publication", LongType(), "Number, one higher each time", required=True),
        Column("table_name", StringType(), "Name of the table, and of its folder", required=True),
        Column("version", LongType(), "Its Delta version that readers take", required=True),
        Column("run_id", StringType(), "The last run, of `runs`, that published what it made"),
        Column("as_of", DateType(), "The day described by the last run that made results"),
        Column("published_at", TimestampType(), "When these versions became the ones", True),
    ),
    key=("publication", "table_name"),
)

RESULT_TABLES: tuple[Table, ...] = tuple(table for result in RESULTS for table in result.tables)

ALL_TABLES: tuple[Table, ...] = (
    *INGEST_TABLES,
    *FACT_TABLES,
    *RESULT_TABLES,
    *AUDIENCE_TABLES,
    *BACKTEST_TABLES,
    RUNS,
    SETTINGS,
    PUBLISHED,
)
"""Every table of a warehouse, from the raw to the refined."""

NEVER_PUBLISHED = (RUNS, SETTINGS, PUBLISHED)
"""Tables that tell how the others came about: they are read as they are now."""
