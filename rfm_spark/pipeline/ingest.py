"""Ingest: new deliveries into receipts, interactions and customers, the rest to quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.intake import (
    Batch,
    Counts,
    Intake,
    explaining,
    new_intakes,
    refuse_too_many_rejected,
    told,
    version_counts,
)
from rfm_spark.quality.quarantine import quarantine_rows
from rfm_spark.quality.rules import is_bad
from rfm_spark.storage.slices import day_slice
from rfm_spark.tables import CUSTOMERS, DELIVERIES, QUARANTINE, RECEIPTS, Table
from rfm_spark.transforms.attributes import one_per_day
from rfm_spark.transforms.interactions import one_per_delivery
from rfm_spark.transforms.local_rows import local_rows
from rfm_spark.transforms.receipt_versions import receipt_versions, rejected_rows
from rfm_spark.transforms.versions import merged_versions, touched_keys, with_status
from rfm_spark.transforms.window import any_of


def ingest(job: Job) -> None:
    """Takes in every delivery that is new or has changed; all others are left alone.

    Raises:
        UserError: if the input or the configuration does not fit, or too many rows of a source
            are rejected; then nothing has been written.
    """
    with job.progress.step("look at the input") as step:
        intakes = new_intakes(job)
        new = sum(len(batch.deliveries) for intake in intakes for batch in intake.batches)
        step.says(f"{new:,} new or changed deliveries" if new else "nothing new")
    for intake in intakes:
        if intake.batches:
            with job.progress.step(f"ingest {intake.table.name}") as step, explaining(intake):
                _take_in(job, intake)
                step.says(told(intake.counts))


def _take_in(job: Job, intake: Intake) -> None:
    """Writes one table; receipts come first, so if they are refused nothing has been written."""
    table, batches, rows, counts = intake.table, intake.batches, intake.rows, intake.counts
    if table is RECEIPTS:
        _take_in_receipts(job, batches, rows, counts)
    else:
        _quarantine(job, batches, rows.where(is_bad()), counts)
        good = rows.where(~is_bad())
        if table is CUSTOMERS:
            job.replace(CUSTOMERS, one_per_day(good), _delivery_of(batches))
        else:
            _merge(job, table, one_per_delivery(good), batches, "interaction_id")
    _note_deliveries(job, batches, counts)


def _take_in_receipts(job: Job, batches: Sequence[Batch], lines: DataFrame, counts: Counts) -> None:
    with_categories = job.settings.has_categories
    label = batches[0].label
    versions = receipt_versions(lines, with_categories).persist(StorageLevel.DISK_ONLY)
    try:
        for row in version_counts(versions).collect():
            count = counts[label, row["delivery"]]
            count.receipts = row["receipts"]
            count.rejected_receipts = row["rejected_receipts"]
            count.rejected_rows += row["rejected_rows"]
        refuse_too_many_rejected(job, batches, counts, lines)
        rejected = versions.where("is_rejected").select("delivery", "receipt_id", "two_customers")
        _quarantine(job, batches, rejected_rows(lines, rejected), counts)
        _merge(job, RECEIPTS, versions.where(~F.col("is_rejected")), batches, "receipt_id")
    finally:
        versions.unpersist()


def _quarantine(job: Job, batches: Sequence[Batch], rejected: DataFrame, counts: Counts) -> None:
    expected = sum(count.rejected_rows + count.dropped_rows for count in counts.values())
    where = _of(batches)
    if expected == 0:
        if not job.read_or_empty(QUARANTINE).where(where).isEmpty():
            job.replace(QUARANTINE, local_rows(job.spark, [], QUARANTINE.schema), where)
        job.warehouse.create(QUARANTINE)
        return
    commit = job.replace(QUARANTINE, quarantine_rows(rejected), where)
    if commit.rows != expected:
        raise AssertionError(f"{expected} rows were to be kept out, {commit.rows} were")


def _merge(job: Job, table: Table, incoming: DataFrame, batches: Sequence[Batch], key: str) -> None:
    """Replaces the affected days of a table of versions, all in one commit."""
    incoming = incoming.select(*[name for name in table.column_names if name != "status"])
    days = {row[0] for row in incoming.select("business_date").distinct().collect()}
    came = _of(batches) if "source" in table.column_names else _delivery_of(batches)
    stored = job.warehouse.read(table) if job.warehouse.is_there(table) else None
    if stored is not None:
        within = _within_reach(stored, days, job.settings.ingest.correction_days)
        touched = touched_keys(within, incoming, came, key)
        old = within.join(touched, key, "left_semi").select("business_date").distinct()
        days |= {row[0] for row in old.collect()}
    if not days:
        job.warehouse.create(table)
        return
    where = day_slice(table, days).condition(table)
    if stored is None:
        merged = with_status(incoming, key)
    else:
        merged = merged_versions(stored.where(where), incoming, came, key)
    note = {"days": [day.isoformat() for day in sorted(days)]}
    job.replace(table, merged, where, note)


def _within_reach(stored: DataFrame, days: set[date], correction_days: int | None) -> DataFrame:
    if correction_days is None or not days:
        return stored
    earliest = min(days) - timedelta(days=correction_days)
    return stored.where(
        (F.col("month") >= f"{earliest:%Y-%m}") & (F.col("business_date") >= F.lit(earliest))
    )


def _note_deliveries(job: Job, batches: Sequence[Batch], counts: Counts) -> None:
    rows = [
        {
            "source": batch.label,
            "delivery": delivery.name,
            "fingerprint": delivery.fingerprint + batch.digest,
            **vars(counts[batch.label, delivery.name]),
        }
        for batch in batches
        for delivery in batch.deliveries
    ]
    job.replace(DELIVERIES, local_rows(job.spark, rows, DELIVERIES.schema), _of(batches))


def _of(batches: Sequence[Batch]) -> Column:
    """Rows that came with these deliveries, in a table that names the source."""
    return any_of(
        (F.col("source") == batch.label) & F.col("delivery").isin(batch.names) for batch in batches
    )


def _delivery_of(batches: Sequence[Batch]) -> Column:
    """The same, in a table of a single source."""
    return F.col("delivery").isin([name for batch in batches for name in batch.names])
