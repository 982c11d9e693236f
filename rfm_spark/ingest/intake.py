"""Intake: finds new deliveries, reads and validates their rows, and counts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import Table
from rfm_spark.ingest.batches import Batch, Intake
from rfm_spark.ingest.counts import (
    DeliveryCounts,
    add_left_out_counts,
    daily_receipt_counts,
    kept_rows,
    receipt_counts,
    row_counts,
)
from rfm_spark.ingest.files.deliveries import Delivery
from rfm_spark.ingest.files.generations import Generation
from rfm_spark.ingest.finding import batch_again, new_batch
from rfm_spark.ingest.problems.input_errors import as_user_error
from rfm_spark.ingest.rejected_share import check_rejected_share
from rfm_spark.ingest.replay import asked_again
from rfm_spark.ingest.retraction import (
    retraction,
    retraction_problems,
    tell_gone,
    with_moved_retracted,
)
from rfm_spark.ingest.rows.rules import is_invalid
from rfm_spark.ingest.sources import (
    CheckedRows,
    checked_rows,
    configured_sources,
    in_two_feeds,
    no_rows,
)
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.identities import IDENTITIES
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.ingest.versions.repeated_ids import id_hashes, repeated_hashes, with_is_single
from rfm_spark.run import Run
from rfm_spark.session import in_parts
from rfm_spark.settings.sources import (
    Customers,
    CustomerTotals,
    Identities,
    Interactions,
    Receipts,
    Source,
)
from rfm_spark.storage.slices import since
from rfm_spark.storage.spark_errors import FAILED

_MAX_BROADCAST_FILE_BYTES = 32 * 2**20
"""Size of raw files up to which the hashes of their receipt ids are broadcast."""
_MAX_BROADCAST_HASHES = 4_000_000


@contextmanager
def new_intakes(run: Run) -> Iterator[list[Intake]]:
    """New deliveries by table, with their rows validated and counted.

    Yields:
        One intake per table with new deliveries; receipts first.

    Raises:
        UserError: with the problems of all sources, or if too many rows are rejected.
    """
    fingerprints = _loaded_fingerprints(run)
    tables = {
        Receipts: RECEIPTS,
        CustomerTotals: CUSTOMER_TOTALS,
        Interactions: INTERACTIONS,
        Customers: CUSTOMERS,
        Identities: IDENTITIES,
    }
    found: dict[str, list[tuple[Batch, CheckedRows]]] = {
        table.name: [] for table in tables.values()
    }
    problems: list[str] = []
    listed: dict[str, frozenset[str]] = {}
    sources = configured_sources(run.settings)
    if run.taken_back:
        problems += retraction_problems(run.taken_back, fingerprints, sources)
    asked = None if run.read_again is None else asked_again(run, sources)
    for label, source in sources.items():
        if asked is not None and label not in asked:
            continue
        try:
            known = {name: one for (of, name), one in fingerprints.items() if of == label}
            if asked is not None:
                batch = batch_again(run, label, source, known, asked[label])
            elif run.taken_back:
                batch = retraction(label, source, known, run.taken_back)
            else:
                batch = new_batch(run, label, source, known)
            if isinstance(source, Receipts):
                listed[label] = batch.listed
            if batch.deliveries:
                checked = _batch_rows(run, batch, is_first_load=not known)
                batch = with_moved_retracted(run, batch, checked.rows)
                found[tables[type(source)].name].append((batch, checked))
            tell_gone(run, batch)
        except UserError as error:
            problems += error.problems
    problems += in_two_feeds(listed)
    if asked is not None and not any(found.values()):
        problems += run.notes  # on each why it is not read
    if problems:
        raise UserError(problems)
    feeds = [[feed] for feed in found.pop(RECEIPTS.name)]
    by_intake = [*feeds, *filter(None, found.values())]
    with ExitStack() as stack:
        yield [_intake(run, stack, tables[type(one[0][0].source)], one) for one in by_intake]


def _intake(
    run: Run, stack: ExitStack, table: Table, found: Sequence[tuple[Batch, CheckedRows]]
) -> Intake:
    """What a table is loaded from; of receipts, of one feed."""
    rows = reduce(DataFrame.unionByName, (checked.rows for _, checked in found))
    intake = Intake(table, [batch for batch, _ in found], rows)
    with translated_input_errors(run, intake):
        if table is RECEIPTS:
            intake.generations = found[0][1].generations
            stack.enter_context(_with_single_rows(run, intake))
        else:
            intake.counts = row_counts(rows, intake.delivery_keys)
        for batch, checked in found:
            _count_left_out(run, intake, batch, checked.left_out)
        if table is not RECEIPTS:
            check_rejected_share(run, intake, rows)
    return intake


@contextmanager
def _with_single_rows(run: Run, intake: Intake) -> Iterator[None]:
    """Adds `is_single` to the rows of receipts, and counts and finds the single ones.

    Lines are not looked at: they are counted when they have been put together. Nor are receipts
    that share their ids with other feeds, which may bring the same ones at the same time.
    """
    [batch] = intake.batches
    rows = intake.rows
    if batch.has_lines or batch.shares_ids:
        intake.rows = intake.slow_path_rows = rows.withColumn("is_single", F.lit(False))
        intake.counts = {key: DeliveryCounts() for key in intake.delivery_keys}
        yield
        return
    incoming, stored = id_hashes(rows), None
    if run.warehouse.is_there(RECEIPTS):
        stored = id_hashes(_correctable_versions(run, rows, batch))
        if 0 < batch.size_bytes < _MAX_BROADCAST_FILE_BYTES:
            incoming = F.broadcast(incoming)
    with ExitStack() as stack:
        with in_parts(run.spark, batch.size_bytes):
            repeated = repeated_hashes(incoming, stored).persist(StorageLevel.MEMORY_AND_DISK)
        stack.callback(repeated.unpersist)
        small = F.broadcast(repeated) if repeated.count() <= _MAX_BROADCAST_HASHES else None
        intake.rows = with_is_single(rows, repeated if small is None else small)
        with in_parts(run.spark, batch.size_bytes):
            daily_counts = stack.enter_context(persisted(daily_receipt_counts(intake.rows)))
        _count_receipts(run, intake, daily_counts, small)
        yield


def _correctable_versions(run: Run, lines: DataFrame, batch: Batch) -> DataFrame:
    """Stored receipt versions that a batch can correct: one row per receipt and delivery."""
    stored = run.read(RECEIPTS)
    if run.settings.ingest.correction_days is None:
        return stored
    first_day = lines.where(~is_invalid()).agg(F.min("business_date")).collect()[0][0]
    return stored.where(since(earliest_correctable_date(run, [batch], stored, first_day)))


def earliest_correctable_date(
    run: Run, batches: Sequence[Batch], stored: DataFrame, first_day: date | None
) -> date | None:
    """First business day that deliveries can correct; None for any.

    A delivery that is loaded again can also correct the days it was loaded for before.

    Args:
        run: the run.
        batches: batches of deliveries being loaded.
        stored: target table, one row per key and delivery.
        first_day: first business day of their rows; None without any.
    """
    days = run.settings.ingest.correction_days
    if days is None or first_day is None:
        return None
    if reloaded := [name for batch in batches for name in batch.previously_loaded]:
        loaded_days = stored.where(F.col("delivery").isin(reloaded)).agg(F.min("business_date"))
        previous: date | None = loaded_days.collect()[0][0]
        first_day = min(first_day, previous or first_day)
    return first_day - timedelta(days=days)


@contextmanager
def persisted(rows: DataFrame) -> Iterator[DataFrame]:
    """Rows persisted on disk until the context ends."""
    rows.persist(StorageLevel.DISK_ONLY)
    try:
        yield rows
    finally:
        rows.unpersist()


def _count_receipts(
    run: Run, intake: Intake, daily_counts: DataFrame, repeated: DataFrame | None
) -> None:
    """Fills the counts, single days, slow-path rows and rows by month of an intake of receipts.

    Args:
        run: the run.
        intake: new receipts, one row each.
        daily_counts: `daily_receipt_counts` of their rows.
        repeated: one row per repeated `id_hash`, for a broadcast; None if too many for one.
    """
    counted = receipt_counts(daily_counts, intake.delivery_keys)
    intake.counts, intake.single_days = counted.counts, counted.single_days
    [batch] = intake.batches
    intake.slow_path_rows = kept_rows(daily_counts)
    if counted.months and repeated is not None and _can_group_by_month(batch.source):
        groups: dict[date, list[Delivery]] = {}
        for delivery in batch.deliveries:
            if delivery.name in counted.months:
                groups.setdefault(counted.months[delivery.name], []).append(delivery)
        by_month = _batch_rows(run, batch, list(groups.values()), intake.generations).rows
        intake.rows_by_month = with_is_single(by_month, repeated)


def _count_left_out(run: Run, intake: Intake, batch: Batch, left_out: DataFrame | None) -> None:
    """Counts what the filter of a source leaves out, and tells of rows for which it is unknown."""
    if left_out is None:
        return
    add_left_out_counts(intake.counts, batch.label, left_out)
    unknown = sum(intake.counts[key].left_out_unknown_rows or 0 for key in batch.delivery_keys)
    if unknown:
        run.notes.append(
            f"[{batch.label}] where = {batch.source.where!r} left out {unknown:,} rows for which "
            "it is unknown, as a column is NULL: if they belong to the source, say what NULL "
            "stands for, as in coalesce(column, '') <> 'test'"
        )


def _can_group_by_month(source: Source) -> bool:
    """Whether rows of a source can be read by month: from files, with no join or window."""
    if not isinstance(source, Receipts) or source.columns.receipt_id is None:
        return False
    return source.format != "delta" and not source.lookups


@contextmanager
def translated_input_errors(run: Run, intake: Intake) -> Iterator[None]:
    """Context that raises Spark errors caused by the input as user errors."""
    try:
        yield
    except FAILED as error:
        told = as_user_error(error, intake.table.name, run.warehouse.place)
        if told is error:
            raise
        raise told from error


def _loaded_fingerprints(run: Run) -> Mapping[tuple[str, str], str]:
    if not run.warehouse.is_there(DELIVERIES):
        return {}
    run.version_read(DELIVERIES)
    loaded = run.warehouse.rows(DELIVERIES, columns=["source", "delivery", "fingerprint"])
    return {(row["source"], row["delivery"]): row["fingerprint"] for row in loaded}


def _batch_rows(
    run: Run,
    batch: Batch,
    groups: Sequence[Sequence[Delivery]] = (),
    generations: Sequence[Generation] = (),
    is_first_load: bool = False,
) -> CheckedRows:
    if not batch.has_files:
        rows = no_rows(run, batch.label, batch.source)
        return CheckedRows(rows.withColumn("source", F.lit(batch.label)), None, ())
    checked = checked_rows(
        run, batch.label, batch.source, batch.deliveries, groups, generations, is_first_load
    )
    return replace(checked, rows=checked.rows.withColumn("source", F.lit(batch.label)))
