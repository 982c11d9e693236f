"""Ingest: new deliveries into receipts, interactions and customers, the rest to quarantine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.errors import UserError
from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.sources import CUSTOMERS, RECEIPTS, checked_rows, configured_sources
from rfm_spark.quality.quarantine import quarantine_rows
from rfm_spark.quality.rules import SEPARATOR, is_bad
from rfm_spark.settings.loading import settings_digest
from rfm_spark.settings.sources import Receipts, Source
from rfm_spark.storage.raw_files import Delivery, find_deliveries
from rfm_spark.storage.slices import day_slice
from rfm_spark.tables import CUSTOMERS as CUSTOMERS_TABLE
from rfm_spark.tables import DELIVERIES, INTERACTIONS, QUARANTINE, Table
from rfm_spark.tables import RECEIPTS as RECEIPTS_TABLE
from rfm_spark.transforms.interactions import latest_attributes, one_per_delivery
from rfm_spark.transforms.receipt_versions import receipt_versions, rejected_rows
from rfm_spark.transforms.versions import merged_versions, touched_keys


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
    """What a delivery held."""

    rows: int = 0
    rejected_rows: int = 0
    receipts: int = 0
    rejected_receipts: int = 0
    net_cents: int = 0


def ingest(job: Job) -> None:
    """Takes in every delivery that is new or has changed; all others are left alone.

    Raises:
        UserError: if the input or the configuration does not fit, or too many rows are rejected;
            then nothing of that source has been written.
    """
    for label, source in configured_sources(job.settings).items():
        with job.progress.step(f"ingest {label}") as step:
            batch = _new_deliveries(job, label, source)
            if not batch.deliveries:
                step.says("nothing new")
                continue
            try:
                counts = _take_in(job, batch)
            except PySparkException as error:
                raise _explained(error, label) from error
            step.says(_told(counts))


def _new_deliveries(job: Job, label: str, source: Source) -> _Batch:
    found = find_deliveries(job.spark, source, job.input, label)
    digest = settings_digest(source) + settings_digest(job.settings.business)
    known = job.warehouse.read_or_empty(DELIVERIES).where(F.col("source") == label)
    taken = {row["delivery"]: row["fingerprint"] for row in known.collect()}
    new = [one for one in found if taken.get(one.name) != one.fingerprint + digest]
    return _Batch(label, source, new, digest)


def _take_in(job: Job, batch: _Batch) -> Mapping[str, _Count]:
    rows = checked_rows(job, batch.label, batch.source, batch.deliveries)
    if isinstance(batch.source, Receipts):
        counts = _take_in_receipts(job, batch, batch.source, rows)
    else:
        counts = _take_in_others(job, batch, rows)
    listed = [
        (
            batch.label,
            delivery.name,
            delivery.fingerprint + batch.digest,
            *vars(counts[delivery.name]).values(),
        )
        for delivery in batch.deliveries
    ]
    table = job.spark.createDataFrame(listed, DELIVERIES.schema)
    job.replace(DELIVERIES, table, _of_deliveries(batch))
    return counts


def _take_in_receipts(
    job: Job, batch: _Batch, source: Receipts, lines: DataFrame
) -> dict[str, _Count]:
    with_categories = source.columns.category is not None
    versions = receipt_versions(lines, with_categories).persist(StorageLevel.DISK_ONLY)
    try:
        counts = _raw_counts(lines, batch)
        for row in _version_counts(versions).collect():
            count = counts[row["delivery"]]
            count.receipts = row["receipts"]
            count.rejected_receipts = row["rejected_receipts"]
            count.rejected_rows += row["rejected_rows"]
        _check_rejected(job, batch, counts, lines)
        rejected = versions.where("is_rejected").select("delivery", "receipt_id", "two_customers")
        _quarantine(job, batch, rejected_rows(lines, rejected), counts)
        accepted = versions.where(~F.col("is_rejected"))
        _merge(job, RECEIPTS_TABLE, accepted, batch.names, "receipt_id")
    finally:
        versions.unpersist()
    return counts


def _take_in_others(job: Job, batch: _Batch, rows: DataFrame) -> dict[str, _Count]:
    counts = _raw_counts(rows, batch)
    _check_rejected(job, batch, counts, rows)
    _quarantine(job, batch, rows.where(is_bad()), counts)
    good = rows.where(~is_bad())
    if batch.label == CUSTOMERS:
        _merge_customers(job, batch, good)
    else:
        accepted = one_per_delivery(good)
        _merge(job, INTERACTIONS, accepted, batch.names, "interaction_id")
    return counts


def _raw_counts(rows: DataFrame, batch: _Batch) -> dict[str, _Count]:
    """Rows and money of every delivery before any rule; rejected rows that have no receipt."""
    of_receipts = batch.label == RECEIPTS
    cents = F.sum("cents") if of_receipts else F.lit(0)
    bad = is_bad()
    alone = bad & F.col("receipt_id").isNull() if of_receipts else bad
    found = rows.groupBy("delivery").agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_if(alone).alias("rejected_rows"),
        F.coalesce(cents, F.lit(0)).alias("net_cents"),
    )
    counts = {name: _Count() for name in batch.names}
    for row in found.collect():
        counts[row["delivery"]] = _Count(
            row["rows"], row["rejected_rows"], net_cents=row["net_cents"]
        )
    return counts


def _version_counts(versions: DataFrame) -> DataFrame:
    rejected = F.col("is_rejected")
    return versions.groupBy("delivery").agg(
        F.count(F.lit(1)).alias("receipts"),
        F.count_if(rejected).alias("rejected_receipts"),
        F.sum(F.col("lines") * rejected.cast("bigint")).alias("rejected_rows"),
    )


def _check_rejected(job: Job, batch: _Batch, counts: Mapping[str, _Count], rows: DataFrame) -> None:
    read = sum(count.rows for count in counts.values())
    rejected = sum(count.rejected_rows for count in counts.values())
    if read == 0 and batch.label == RECEIPTS and not job.warehouse.is_there(RECEIPTS_TABLE):
        raise UserError(f"[{batch.label}] {', '.join(batch.names[:3])}: there are no rows in it")
    allowed = job.settings.ingest.max_rejected_share
    if rejected <= allowed * read:
        return
    reasons = rows.select(F.explode(F.split("reasons", SEPARATOR)).alias("reason"))
    reasons = reasons.where("reason != ''").groupBy("reason").count()
    worst = reasons.orderBy(F.desc("count"), "reason").limit(5).collect()
    told = ", ".join(f"{row['reason']} ({row['count']:,})" for row in worst)
    raise UserError(
        f"[{batch.label}] {rejected:,} of {read:,} rows are rejected, more than "
        f"ingest.max_rejected_share = {allowed:g} allows; nothing was published. "
        f"Most frequent: {told or 'two customers on one receipt'}"
    )


def _quarantine(job: Job, batch: _Batch, rejected: DataFrame, counts: Mapping[str, _Count]) -> None:
    expected = sum(count.rejected_rows for count in counts.values())
    where = _of_deliveries(batch)
    if expected == 0:
        if not job.read_or_empty(QUARANTINE).where(where).isEmpty():
            job.replace(QUARANTINE, job.spark.createDataFrame([], QUARANTINE.schema), where)
        job.warehouse.create(QUARANTINE)
        return
    commit = job.replace(QUARANTINE, quarantine_rows(rejected, batch.label), where)
    if commit.rows != expected:
        raise AssertionError(
            f"{batch.label}: {expected} rows were counted as rejected, {commit.rows} were kept"
        )


def _merge(job: Job, table: Table, accepted: DataFrame, names: Collection[str], key: str) -> None:
    """Replaces the affected days of a table of versions, all in one commit."""
    accepted = accepted.select(*[name for name in table.column_names if name != "status"])
    stored = job.warehouse.read_or_empty(table)
    days = {row[0] for row in accepted.select("business_date").distinct().collect()}
    if job.warehouse.is_there(table):
        within = _within_reach(stored, days, job.settings.ingest.correction_days)
        touched = touched_keys(within, accepted, names, key)
        old = within.join(touched, key, "left_semi").select("business_date").distinct()
        days |= {row[0] for row in old.collect()}
    if not days:
        job.warehouse.create(table)
        return
    part = day_slice(table, days)
    where = part.condition(table)
    note = {"days": [day.isoformat() for day in sorted(days)]}
    job.replace(table, merged_versions(stored.where(where), accepted, names, key), where, note)


def _within_reach(stored: DataFrame, days: set[date], correction_days: int | None) -> DataFrame:
    if correction_days is None or not days:
        return stored
    earliest = min(days) - timedelta(days=correction_days)
    return stored.where(
        (F.col("month") >= f"{earliest:%Y-%m}") & (F.col("business_date") >= F.lit(earliest))
    )


def _merge_customers(job: Job, batch: _Batch, good: DataFrame) -> None:
    stored = job.warehouse.read_or_empty(CUSTOMERS_TABLE)
    columns = CUSTOMERS_TABLE.column_names
    others = stored.where(~F.col("delivery").isin(batch.names)).select(*columns)
    latest = latest_attributes(good.select(*columns).unionByName(others))
    job.replace(CUSTOMERS_TABLE, latest, F.lit(True))


def _of_deliveries(batch: _Batch) -> Column:
    return (F.col("source") == batch.label) & F.col("delivery").isin(batch.names)


def _explained(error: PySparkException, label: str) -> Exception:
    """An error of the executors that the input caused, as the user's; others as they are.

    The message of such an error can hold a customer's data: only its name is shown.
    """
    condition = error.getCondition() or ""
    text = str(error)
    causes = {
        "CAST_INVALID_INPUT": "an expression casts text that is not of that type: use try_cast",
        "ARITHMETIC_OVERFLOW": "an expression overflows: use try_add, try_multiply or a wider type",
        "DIVIDE_BY_ZERO": "an expression divides by zero: use try_divide",
        "NUMERIC_VALUE_OUT_OF_RANGE": "an expression gives a number too large for its type",
        "CSV header does not conform": "the files have different headers, or columns in another "
        "order: load them as sources of their own",
        "FAILED_READ_FILE": "a file cannot be read: it is damaged, or not of that format",
        "not a Parquet file": "a file cannot be read: it is damaged, or not of that format",
    }
    for name, meaning in causes.items():
        if name in condition or name in text:
            return UserError(f"[{label}] {meaning}")
    return error


def _told(counts: Mapping[str, _Count]) -> str:
    read = sum(count.rows for count in counts.values())
    rejected = sum(count.rejected_rows for count in counts.values())
    more = f", {rejected:,} rejected" if rejected else ""
    plural = "delivery" if len(counts) == 1 else "deliveries"
    return f"{read:,} rows from {len(counts)} {plural}{more}"
