"""What a platform sets for its sessions changes no result and stops no run."""

from __future__ import annotations

from datetime import date

import pytest
from deltalake import DeltaTable
from support.files import damage
from support.shop import ABOUT_RUNS, Shop, assert_same_tables, some_lines, stored, stored_tables
from test_storage import DEFAULTS, HOSTILE

import rfm_spark
from rfm_spark.core.errors import UserError
from rfm_spark.storage.session_settings import session_settings

_DELTA = "spark.databricks.delta."
_LEGACY = "spark.sql.legacy."
PLATFORM = {
    **HOSTILE,
    f"{DEFAULTS}appendOnly": "true",
    f"{DEFAULTS}dataSkippingNumIndexedCols": "0",
    f"{DEFAULTS}enableChangeDataFeed": "true",
    f"{DEFAULTS}enableInCommitTimestamps": "true",
    f"{DEFAULTS}randomizeFilePrefixes": "true",
    f"{DEFAULTS}logRetentionDuration": "interval 1 day",
    f"{_DELTA}commitInfo.userMetadata": "the platform's",
    f"{_DELTA}autoCompact.enabled": "true",
    f"{_DELTA}autoCompact.minNumFiles": "2",
    f"{_DELTA}optimizeWrite.enabled": "true",
    f"{_DELTA}history.metricsEnabled": "false",
    f"{_DELTA}schema.autoMerge.enabled": "true",
    f"{_DELTA}stalenessLimit": "1h",
    "spark.sql.session.timeZone": "Asia/Tokyo",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.ansi.enforceReservedKeywords": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parser.escapedStringLiterals": "true",
    "spark.sql.parser.quotedRegexColumnNames": "true",
    "spark.sql.storeAssignmentPolicy": "LEGACY",
    "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.groupByOrdinal": "false",
    "spark.sql.orderByOrdinal": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.files.ignoreCorruptFiles": "true",
    "spark.sql.files.ignoreMissingFiles": "true",
    "spark.sql.sources.partitionOverwriteMode": "dynamic",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.csv.parser.columnPruning.enabled": "false",
    "spark.sql.parquet.outputTimestampType": "INT96",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "LEGACY",
    "spark.sql.parquet.int96RebaseModeInWrite": "LEGACY",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
    "spark.sql.parquet.writeLegacyFormat": "true",
    "spark.sql.parquet.binaryAsString": "true",
    "spark.sql.parquet.compression.codec": "gzip",
    f"{_LEGACY}timeParserPolicy": "LEGACY",
    f"{_LEGACY}castComplexTypesToString.enabled": "true",
    f"{_LEGACY}statisticalAggregate": "true",
    f"{_LEGACY}sizeOfNull": "true",
    f"{_LEGACY}setopsPrecedence.enabled": "true",
    f"{_LEGACY}csv.enableDateTimeParsingFallback": "true",
    f"{_LEGACY}nullValueWrittenAsQuotedEmptyStringCsv": "true",
}
"""Each is allowed to a cluster's administrator, and some change what a query means."""

DAY = date(2025, 3, 20)
NOT_COMPARED = (*ABOUT_RUNS, "deliveries")
"""They tell of runs, and when files were taken in."""


def test_a_night_under_a_platform_s_settings_makes_the_usual_tables(spark, finished_shop, tmp_path):
    settings = rfm_spark.load_settings(finished_shop.config)
    with session_settings(spark, PLATFORM):
        for _ in range(2):  # the second one finds the notes of the first
            rfm_spark.run_job(
                spark,
                "nightly",
                settings,
                input=finished_shop.raw,
                warehouse=tmp_path / "warehouse",
                as_of=DAY,
            )
        assert spark.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"
    first, second = sorted(
        stored(tmp_path / "warehouse", "runs"), key=lambda one: one["started_at"]
    )
    assert dict(first["written_rows"])["rfm"] > 0
    assert second["outcome"] == "succeeded"
    assert "customer_days" not in dict(second["written_versions"])
    expected = stored_tables(finished_shop.warehouse, NOT_COMPARED)
    assert_same_tables(stored_tables(tmp_path / "warehouse", NOT_COMPARED), expected)
    for name in expected:
        assert DeltaTable(str(tmp_path / "warehouse" / name)).protocol().min_reader_version == 1


def test_a_damaged_file_is_told_where_the_platform_leaves_such_files_out(spark, tmp_path):
    shop = Shop(tmp_path)
    shop.parquet("receipts1.parquet", some_lines())
    damage(shop.parquet("receipts2.parquet", some_lines()))
    shop.configure(changes={"receipts*.csv": "*.parquet", '"csv"': '"parquet"'})
    settings = rfm_spark.load_settings(shop.config)
    places = {"input": shop.raw, "warehouse": shop.warehouse}
    with (
        session_settings(spark, PLATFORM),
        pytest.raises(UserError, match=r"receipts2\.parquet"),
    ):
        rfm_spark.run_job(spark, "ingest", settings, **places)
