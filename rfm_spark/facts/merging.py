"""Merging: follows the identities that were delivered, and tells facts which days they change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.core.kept_rows import keep
from rfm_spark.core.table import Table
from rfm_spark.facts.identities import (
    as_merged,
    changed_ids,
    followed_twice_as_far,
    leading_on,
    newest_merges,
)
from rfm_spark.facts.tables import MERGED_CUSTOMERS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.ingest.tables.identities import IDENTITIES
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.receipts import CURRENT, RECEIPTS
from rfm_spark.run import ABSENT, Run, note_of_days

WITH_IDS_AS_DELIVERED = (RECEIPTS, INTERACTIONS)
"""Tables whose customers are those that were delivered, whoever they are by now."""


def refresh_merged_customers(run: Run) -> None:
    """Follows every merge to its end, and notes on which days facts have other customers by it.

    Where no identities are configured, nobody is merged any more.

    Raises:
        UserError: if merges lead in a circle; nothing is written then.
    """
    is_configured = run.settings.identities is not None
    is_there = run.warehouse.is_there(MERGED_CUSTOMERS)
    if not is_configured and not is_there:
        return
    with run.progress.step("merged customers") as step, ExitStack() as kept:
        is_told = is_configured and run.warehouse.is_there(IDENTITIES)
        of = run.version_read(IDENTITIES) if is_told else ABSENT
        if of == _last_followed(run, is_there):
            step.says("up to date")
            return
        delivered = run.read_or_empty(IDENTITIES)
        merges = newest_merges(delivered if is_told else delivered.limit(0))
        merged = keep(kept, followed_to_the_end(merges))
        changed = keep(kept, changed_ids(run.read_or_empty(MERGED_CUSTOMERS), merged))
        ids = changed.count()
        days = _days_of(run, changed) if ids else set()
        # Also where all are as they were: the commit notes what was followed last.
        run.replace(MERGED_CUSTOMERS, merged, F.lit(True), {"of": of, **note_of_days(days)})
        step.says(f"{ids:,} ids are somebody else now")


def followed_to_the_end(merges: DataFrame) -> DataFrame:
    """Each old id with who it is in the end.

    Each round follows twice as many merges as the one before, so that a chain of a thousand takes
    ten. Nobody's end is further than all merges together: who has come so far goes in a circle.

    Args:
        merges: `newest_merges`.

    Returns:
        The same, of which no `merged_into` is a `customer_id`.

    Raises:
        UserError: if there is none.
    """
    followed, ids = 1, None
    while not (further := leading_on(merges)).isEmpty():
        ids = merges.count() if ids is None else ids
        if followed >= ids:
            raise _in_a_circle(further.count())
        # With its lineage a round's plan would be twice as long as that of the round before.
        merges = followed_twice_as_far(merges).localCheckpoint()
        followed *= 2
    return merges


def merged_customers(run: Run) -> DataFrame | None:
    """Who is somebody else now; None where nobody is, so that nothing has to be joined."""
    if run.settings.identities is None:
        return None
    rows = run.read_or_empty(MERGED_CUSTOMERS)
    if run.versions.read[MERGED_CUSTOMERS.name] == ABSENT:
        return None
    files, _ = run.warehouse.detail(MERGED_CUSTOMERS)
    return rows if files else None


def rows_of_customers(run: Run, rows: DataFrame) -> DataFrame:
    """Rows with `customer_id`, each of who its customer is by now."""
    merged = merged_customers(run)
    return rows if merged is None else as_merged(rows, merged)


def attributes_of_customers(run: Run) -> DataFrame:
    """`customers` without those who are somebody else now: attributes are of the new id alone."""
    rows, merged = run.read_or_empty(CUSTOMERS), merged_customers(run)
    return rows if merged is None else rows.join(merged, "customer_id", "left_anti")


def _last_followed(run: Run, is_there: bool) -> int | None:
    """The version of `identities` that was followed last; None where that is not known."""
    if not is_there:
        return ABSENT
    made = run.warehouse.last_note(MERGED_CUSTOMERS)
    return None if made is None else int(made.content["of"])


def _days_of(run: Run, ids: DataFrame) -> set[date]:
    """Days on which some ids, as they were delivered, have something that counts."""
    return {day for table in WITH_IDS_AS_DELIVERED for day in _days_in(run, table, ids)}


def _days_in(run: Run, table: Table, ids: DataFrame) -> Iterator[date]:
    current = run.read_or_empty(table).where(F.col("status") == CURRENT)
    theirs = current.join(ids, "customer_id", "left_semi")
    for row in theirs.select("business_date").distinct().collect():
        yield row["business_date"]


def _in_a_circle(ids: int) -> UserError:
    return UserError(
        f"[identities] {ids:,} customer ids are merged in a circle, or into one (A into B, and B "
        f"into A): nobody can say who they are. Take a row of each circle out of its file; the "
        f"table `{IDENTITIES.name}` has the rows as they were delivered"
    )
