"""Intake: the deliveries that are new, their rows, and what there is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import Table
from rfm_spark.ingest.counts import Counts, kept_rows, receipt_counts, row_counts, tallies
from rfm_spark.ingest.files.raw_files import Delivery, find_deliveries, lookups_fingerprint
from rfm_spark.ingest.problems.input_errors import explained
from rfm_spark.ingest.rows.rules import SEPARATOR, is_bad
from rfm_spark.ingest.sources import checked_rows, configured_sources, first_problems
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.ingest.versions.repeated_ids import id_hashes, repeated_hashes, with_is_single
from rfm_spark.run import Run
from rfm_spark.session import in_parts
from rfm_spark.settings.digest import changes_digest
from rfm_spark.settings.shop import Business
from rfm_spark.settings.sources import Customers, Interactions, Receipts, Source
from rfm_spark.storage.slices import since
from rfm_spark.storage.spark_errors import FAILED

_BROADCAST_BYTES = 32 * 2**20
"""Of raw files whose ids alone fit every executor."""
_BROADCAST_HASHES = 4_000_000

_READ_BY = frozenset(Business.model_fields) - {"currency"}
"""Settings of the business that rows are read by; the others are only shown."""

_READING = 1
"""Raised by hand when the same settings come to read the same rows otherwise: all deliveries are
then taken in again."""


@dataclass(frozen=True)
class Batch:
    """New deliveries of one source."""

    label: str
    source: Source
    deliveries: list[Delivery]
    digest: str
    came_before: frozenset[str]

    @property
    def names(self) -> list[str]:
        """Of the deliveries."""
        return [delivery.name for delivery in self.deliveries]

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Source and name of the deliveries."""
        return [(self.label, name) for name in self.names]

    @property
    def size(self) -> int:
        """Of the files, in bytes; 0 for a Delta table."""
        return sum(file.length for one in self.deliveries for file in one.files)

    @property
    def has_lines(self) -> bool:
        """Whether receipts come as lines, to be added up."""
        return isinstance(self.source, Receipts) and self.source.grain == "line"


