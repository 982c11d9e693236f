"""Ingest: new deliveries into receipts, interactions and customers, the rest to quarantine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.errors import UserError
from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.input_errors import FAILED, explained
from rfm_spark.pipeline.sources import checked_rows, configured_sources
from rfm_spark.quality.quarantine import quarantine_rows
from rfm_spark.quality.rules import SEPARATOR, is_bad
from rfm_spark.settings.loading import settings_digest
from rfm_spark.settings.sources import Customers, Interactions, Receipts, Source
from rfm_spark.storage.raw_files import Delivery, find_deliveries, lookups_fingerprint
from rfm_spark.storage.slices import day_slice
from rfm_spark.tables import CUSTOMERS, DELIVERIES, INTERACTIONS, QUARANTINE, RECEIPTS, Table
from rfm_spark.transforms.attributes import one_per_day
from rfm_spark.transforms.interactions import one_per_delivery
from rfm_spark.transforms.local_rows import local_rows
from rfm_spark.transforms.receipt_versions import receipt_versions, rejected_rows
from rfm_spark.transforms.versions import merged_versions, touched_keys, with_status
from rfm_spark.transforms.window import any_of


@dataclass(frozen=True)
class _Batch:
    """New deliveries of one source."""

    label: str
    source: Source
    deliveries: list[Delivery]
    digest: str

    @property
    def names(self) -> list[str]:
        return [delivery.name for delivery in self.deliveries]


@dataclass
class _Count:
    """What a delivery held: columns of `deliveries`."""

    rows: int = 0
    rejected_rows: int = 0
    dropped_rows: int = 0
    receipts: int = 0
    rejected_receipts: int = 0
    net_cents: int = 0


Counts = dict[tuple[str, str], _Count]
"""By source and delivery."""


@dataclass
class _Intake:
    """What one table is to take in, of all its sources."""

    table: Table
    batches: list[_Batch] = field(default_factory=list)
    parts: list[DataFrame] = field(default_factory=list)
    counts: Counts = field(default_factory=dict)

    @property
    def rows(self) -> DataFrame:
        return reduce(DataFrame.unionByName, self.parts)


def ingest(job: Job) -> None:
    """Takes in every delivery that is new or has changed; all others are left alone.

    Raises:
        UserError: if the input or the configuration does not fit, or too many rows of a source
            are rejected; then nothing has been written.
    """
    with job.progress.step("look at the input") as step:
        intakes = _intakes(job)
        new = sum(len(batch.deliveries) for intake in intakes for batch in intake.batches)
        step.says(f"{new:,} new or changed deliveries" if new else "nothing new")
    for intake in intakes:
        if intake.batches:
            with job.progress.step(f"ingest {intake.table.name}") as step, _explaining(intake):
                _take_in(job, intake)
                step.says(_told(intake.counts))


def _intakes(job: Job) -> list[_Intake]:
    """New deliveries of every table; what does not fit is told of all sources at once."""
    fingerprints = _taken_before(job)
    kinds = {Receipts: RECEIPTS, Interactions: INTERACTIONS, Customers: CUSTOMERS}
    intakes = {table.name: _Intake(table) for table in kinds.values()}
    problems: list[str] = []
    for label, source in configured_sources(job.settings).items():
        intake = intakes[kinds[type(source)].name]
        try:
            batch = _new(job, label, source, fingerprints)
            if batch.deliveries:
                intake.parts.append(_rows_of(job, batch))
                intake.batches.append(batch)
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(problems)
    for intake in intakes.values():
        if intake.batches:
            with _explaining(intake):
                _count(job, intake)
    return list(intakes.values())


def _count(job: Job, intake: _Intake) -> None:
    """Counts the rows and refuses too many bad ones; receipts are judged with all their lines."""
    rows, batches = intake.rows, intake.batches
    intake.counts = _raw_counts(rows, batches, of_receipts=intake.table is RECEIPTS)
    if intake.table is not RECEIPTS:
        _check_rejected(job, batches, intake.counts, rows)


@contextmanager
def _explaining(intake: _Intake) -> Iterator[None]:
    try:
        yield
    except FAILED as error:
        raise explained(error, intake.table.name) from error


def _taken_before(job: Job) -> Mapping[tuple[str, str], str]:
    if not job.warehouse.is_there(DELIVERIES):
        return {}
    taken = job.read(DELIVERIES).select("source", "delivery", "fingerprint").collect()
    return {(row["source"], row["delivery"]): row["fingerprint"] for row in taken}


def _new(
    job: Job, label: str, source: Source, fingerprints: Mapping[tuple[str, str], str]
) -> _Batch:
    found = find_deliveries(job.spark, source, job.input, label)
    lookups = lookups_fingerprint(job.spark, source, job.input, label)
    digest = settings_digest(source) + settings_digest(job.settings.business) + lookups
    new = [one for one in found if fingerprints.get((label, one.name)) != one.fingerprint + digest]
    return _Batch(label, source, new, digest)


def _take_in(job: Job, intake: _Intake) -> None:
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


def _rows_of(job: Job, batch: _Batch) -> DataFrame:
    rows = checked_rows(job, batch.label, batch.source, batch.deliveries)
    return rows.withColumn("source", F.lit(batch.label))


def _take_in_receipts(
    job: Job, batches: Sequence[_Batch], lines: DataFrame, counts: Counts
) -> None:
    with_categories = job.settings.has_categories
    label = batches[0].label
    versions = receipt_versions(lines, with_categories).persist(StorageLevel.DISK_ONLY)
    try:
        for row in _version_counts(versions).collect():
            count = counts[label, row["delivery"]]
            count.receipts = row["receipts"]
            count.rejected_receipts = row["rejected_receipts"]
            count.rejected_rows += row["rejected_rows"]
        _check_rejected(job, batches, counts, lines)
        rejected = versions.where("is_rejected").select("delivery", "receipt_id", "two_customers")
        _quarantine(job, batches, rejected_rows(lines, rejected), counts)
        _merge(job, RECEIPTS, versions.where(~F.col("is_rejected")), batches, "receipt_id")
    finally:
        versions.unpersist()


def _raw_counts(rows: DataFrame, batches: Sequence[_Batch], of_receipts: bool) -> Counts:
    """Rows and money of every delivery before any rule; rejected rows that have no receipt."""
    dropped = F.col("is_dropped") if of_receipts else F.lit(False)
    alone = is_bad() & F.col("receipt_id").isNull() & ~dropped if of_receipts else is_bad()
    cents = F.sum("cents") if of_receipts else F.lit(0)
    found = rows.groupBy("source", "delivery").agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_if(alone).alias("rejected_rows"),
        F.count_if(dropped).alias("dropped_rows"),
        cents.alias("net_cents"),
    )
    counts = {(batch.label, name): _Count() for batch in batches for name in batch.names}
    for row in found.collect():
        counts[row["source"], row["delivery"]] = _Count(
            row["rows"], row["rejected_rows"], row["dropped_rows"], net_cents=row["net_cents"]
        )
    return counts


def _version_counts(versions: DataFrame) -> DataFrame:
    rejected = F.col("is_rejected")
    return versions.groupBy("delivery").agg(
        F.count(F.lit(1)).alias("receipts"),
        F.count_if(rejected).alias("rejected_receipts"),
        F.sum(F.col("lines") * rejected.cast("bigint")).alias("rejected_rows"),
    )


def _check_rejected(job: Job, batches: Sequence[_Batch], counts: Counts, rows: DataFrame) -> None:
    for batch in batches:
        own = [counts[batch.label, name] for name in batch.names]
        read = sum(count.rows for count in own)
        rejected = sum(count.rejected_rows for count in own)
        if (
            read == 0
            and isinstance(batch.source, Receipts)
            and not job.warehouse.is_there(RECEIPTS)
        ):
            raise UserError(
                f"[{batch.label}] {', '.join(batch.names[:3])}: there are no rows in it"
            )
        allowed = job.settings.ingest.max_rejected_share
        if rejected > allowed * read:
            raise UserError(
                f"[{batch.label}] {rejected:,} of {read:,} rows are rejected, more than "
                f"ingest.max_rejected_share = {allowed:g} allows; nothing was published. Most "
                f"frequent: {_most_frequent(rows, batch.label)}"
            )


def _most_frequent(rows: DataFrame, label: str) -> str:
    bad = rows.where(is_bad() & (F.col("source") == label))
    reasons = bad.select(F.explode(F.split("reasons", SEPARATOR)).alias("reason"))
    worst = reasons.groupBy("reason").count().orderBy(F.desc("count"), "reason").limit(5)
    told = ", ".join(f"{row['reason']} ({row['count']:,})" for row in worst.collect())
    return told or "two customers on one receipt"


def _quarantine(job: Job, batches: Sequence[_Batch], rejected: DataFrame, counts: Counts) -> None:
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


def _merge(
    job: Job, table: Table, incoming: DataFrame, batches: Sequence[_Batch], key: str
) -> None:
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


def _note_deliveries(job: Job, batches: Sequence[_Batch], counts: Counts) -> None:
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


def _of(batches: Sequence[_Batch]) -> Column:
    """Rows that came with these deliveries, in a table that names the source."""
    return any_of(
        (F.col("source") == batch.label) & F.col("delivery").isin(batch.names) for batch in batches
    )


def _delivery_of(batches: Sequence[_Batch]) -> Column:
    """The same, in a table of a single source."""
    return F.col("delivery").isin([name for batch in batches for name in batch.names])


def _told(counts: Counts) -> str:
    read = sum(count.rows for count in counts.values())
    rejected = sum(count.rejected_rows for count in counts.values())
    dropped = sum(count.dropped_rows for count in counts.values())
    more = f", {rejected:,} rejected" if rejected else ""
    more += f", {dropped:,} equal lines dropped" if dropped else ""
    plural = "delivery" if len(counts) == 1 else "deliveries"
    return f"{read:,} rows from {len(counts)} {plural}{more}"
