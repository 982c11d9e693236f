"""Changes: what facts note of what they were made of, and which days of it changed since."""

from __future__ import annotations

from datetime import date
from typing import Any

from rfm_spark.core.table import Table
from rfm_spark.facts.merging import WITH_IDS_AS_DELIVERED
from rfm_spark.facts.tables import (
    CUSTOMER_DAY_CATEGORIES,
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_YEAR_EVENTS,
    CUSTOMER_YEARS,
    FIRST_RECEIPTS,
    MERGED_CUSTOMERS,
)
from rfm_spark.ingest.tables.identities import IDENTITIES
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.run import ABSENT, Run
from rfm_spark.storage.commit_log import Note

REVISION = "revision"
"""Noted by commits of facts: the `schema_version` of the table by which their rows were made."""

MERGED = "merged"
"""Noted by commits of facts: the version of `merged_customers` that said whose they are; none where
that was not there."""

MADE_OF = {
    MERGED_CUSTOMERS: IDENTITIES,
    CUSTOMER_DAYS: RECEIPTS,
    CUSTOMER_DAY_CATEGORIES: RECEIPTS,
    CUSTOMER_YEARS: CUSTOMER_DAYS,
    FIRST_RECEIPTS: RECEIPTS,
    CUSTOMER_DAY_EVENTS: INTERACTIONS,
    CUSTOMER_YEAR_EVENTS: CUSTOMER_DAY_EVENTS,
}
"""Fact table to the one whose version its commits note as `of`."""


def up_to_date(run: Run) -> dict[Table, Note]:
    """Fact tables that are up to date, with the note of the commit that made them so.

    No day of their source changed since, though its version may be another.
    """
    found = {}
    for target, source in MADE_OF.items():
        if run.warehouse.is_there(target):
            made = last_made(run, target)
            if made is not None and changed_days(run, source, made) == set():
                found[target] = made
    return found


def note_of_now(run: Run, target: Table, made: Note) -> dict[str, Any]:
    """The note of a fact table that is up to date, by the versions its sources have now."""
    source = MADE_OF[target]
    of = {"of": run.warehouse.version(source), "days": []}
    return {**made.content, **of, **merged_by(run, source)}


def last_made(run: Run, target: Table) -> Note | None:
    """What was noted when the target was last made.

    None where it never was, or too long ago, or with fewer columns: then all of it is made again.
    """
    made = run.warehouse.last_note(target) if run.warehouse.is_there(target) else None
    is_whole = made is not None and made.content.get(REVISION, 1) == target.schema_version
    return made if is_whole else None


def changed_days(run: Run, source: Table, made: Note | None) -> set[date] | None:
    """Days of the source that changed after the target was made; None for all of them.

    Also those on which somebody is another customer by now.
    """
    if made is None:
        return None
    changed = days_changed_since(run, source, int(made.content["of"]))
    if source not in WITH_IDS_AS_DELIVERED or not run.warehouse.is_there(MERGED_CUSTOMERS):
        return changed
    merged = days_changed_since(run, MERGED_CUSTOMERS, int(made.content.get(MERGED, ABSENT)))
    return None if changed is None or merged is None else changed | merged


def merged_by(run: Run, source: Table) -> dict[str, Any]:
    """What a commit of facts notes of the merges that say whose they are."""
    if source not in WITH_IDS_AS_DELIVERED or not run.warehouse.is_there(MERGED_CUSTOMERS):
        return {}
    return {MERGED: run.version_read(MERGED_CUSTOMERS)}


def days_changed_since(run: Run, source: Table, version: int) -> set[date] | None:
    """Days of a table that changed after a version of it; None for all of them."""
    notes = run.warehouse.notes_since(source, version)
    if notes is None or any(note.is_write and "days" not in note.content for note in notes):
        return None
    return {date.fromisoformat(day) for note in notes for day in note.content.get("days", ())}