@dataclass
class Intake:
    """What one table is to take in, of all its sources.

    Attributes:
        table: `receipts`, `interactions` or `customers`.
        batches: what is new, by source.
        rows: one checked row per raw row of every source; of receipts with `is_single`, true for
            a row that is a whole receipt and the only one of its id.
        counts: what there is in each delivery; of receipts without those that are not single.
        single_days: days on which single receipts are accepted.
        unusual: of receipts the rows that do not go straight to the table; where they are given
            as lines, all of them.
        by_month: the same rows, no task with those of two months' deliveries; None where
            deliveries hold many months each.
    """

    table: Table
    batches: list[Batch]
    rows: DataFrame
    counts: Counts = field(default_factory=dict)
    single_days: set[date] = field(default_factory=set)
    unusual: DataFrame = field(init=False)
    by_month: DataFrame | None = None

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Source and name of the deliveries."""
        return [key for batch in self.batches for key in batch.keys]


@contextmanager
def new_intakes(run: Run) -> Iterator[list[Intake]]:
    """New deliveries of every table; what does not fit is told of all sources at once."""
    fingerprints = _taken_before(run)
    kinds = {Receipts: RECEIPTS, Interactions: INTERACTIONS, Customers: CUSTOMERS}
    found: dict[str, list[tuple[Batch, DataFrame]]] = {table.name: [] for table in kinds.values()}
    problems: list[str] = []
    for label, source in configured_sources(run.settings).items():
        try:
            batch = _new(run, label, source, fingerprints)
            if batch.deliveries and label not in {known for known, _ in fingerprints}:
                problems += first_problems(run, source, label, batch.deliveries)
            if batch.deliveries:
                found[kinds[type(source)].name].append((batch, _rows_of(run, batch)))
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(problems)
    with ExitStack() as stack:
        intakes = []
        for table in kinds.values():
            if of_table := found[table.name]:
                batches = [batch for batch, _ in of_table]
                rows = reduce(DataFrame.unionByName, (rows for _, rows in of_table))
                intake = Intake(table, batches, rows)
                intakes.append(intake)
                with explaining(intake):
                    if table is RECEIPTS:
                        repeated = stack.enter_context(_singles_told(run, intake))
                        counted = tallies(intake.rows, batches[0].has_lines)
                        with in_parts(run.spark, batches[0].size):
                            tallied = stack.enter_context(on_disk(counted))
                        _count_receipts(run, intake, tallied, repeated)
                    else:
                        intake.counts = row_counts(rows, intake.keys)
                        refuse_too_many_rejected(run, intake)
        yield intakes


@contextmanager
def _singles_told(run: Run, intake: Intake) -> Iterator[DataFrame | None]:
    """Adds `is_single` to the rows: false where receipts are given as lines.

    Yields:
        The hashes of all ids that are not single; None where there are too many to tell every
        task of them, or receipts are given as lines.
    """
    [batch] = intake.batches
    lines = intake.rows
    if batch.has_lines:
        intake.rows = lines.withColumn("is_single", F.lit(False))
        yield None
        return
    incoming, stored = id_hashes(lines), None
    if run.warehouse.is_there(RECEIPTS):
        stored = id_hashes(_within_reach(run, lines, batch))
        if 0 < batch.size < _BROADCAST_BYTES:
            incoming = F.broadcast(incoming)
    with in_parts(run.spark, batch.size):
        repeated = repeated_hashes(incoming, stored).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        few = F.broadcast(repeated) if repeated.count() <= _BROADCAST_HASHES else None
        intake.rows = with_is_single(lines, repeated if few is None else few)
        yield few
    finally:
        repeated.unpersist()


def _within_reach(run: Run, lines: DataFrame, batch: Batch) -> DataFrame:
    """Stored versions that these lines can correct."""
    stored = run.read(RECEIPTS)
    if run.settings.ingest.correction_days is None:
        return stored
    first_day = lines.where(~is_bad()).agg(F.min("business_date")).collect()[0][0]
    return stored.where(since(correctable_from(run, [batch], stored, first_day)))


def correctable_from(
    run: Run, batches: Sequence[Batch], stored: DataFrame, first_day: date | None
) -> date | None:
    """The first business day that deliveries can correct; None for any.

    A delivery that comes again reaches as far back as what it brought before, which it replaces.

    Args:
        run: the run.
        batches: the deliveries.
        stored: the table they go to.
        first_day: of what they bring now; None where they bring nothing.
    """
    days = run.settings.ingest.correction_days
    if days is None or first_day is None:
        return None
    if again := [name for batch in batches for name in batch.came_before]:
        brought = stored.where(F.col("delivery").isin(again)).agg(F.min("business_date"))
        before: date | None = brought.collect()[0][0]
        first_day = min(first_day, before or first_day)
    return first_day - timedelta(days=days)


@contextmanager
def on_disk(rows: DataFrame) -> Iterator[DataFrame]:
    """The same rows, computed once."""
    rows.persist(StorageLevel.DISK_ONLY)
    try:
        yield rows
    finally:
        rows.unpersist()


def _count_receipts(
    run: Run, intake: Intake, tallied: DataFrame, repeated: DataFrame | None
) -> None:
    found = receipt_counts(tallied, intake.keys)
    intake.counts, intake.single_days = found.counts, found.single_days
    [batch] = intake.batches
    intake.unusual = intake.rows if batch.has_lines else kept_rows(tallied)
    if found.months and repeated is not None and _stays_in_place(batch.source):
        by_month: dict[date, list[Delivery]] = {}
        for one in batch.deliveries:
            if one.name in found.months:
                by_month.setdefault(found.months[one.name], []).append(one)
        intake.by_month = with_is_single(_rows_of(run, batch, list(by_month.values())), repeated)


def _stays_in_place(source: Source) -> bool:
    """Whether rows are read from known files, and never moved to be looked up or numbered."""
    if not isinstance(source, Receipts) or source.columns.receipt_id is None:
        return False
    return source.format != "delta" and not source.lookups and not source.drop_equal_lines


@contextmanager
def explaining(intake: Intake) -> Iterator[None]:
    """Says what is wrong with the input where Spark fails on it."""
    try:
        yield
    except FAILED as error:
        raise explained(error, intake.table.name) from error


def reading_digest(source: Source, business: Business) -> str:
    """A short name for all settings that rows of a source are read by."""
    own = changes_digest(source, _READING)
    return own + changes_digest(business, _READING, _READ_BY)


def _taken_before(run: Run) -> Mapping[tuple[str, str], str]:
    if not run.warehouse.is_there(DELIVERIES):
        return {}
    taken = run.read(DELIVERIES).select("source", "delivery", "fingerprint").collect()
    return {(row["source"], row["delivery"]): row["fingerprint"] for row in taken}


def _new(
    run: Run, label: str, source: Source, fingerprints: Mapping[tuple[str, str], str]
) -> Batch:
    found = find_deliveries(run.spark, source, run.input, label, run.night)
    lookups = lookups_fingerprint(run.spark, source, run.input, label)
    digest = reading_digest(source, run.settings.business) + lookups
    new = [one for one in found if fingerprints.get((label, one.name)) != one.fingerprint + digest]
    before = frozenset(one.name for one in new if (label, one.name) in fingerprints)
    return Batch(label, source, new, digest, before)


def _rows_of(run: Run, batch: Batch, groups: Sequence[Sequence[Delivery]] = ()) -> DataFrame:
    rows = checked_rows(run, batch.label, batch.source, batch.deliveries, groups)
    return rows.withColumn("source", F.lit(batch.label))


def refuse_too_many_rejected(run: Run, intake: Intake) -> None:
    """Stops where a source has no rows at all, or more bad ones than settings allow.

    Raises:
        UserError: with the most frequent reasons.
    """
    for batch in intake.batches:
        own = [intake.counts[batch.label, name] for name in batch.names]
        read = sum(count.rows for count in own)
        rejected = sum(count.rejected_rows for count in own)
        is_first = intake.table is RECEIPTS and not run.warehouse.is_there(RECEIPTS)
        if read == 0 and is_first:
            raise UserError(
                f"[{batch.label}] {', '.join(batch.names[:3])}: there are no rows in it"
            )
        allowed = run.settings.ingest.max_rejected_share
        if rejected > allowed * read:
            raise UserError(
                f"[{batch.label}] {rejected:,} of {read:,} rows are rejected, more than "
                f"ingest.max_rejected_share = {allowed:g} allows; nothing was published. Most "
                f"frequent: {_most_frequent(intake.rows, batch.label)}"
            )


def _most_frequent(rows: DataFrame, label: str) -> str:
    bad = rows.where(is_bad() & (F.col("source") == label))
    reasons = bad.select(F.explode(F.split("reasons", SEPARATOR)).alias("reason"))
    worst = reasons.groupBy("reason").count().orderBy(F.desc("count"), "reason").limit(5)
    told = ", ".join(f"{row['reason']} ({row['count']:,})" for row in worst.collect())
    return told or "two customers on one receipt"
