"""Table `deliveries`: loaded deliveries with their fingerprints and row counts."""

from __future__ import annotations

from pyspark.sql.types import LongType, StringType

from rfm_spark.core.table import Column, Table

DELIVERIES = Table(
    name="deliveries",
    grain="one delivery of one source that has been taken in",
    columns=(
        Column("source", StringType(), "Configured source: receipts, interactions.x, ...", True),
        Column("delivery", StringType(), "File or folder, relative to the input", required=True),
        Column(
            "fingerprint",
            StringType(),
            "Digest of its files and of the settings, behind `retracted:` where it was taken back; "
            "of its files behind `unfinished:` while it is read again",
            True,
        ),
        Column("rows", LongType(), "Raw rows read", required=True),
        Column("rejected_rows", LongType(), "Raw rows sent to quarantine", required=True),
        Column(
            "dropped_rows",
            LongType(),
            "Equal rows, and older ones, that do not count",
            required=True,
        ),
        Column(
            "receipts", LongType(), "Receipts in the raw rows, later returns apart", required=True
        ),
        Column("rejected_receipts", LongType(), "Of these, rejected", required=True),
        Column("net_cents", LongType(), "Money of all raw rows; 0 where unreadable", True),
        Column(
            "left_out_rows",
            LongType(),
            "Raw rows that `where` leaves out, not among `rows`; NULL without a `where`",
            since=3,
        ),
        Column(
            "left_out_unknown_rows",
            LongType(),
            "Of these, rows for which `where` is unknown (NULL)",
            since=3,
        ),
        Column(
            "unknown_amount_rows",
            LongType(),
            "Rejected rows whose money cannot be told; 0 in `net_cents`",
            since=3,
        ),
    ),
    key=("source", "delivery"),
    # Of 0.1.0, fingerprints were of all keys of the settings. It reads this table first, and would
    # take everything in again.
    schema_version=3,
)
