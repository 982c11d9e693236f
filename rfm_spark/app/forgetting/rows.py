"""What becomes of the rows of customers who are forgotten, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.table import SUBJECT, Table
from rfm_spark.ingest.forgotten import HASH, NOT_KEPT, keyed_hash, with_pads
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.forgotten import FORGOTTEN_CUSTOMERS
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import FORGOTTEN, IS_FORGOTTEN, RECEIPTS
from rfm_spark.run import Run, note_of_days
from rfm_spark.storage.erasure import add_rows, change_rows, remove_rows
from rfm_spark.storage.secret_key import SecretKey
from rfm_spark.storage.warehouse import Commit


def keep_hashes(run: Run, ids: DataFrame, key: SecretKey, are_rows_there: bool) -> None:
    """First of all, so that whoever was asked to go does not come in meanwhile.

    Days that were described before rows are taken away from them are told by `forgotten_on`: where
    a forget was killed and is done again later, it is the later day.
    """
    hashes = with_pads(ids.select("line").distinct(), key).select(
        keyed_hash(F.col("line")).alias(HASH),
        F.lit(key.check).alias("key_check"),
        F.lit(run.today).alias("forgotten_on"),
    )
    renewed = ("forgotten_on",) if are_rows_there else ()
    add_rows(run.warehouse, FORGOTTEN_CUSTOMERS, hashes, renewed)
    note_written(run, FORGOTTEN_CUSTOMERS)


def forget_receipts(run: Run, ids: DataFrame) -> None:
    """Versions stay, to be compared and counted, without what tells whose they were."""
    nothing = {name: F.lit(None).cast(kind) for name, kind in NOT_KEPT.items()}
    values = {**nothing, "status": F.lit(FORGOTTEN), IS_FORGOTTEN: F.lit(True)}
    days = note_of_days(days_of(run, RECEIPTS, ids))
    change_rows(run.warehouse, RECEIPTS, _distinct(ids), (SUBJECT,), values, days)
    note_written(run, RECEIPTS)


def keep_money(run: Run, ids: DataFrame, key: SecretKey) -> None:
    """Totals that are to go stay in quarantine, as money of nobody: as when taken in again."""
    theirs = run.warehouse.read(CUSTOMER_TOTALS).join(
        F.broadcast(_distinct(ids)), SUBJECT, "left_semi"
    )
    digest = keyed_hash(F.concat_ws("#", SUBJECT, "as_of"))
    rows = with_pads(theirs, key).select(
        F.lit(CUSTOMER_TOTALS.name).alias("source"),
        "delivery",
        digest.alias("row"),
        F.array(F.lit(FORGOTTEN)).alias("reasons"),
        F.lit(None).alias("receipt_id"),
        "net_cents",
        F.col("delivery").alias("file"),
        F.to_json(F.struct(digest.alias(FORGOTTEN))).alias("raw"),
        F.lit(False).alias("is_amount_unknown"),
        F.lit(None).alias(SUBJECT),
    )
    add_rows(run.warehouse, QUARANTINE, rows)
    note_written(run, QUARANTINE)


def remove(run: Run, table: Table, ids: DataFrame, note: Mapping[str, Any] | None = None) -> None:
    """Removes the rows of customers from a table, with a note."""
    remove_rows(run.warehouse, table, _distinct(ids), note)
    note_written(run, table)


def _distinct(ids: DataFrame) -> DataFrame:
    return ids.select(SUBJECT).distinct()


def days_of(run: Run, table: Table, ids: DataFrame) -> set[date]:
    """Business days of the rows of customers, which the facts follow."""
    theirs = run.warehouse.read(table).join(F.broadcast(_distinct(ids)), SUBJECT, "left_semi")
    return {row["business_date"] for row in theirs.select("business_date").distinct().collect()}


def note_written(run: Run, table: Table) -> None:
    """Notes for the record of the run what a table was left at."""
    run.versions.add_written(table, Commit(run.warehouse.version(table), 0))
