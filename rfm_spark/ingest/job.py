"""Ingest: new deliveries into receipts, interactions and customers, the rest to quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.conditions import any_of
from rfm_spark.ingest.counts import add_versions, told
from rfm_spark.ingest.intake import (
    Batch,
    Intake,
    correctable_from,
    explaining,
    new_intakes,
    on_disk,
    refuse_too_many_rejected,
)
from rfm_spark.ingest.rows.attributes import one_per_day
from rfm_spark.ingest.rows.interactions import one_per_delivery
from rfm_spark.ingest.rows.quarantine import quarantine_rows
from rfm_spark.ingest.rows.rules import is_bad
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.ingest.versions.merging import (
    merged_versions,
    touched_keys,
    with_own_status,
    with_status,
)
from rfm_spark.ingest.versions.receipt_versions import (
    receipt_versions,
    rejected_rows,
    single_versions,
)
from rfm_spark.run import Run
from rfm_spark.session import in_parts
from rfm_spark.storage.slices import day_slice, since

_FEW_VERSIONS = 1_000_000
"""Stored versions to be compared, whose ids fit every task."""


def ingest(run: Run) -> None:
    """Takes in every delivery that is new or has changed; all others are left alone.

    Raises:
        UserError: if the input or the configuration does not fit, or too many rows of a source
            are rejected; then nothing has been written.
    """
    with ExitStack() as stack:
        with run.progress.step("look at the input") as step:
            intakes = stack.enter_context(new_intakes(run))
            new = sum(len(batch.deliveries) for intake in intakes for batch in intake.batches)
            step.says(f"{new:,} new or changed deliveries" if new else "nothing new")
        for intake in intakes:
            with run.progress.step(f"ingest {intake.table.name}") as step, explaining(intake):
                _take_in(run, intake)
                step.says(told(intake.counts))


def _take_in(run: Run, intake: Intake) -> None:
    """Writes one table; receipts come first, so if they are refused nothing has been written."""
    if intake.table is RECEIPTS:
        _take_in_receipts(run, intake)
    else:
        _quarantine(run, intake, intake.rows.where(is_bad()))
        good = intake.rows.where(~is_bad())
        if intake.table is CUSTOMERS:
            run.replace(CUSTOMERS, one_per_day(good), _delivery_of(intake.batches))
        else:
            _merge(run, intake, one_per_delivery(good), "interaction_id")
    _note_deliveries(run, intake)


def _take_in_receipts(run: Run, intake: Intake) -> None:
    """Receipts that come once go straight to the table; of all others one version is kept."""
    with_categories = run.settings.has_categories
    [batch] = intake.batches
    with ExitStack() as stack:
        several = intake.unusual.where(~F.col("is_single"))
        with in_parts(run.spark, batch.size):
            versions = stack.enter_context(on_disk(receipt_versions(several, with_categories)))
        add_versions(intake.counts, batch.label, versions)
        refuse_too_many_rejected(run, intake)
        rejected = versions.where("is_rejected").select("delivery", "receipt_id", "two_customers")
        _quarantine(run, intake, rejected_rows(intake.unusual, rejected))
        accepted = ~F.col("is_rejected")
        rows = intake.rows if intake.by_month is None else intake.by_month
        singles = single_versions(rows.where("is_single"), with_categories).where(accepted)
        merged = versions.where(accepted)
        # Of lines every receipt is moved again, to be compared; of whole receipts only a few.
        with in_parts(run.spark, batch.size if batch.has_lines else 0):
            _merge(run, intake, merged, "receipt_id", singles if intake.single_days else None)


def _quarantine(run: Run, intake: Intake, rejected: DataFrame) -> None:
    counts = intake.counts.values()
    expected = sum(count.rejected_rows + count.dropped_rows for count in counts)
    where = _of(intake.batches)
    if expected == 0:
        if not run.read_or_empty(QUARANTINE).where(where).isEmpty():
            run.replace_by(QUARANTINE, [], where)
        run.warehouse.create(QUARANTINE)
        return
    commit = run.replace(QUARANTINE, quarantine_rows(rejected), where)
    if commit.rows != expected:
        raise AssertionError(f"{expected} rows were to be kept out, {commit.rows} were")


def _merge(
    run: Run, intake: Intake, versions: DataFrame, key: str, singles: DataFrame | None = None
) -> None:
    """Takes versions into their table, all in one commit.

    Days on which versions are compared, or lose one, are replaced. Rows that are the only ones of
    their id are added wherever they belong: whatever else lies on their days stays as it is.

    Args:
        run: the run.
        intake: what came.
        versions: accepted versions, to be compared with what is stored.
        key: their id.
        singles: accepted versions whose id is in no other delivery, nor stored.
    """
    table = intake.table
    stored_columns = [name for name in table.column_names if name != "status"]
    incoming = versions.select(*stored_columns)
    days = {row[0] for row in incoming.select("business_date").distinct().collect()}
    came = _of(intake.batches) if "source" in table.column_names else _delivery_of(intake.batches)
    stored = run.warehouse.read(table) if run.warehouse.is_there(table) else None
    first_day = min(days | intake.single_days, default=None)
    earliest = None
    is_in_order = intake.by_month is not None
    if stored is not None:
        earliest = correctable_from(run, intake.batches, stored, first_day)
        within = stored.where(since(earliest))
        touched = touched_keys(within, incoming, came, key)
        old = within.join(touched, key, "left_semi").groupBy("business_date").count().collect()
        days |= {row["business_date"] for row in old}
        is_in_order &= sum(row["count"] for row in old) <= _FEW_VERSIONS
    if not days and singles is None:
        run.warehouse.create(table)
        return
    replaced = day_slice(table, days).condition(table) if days else F.lit(False)
    stay: list[DataFrame] = []
    if stored is None:
        compared = with_status(incoming, key)
    else:
        # Whole months may reach further back than a correction does: what is there stays.
        inside = since(earliest)
        compared, untouched = merged_versions(
            stored.where(replaced & inside), incoming, came, key, are_few=is_in_order
        )
        stay = [untouched, stored.where(replaced & ~inside)]
    if is_in_order:  # of what is added and what stays, each file is; these come from a shuffle
        compared = compared.hint("rebalance", *table.partition_by)
    if singles is not None:
        stay.append(with_own_status(singles.select(*stored_columns)))
    rows = reduce(DataFrame.unionByName, stay, compared)
    note = {"days": sorted(day.isoformat() for day in days | intake.single_days)}
    # In this order: the days, each told from a computed month, are asked only where need be.
    where = (came & since(earliest)) | replaced
    run.replace(table, rows, where, note, is_in_order)


def _note_deliveries(run: Run, intake: Intake) -> None:
    rows = [
        {
            "source": batch.label,
            "delivery": delivery.name,
            "fingerprint": delivery.fingerprint + batch.digest,
            **vars(intake.counts[batch.label, delivery.name]),
        }
        for batch in intake.batches
        for delivery in batch.deliveries
    ]
    where = _of(intake.batches)
    run.replace_by(DELIVERIES, rows, where)


def _of(batches: Sequence[Batch]) -> Column:
    """Rows that came with these deliveries, in a table that names the source."""
    return any_of(
        (F.col("source") == batch.label) & F.col("delivery").isin(batch.names) for batch in batches
    )


def _delivery_of(batches: Sequence[Batch]) -> Column:
    """The same, in a table of a single source."""
    return F.col("delivery").isin([name for batch in batches for name in batch.names])
