"""Ingest job: writes new deliveries to the tables of their sources and to quarantine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.conditions import any_of
from rfm_spark.ingest.batches import Batch, Intake
from rfm_spark.ingest.counts import (
    add_receipt_version_counts,
    add_unknown_amounts,
    describe_counts,
)
from rfm_spark.ingest.files.lookup_days import last_days
from rfm_spark.ingest.forgotten import customers_to_keep_out, forgotten_totals, receipts_of
from rfm_spark.ingest.intake import (
    earliest_correctable_date,
    new_intakes,
    persisted,
    translated_input_errors,
)
from rfm_spark.ingest.rejected_share import check_rejected_share
from rfm_spark.ingest.replay import tell_read_again, unfinished_rows
from rfm_spark.ingest.rows.attributes import accepted_attributes
from rfm_spark.ingest.rows.customer_totals import accepted_totals
from rfm_spark.ingest.rows.identities import accepted_identities
from rfm_spark.ingest.rows.interactions import deduplicated_interactions
from rfm_spark.ingest.rows.labels import is_of_receipts
from rfm_spark.ingest.rows.quarantine import quarantine_rows
from rfm_spark.ingest.rows.rules import is_invalid
from rfm_spark.ingest.sources import allowed_days
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.identities import IDENTITIES, MERGED_INTO
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS, REPLACES_OTHER
from rfm_spark.ingest.versions.delivery_order import delivery_places
from rfm_spark.ingest.versions.merging import (
    DECIDED_COLUMNS,
    affected_keys,
    merged_versions,
    with_single_version_status,
    with_status,
)
from rfm_spark.ingest.versions.receipt_versions import (
    receipt_versions,
    rows_to_quarantine,
)
from rfm_spark.ingest.versions.whole_receipts import (
    single_receipt_versions,
    whole_receipt_versions,
    whole_rows_to_quarantine,
)
from rfm_spark.run import Run
from rfm_spark.session import in_parts
from rfm_spark.settings.sources import Receipts
from rfm_spark.storage.slices import day_slice, since

_MAX_BROADCAST_VERSIONS = 1_000_000
"""Number of stored versions up to which the affected keys are broadcast in a merge."""

_KEPT_AS_DELIVERED = {
    CUSTOMERS: accepted_attributes,
    CUSTOMER_TOTALS: accepted_totals,
    IDENTITIES: accepted_identities,
}
"""Tables of which every delivery stays: which row counts is told as of a day."""


def ingest(run: Run) -> None:
    """Loads every delivery that is new or has changed, or those that are to be read again.

    Raises:
        UserError: if input and configuration do not match, too many rows of a source are
            rejected, or forgotten customers cannot be kept out, as their key or their table is not
            there; then nothing has been written.
    """
    forgotten = customers_to_keep_out(run)
    with ExitStack() as stack:
        with run.progress.step("look at the input") as step:
            intakes = stack.enter_context(new_intakes(run))
            new = sum(len(batch.deliveries) for intake in intakes for batch in intake.batches)
            step.says(f"{new:,} new or changed deliveries" if new else "nothing new")
        for intake in intakes:
            intake.forgotten = forgotten
            with (
                run.progress.step(f"ingest {intake.table.name}") as step,
                translated_input_errors(run, intake),
            ):
                _ingest_table(run, intake)
                step.says(describe_counts(intake.counts, intake.replacing_receipts))
                _tell_read_again(run, intake)
    if run.settings.receipts is None:  # facts are made of none
        run.warehouse.create(RECEIPTS)


def _ingest_table(run: Run, intake: Intake) -> None:
    """Writes one table; receipts come first, so that nothing is written if they are refused."""
    if intake.table is RECEIPTS:
        _ingest_receipts(run, intake)
    else:
        _write_quarantine(run, intake, _kept_out(intake))
        valid_rows = intake.rows.where(~is_invalid())
        if intake.forgotten is not None:
            valid_rows = intake.forgotten.remembered(valid_rows)
            if intake.table is IDENTITIES:  # nobody's facts become those of who was forgotten
                valid_rows = intake.forgotten.remembered(valid_rows, MERGED_INTO)
        if intake.table in _KEPT_AS_DELIVERED:
            rows = _KEPT_AS_DELIVERED[intake.table](valid_rows)
            run.replace(intake.table, rows, _delivery_condition(intake.batches))
        else:
            _merge_versions(run, intake, deduplicated_interactions(valid_rows), "interaction_id")
    _record_deliveries(run, intake)


def _kept_out(intake: Intake) -> DataFrame:
    """Rows for quarantine; of totals, whose money is reconciled, forgotten customers' too."""
    rejected = intake.rows.where(is_invalid())
    if intake.table is not CUSTOMER_TOTALS or intake.forgotten is None:
        return rejected
    theirs = forgotten_totals(intake.forgotten, intake.rows)
    for row in theirs.groupBy("source", "delivery").count().collect():
        intake.counts[row["source"], row["delivery"]].dropped_rows += row["count"]
    return rejected.unionByName(theirs)


