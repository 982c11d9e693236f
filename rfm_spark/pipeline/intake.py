"""Intake: the deliveries that are new, their rows, and what there is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.errors import UserError
from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.input_errors import FAILED, explained
from rfm_spark.pipeline.sources import checked_rows, configured_sources
from rfm_spark.quality.rules import SEPARATOR, is_bad
from rfm_spark.settings.loading import settings_digest
from rfm_spark.settings.sources import Customers, Interactions, Receipts, Source
from rfm_spark.storage.raw_files import Delivery, find_deliveries, lookups_fingerprint
from rfm_spark.tables import CUSTOMERS, DELIVERIES, INTERACTIONS, RECEIPTS, Table


@dataclass(frozen=True)
class Batch:
    """New deliveries of one source."""

    label: str
    source: Source
    deliveries: list[Delivery]
    digest: str

    @property
    def names(self) -> list[str]:
        """Of the deliveries."""
        return [delivery.name for delivery in self.deliveries]


@dataclass
class Count:
    """What a delivery held: columns of `deliveries`."""

    rows: int = 0
    rejected_rows: int = 0
    dropped_rows: int = 0
    receipts: int = 0
    rejected_receipts: int = 0
    net_cents: int = 0


Counts = dict[tuple[str, str], Count]
"""By source and delivery."""


@dataclass
class Intake:
    """What one table is to take in, of all its sources."""

    table: Table
    batches: list[Batch] = field(default_factory=list)
    parts: list[DataFrame] = field(default_factory=list)
    counts: Counts = field(default_factory=dict)

    @property
    def rows(self) -> DataFrame:
        """One checked row per raw row of every source."""
        return reduce(DataFrame.unionByName, self.parts)


def new_intakes(job: Job) -> list[Intake]:
    """New deliveries of every table; what does not fit is told of all sources at once."""
    fingerprints = _taken_before(job)
    kinds = {Receipts: RECEIPTS, Interactions: INTERACTIONS, Customers: CUSTOMERS}
    intakes = {table.name: Intake(table) for table in kinds.values()}
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
            with explaining(intake):
                _count(job, intake)
    return list(intakes.values())


def _count(job: Job, intake: Intake) -> None:
    """Counts the rows and refuses too many bad ones; receipts are judged with all their lines."""
    rows, batches = intake.rows, intake.batches
    intake.counts = _raw_counts(rows, batches, of_receipts=intake.table is RECEIPTS)
    if intake.table is not RECEIPTS:
        refuse_too_many_rejected(job, batches, intake.counts, rows)


@contextmanager
def explaining(intake: Intake) -> Iterator[None]:
    """Says what is wrong with the input where Spark fails on it."""
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
) -> Batch:
    found = find_deliveries(job.spark, source, job.input, label)
    lookups = lookups_fingerprint(job.spark, source, job.input, label)
    digest = settings_digest(source) + settings_digest(job.settings.business) + lookups
    new = [one for one in found if fingerprints.get((label, one.name)) != one.fingerprint + digest]
    return Batch(label, source, new, digest)


def _rows_of(job: Job, batch: Batch) -> DataFrame:
    rows = checked_rows(job, batch.label, batch.source, batch.deliveries)
    return rows.withColumn("source", F.lit(batch.label))


def _raw_counts(rows: DataFrame, batches: Sequence[Batch], of_receipts: bool) -> Counts:
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
    counts = {(batch.label, name): Count() for batch in batches for name in batch.names}
    for row in found.collect():
        counts[row["source"], row["delivery"]] = Count(
            row["rows"], row["rejected_rows"], row["dropped_rows"], net_cents=row["net_cents"]
        )
    return counts


def version_counts(versions: DataFrame) -> DataFrame:
    """Receipts of every delivery, and the lines that are rejected with their receipt."""
    rejected = F.col("is_rejected")
    return versions.groupBy("delivery").agg(
        F.count(F.lit(1)).alias("receipts"),
        F.count_if(rejected).alias("rejected_receipts"),
        F.sum(F.col("lines") * rejected.cast("bigint")).alias("rejected_rows"),
    )


def refuse_too_many_rejected(
    job: Job, batches: Sequence[Batch], counts: Counts, rows: DataFrame
) -> None:
    """Stops where a source has no rows at all, or more bad ones than settings allow.

    Raises:
        UserError: with the most frequent reasons.
    """
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


def told(counts: Counts) -> str:
    """What came in, for a person."""
    read = sum(count.rows for count in counts.values())
    rejected = sum(count.rejected_rows for count in counts.values())
    dropped = sum(count.dropped_rows for count in counts.values())
    more = f", {rejected:,} rejected" if rejected else ""
    more += f", {dropped:,} equal lines dropped" if dropped else ""
    plural = "delivery" if len(counts) == 1 else "deliveries"
    return f"{read:,} rows from {len(counts)} {plural}{more}"