def _ingest_receipts(run: Run, intake: Intake) -> None:
    """Writes receipts: single ones are appended, all others aggregated to versions and merged."""
    with_categories = run.settings.has_categories
    [batch] = intake.batches
    with ExitStack() as stack:
        repeated_rows = intake.slow_path_rows.where(~F.col("is_single"))
        with in_parts(run.spark, batch.size_bytes):
            counted = stack.enter_context(
                persisted(
                    receipt_versions(repeated_rows, with_categories, batch.zero_is_visit)
                    if batch.has_lines
                    else whole_receipt_versions(repeated_rows, with_categories)
                )
            )
        add_receipt_version_counts(intake.counts, batch.label, counted)
        versions = counted.where(F.col("receipt_id").isNotNull())
        if batch.has_lines:
            kept_out = rows_to_quarantine(intake.slow_path_rows, versions.where("is_rejected"))
        else:
            repeated = versions.where("rows_of_id > 1")
            kept_out = whole_rows_to_quarantine(intake.slow_path_rows, repeated)
        check_rejected_share(run, intake, kept_out)
        _write_quarantine(run, intake, kept_out)
        is_accepted = ~F.col("is_rejected")
        rows = intake.rows if intake.rows_by_month is None else intake.rows_by_month
        singles = receipts_of(
            intake.forgotten,
            single_receipt_versions(rows.where("is_single"), with_categories).where(is_accepted),
        )
        accepted = receipts_of(intake.forgotten, versions.where(is_accepted))
        # Lines: the merge shuffles every receipt again; whole receipts: only the repeated ones.
        with in_parts(run.spark, batch.size_bytes if batch.has_lines else 0):
            days = _merge_versions(
                run, intake, accepted, "receipt_id", singles if intake.single_days else None
            )
        _tell_replaced_receipts(run, intake, days)


def _tell_replaced_receipts(run: Run, intake: Intake, days: Collection[date]) -> None:
    """Counts the receipts that took the place of another customer's, and says what to do.

    The merge has marked them: of the days on which it compared versions, two columns are read.
    """
    if not days:
        return
    [batch] = intake.batches
    on_these_days = day_slice(RECEIPTS, days).condition(RECEIPTS)
    loaded = run.warehouse.read(RECEIPTS).where(on_these_days & _delivery_condition([batch]))
    replacing = intake.replacing_receipts = loaded.where(REPLACES_OTHER).count()
    if replacing:
        run.notes.append(
            f"[{batch.label}] {replacing:,} receipts took the place of older ones of another "
            f"customer and day (`{REPLACES_OTHER}` in `receipts`): where numbers begin again, each "
            "day or in each store, make columns.receipt_id a list of the columns that tell them "
            "apart"
        )


def _write_quarantine(run: Run, intake: Intake, rejected: DataFrame) -> None:
    """Writes rejected rows to quarantine, in place of those of the same deliveries."""
    if unfinished := unfinished_rows(intake):  # it is the first table that is written
        run.replace_by(DELIVERIES, unfinished, _deliveries_condition(intake.batches))
    counts = intake.counts.values()
    expected = sum(count.rejected_rows + count.dropped_rows for count in counts)
    condition = _deliveries_condition(intake.batches)
    if expected == 0:
        if not run.read_or_empty(QUARANTINE).where(condition).isEmpty():
            run.replace_by(QUARANTINE, [], condition)
        run.warehouse.create(QUARANTINE)
        return
    if intake.forgotten is not None:
        if intake.table is IDENTITIES:
            rejected = intake.forgotten.without_traces(rejected, MERGED_INTO)
        rejected = intake.forgotten.without_traces(rejected)
    commit = run.replace(QUARANTINE, quarantine_rows(rejected), condition)
    if commit.rows != expected:
        raise AssertionError(f"{expected} rows were to be kept out, {commit.rows} were")
    add_unknown_amounts(intake.counts, run.warehouse.read(QUARANTINE).where(condition))


def _tell_read_again(run: Run, intake: Intake) -> None:
    for batch in intake.batches:
        if batch.read_again:
            kept_out = run.warehouse.read(QUARANTINE).where(_deliveries_condition([batch]))
            tell_read_again(run, intake, batch, kept_out)


def _delivery_places(run: Run, batches: Sequence[Batch]) -> DataFrame:
    """Places of the deliveries that are stored or come in."""
    stored = {row["delivery"] for row in run.warehouse.rows(DELIVERIES, columns=["delivery"])}
    return delivery_places(run.spark, stored.union(*[batch.delivery_names for batch in batches]))


def _merge_versions(
    run: Run, intake: Intake, versions: DataFrame, key: str, singles: DataFrame | None = None
) -> set[date]:
    """Merges accepted versions into their table, in one commit.

    Days with affected versions are replaced. Single versions are appended on any day, and other
    rows of their days are kept.

    Args:
        run: the run.
        intake: new data of the table.
        versions: accepted versions to merge with the stored ones, one row per key and delivery.
        key: name of the id column.
        singles: accepted versions whose id is in no other delivery and not stored, one row per key.

    Returns:
        The days on which versions were compared.
    """
    table = intake.table
    stored_columns = [name for name in table.column_names if name not in DECIDED_COLUMNS]
    incoming = versions.select(*stored_columns)
    days = {row[0] for row in incoming.select("business_date").distinct().collect()}
    is_reloaded = (
        _deliveries_condition(intake.batches)
        if "source" in table.column_names
        else _delivery_condition(intake.batches)
    )
    stored = run.warehouse.read(table) if run.warehouse.is_there(table) else None
    first_day = min(days | intake.single_days, default=None)
    earliest_date = None
    is_in_order = intake.rows_by_month is not None
    if stored is not None:
        earliest_date = earliest_correctable_date(run, intake.batches, stored, first_day)
        correctable = stored.where(since(earliest_date))
        affected = affected_keys(correctable, incoming, is_reloaded, key)
        stored_days = (
            correctable.join(affected, key, "left_semi").groupBy("business_date").count().collect()
        )
        days |= {row["business_date"] for row in stored_days}
        is_in_order &= sum(row["count"] for row in stored_days) <= _MAX_BROADCAST_VERSIONS
    if not days and singles is None:
        run.warehouse.create(table)
        return days
    is_replaced = day_slice(table, days).condition(table) if days else F.lit(False)
    kept_parts: list[DataFrame] = []
    are_apart = run.settings.ingest.correction_days is not None
    places = _delivery_places(run, intake.batches)
    if stored is None:
        affected_versions = with_status(incoming, key, places, are_apart=are_apart)
    else:
        # Whole months may begin before the first correctable day: those rows are kept.
        is_correctable = since(earliest_date)
        affected_versions, unaffected = merged_versions(
            stored.where(is_replaced & is_correctable),
            incoming,
            is_reloaded,
            key,
            places,
            broadcast_keys=is_in_order,
            are_apart=are_apart,
        )
        kept_parts = [unaffected, stored.where(is_replaced & ~is_correctable)]
    if is_in_order:  # they come from a shuffle; the files of all other rows are of one month
        affected_versions = affected_versions.hint("rebalance", *table.partition_by)
    if singles is not None:
        kept_parts.append(with_single_version_status(singles.select(*stored_columns)))
    rows = reduce(DataFrame.unionByName, kept_parts, affected_versions)
    commit_info = {"days": sorted(day.isoformat() for day in days | intake.single_days)}
    # The cheaper condition first: the days are compared only where it is false.
    condition = (is_reloaded & since(earliest_date)) | is_replaced
    run.replace(table, rows, condition, commit_info, is_in_order)
    return days


def _record_deliveries(run: Run, intake: Intake) -> None:
    """Writes the counts and fingerprints of the loaded deliveries to `deliveries`."""
    rows = [
        {
            "source": batch.label,
            "delivery": delivery.name,
            "fingerprint": delivery.fingerprint + batch.settings_digest + marks[delivery.name],
            **vars(intake.counts[batch.label, delivery.name]),
        }
        for batch in intake.batches
        for marks in [_marks(run, intake, batch)]
        for delivery in batch.deliveries
    ]
    run.replace_by(DELIVERIES, rows, _deliveries_condition(intake.batches))


def _marks(run: Run, intake: Intake, batch: Batch) -> dict[str, str]:
    """What stands behind the fingerprint of each delivery, where there are look-ups of a day."""
    if batch.lookup_days is None:
        return dict.fromkeys(batch.delivery_names, "")
    rows = intake.rows.where(F.col("source") == batch.label)
    last = last_days(rows, allowed_days(run).last)
    return {name: batch.lookup_days.mark(last.get(name, date.min)) for name in batch.delivery_names}


def _deliveries_condition(batches: Sequence[Batch]) -> Column:
    """True for rows of the deliveries, in a table with a `source` column.

    A file of receipts is of one feed: where its section was renamed, it is the same delivery.
    """
    return any_of(
        (is_of_receipts() if isinstance(batch.source, Receipts) else F.col("source") == batch.label)
        & F.col("delivery").isin(batch.delivery_names)
        for batch in batches
    )


def _delivery_condition(batches: Sequence[Batch]) -> Column:
    """True for rows of the deliveries, in a table of a single source."""
    return F.col("delivery").isin([name for batch in batches for name in batch.delivery_names])
