"""Publishing: which versions of all tables make a whole, which is all that readers see.

A night writes one table after the other. When all of them are whole and everything adds up, one
commit of the table `published` names the version of each: from then on these are read. A night that
runs, was killed or has failed is never seen, and a reader sees one night in all tables.

What writes reads the tables as they are now, under the lease.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rfm_spark.app.tables import ALL_TABLES, NEVER_PUBLISHED, PUBLISHED, RUNS
from rfm_spark.core.table import Table
from rfm_spark.results.declaration import AnyResult
from rfm_spark.results.registry import RESULTS
from rfm_spark.run import Run
from rfm_spark.storage.commit_log import Note
from rfm_spark.storage.snapshot import NEWEST, Snapshot
from rfm_spark.storage.warehouse import Warehouse

_FREE = frozenset(table.name for table in NEVER_PUBLISHED)


@dataclass(frozen=True)
class Publication:
    """What is published.

    Attributes:
        number: of the publication; 0 before the first.
        snapshot: the versions that readers take.
        run_id: of the run that ended so; None where there was none.
        as_of: the day that the last run described which made results; None where none was.
        published_at: when; None before the first.
    """

    number: int
    snapshot: Snapshot
    run_id: str | None = None
    as_of: date | None = None
    published_at: datetime | None = None


def published(warehouse: Warehouse) -> Publication:
    """The last publication; without one, nothing is there for readers.

    A warehouse of an earlier release has none, until it is upgraded: there, tables are read as they
    are now.

    Raises:
        UserError: if a newer release wrote it.
    """
    with warehouse.reading(NEWEST):
        if not warehouse.is_there(PUBLISHED):
            is_of_before = warehouse.is_there(RUNS)
            return Publication(0, NEWEST if is_of_before else Snapshot({}, _FREE))
        number = warehouse.bounds(PUBLISHED, "publication")[1]
        if number is None:
            return Publication(0, Snapshot({}, _FREE))
        rows = warehouse.rows(PUBLISHED, {"publication": number})
    versions = {row["table_name"]: row["version"] for row in rows}
    told = {name: rows[0][name] for name in ("run_id", "as_of", "published_at")}
    return Publication(number, Snapshot(versions, _FREE), **told)


def follow_published(warehouse: Warehouse) -> None:
    """Reads all tables as they were published last, from now on."""
    warehouse.follow(published(warehouse).snapshot)


def publish(
    run: Run, tables: Iterable[Table], run_id: str | None = None, as_of: date | None = None
) -> None:
    """Publishes tables as they are now; all others stay as they were published.

    One commit, the last one of a run. Where no version is another, nothing is written.

    Args:
        run: which holds the lease.
        tables: that are whole; those that are not there are left out.
        run_id: of the run, as in `runs`; None for the run that published last.
        as_of: the day that its results describe; None for the day published last.
    """
    before = published(run.warehouse)
    old = before.snapshot.versions or {}
    there = filter(run.warehouse.is_there, tables)
    now = {table.name: run.warehouse.version(table) for table in there}
    versions = {name: one for name, one in {**old, **now}.items() if name not in _FREE}
    if versions == old:
        return
    told = {
        "run_id": run_id or before.run_id,
        "as_of": as_of or before.as_of,
        "published_at": datetime.now(UTC),
    }
    rows = [
        {"publication": before.number + 1, "table_name": name, "version": version, **told}
        for name, version in sorted(versions.items())
    ]
    run.warehouse.append(PUBLISHED, rows)


def publish_again(run: Run, tables: Iterable[Table], also: Iterable[Table] = ()) -> None:
    """Publishes tables as they are now that were published before; others stay unpublished.

    Args:
        run: which holds the lease.
        tables: whose published rows are the same, or are to be others without a new run.
        also: tables that are published whether they were before or not.
    """
    old = published(run.warehouse).snapshot.versions or {}
    publish(run, [*also, *(table for table in tables if table.name in old)])


def unpublished(run: Run) -> list[Table]:
    """Tables whose rows have changed since they were published: readers need the older version."""
    versions = published(run.warehouse).snapshot.versions or {}
    return [
        table
        for table in ALL_TABLES
        if table.name in versions
        and run.warehouse.is_there(table)
        and _has_changed(run.warehouse.notes_since(table, versions[table.name]))
    ]


def take_back_unpublished(run: Run, days: Iterable[date] | None) -> None:
    """Result tables get their published rows again, where a run that was killed left others.

    What it wrote of other days would else be published with these. What it wrote of these days
    stays, to be gone on with; and of any day, what is on record as a whole result.

    Args:
        run: which holds the lease.
        days: that the run is to describe; None where nothing at all is to stay.
    """
    versions, to_describe = published(run.warehouse).snapshot.versions or {}, frozenset(days or ())
    taken_back: dict[Table, set[date]] = {}
    for result in RESULTS:
        for table in result.tables:
            version = versions.get(table.name)
            if version is None or not run.warehouse.is_there(table):
                continue
            notes = run.warehouse.notes_since(table, version) or []
            written = {day for note in notes if note.is_write for day in note.described}
            others = written - to_describe
            if others and days is not None:
                others -= _whole_days(run, result, table, version, others)
            if others:
                taken_back[table] = others
    if not taken_back:
        return
    run.sessions.start()
    with run.progress.step("take back what was not published") as step:
        for table in taken_back:
            run.warehouse.restore(table, versions[table.name])
        publish_again(run, taken_back)
        days_gone = sorted(set().union(*taken_back.values()))
        step.says(f"{len(taken_back)} tables, as of {', '.join(map(str, days_gone))}")


def _whole_days(
    run: Run, result: AnyResult, table: Table, version: int, days: Collection[date]
) -> set[date]:
    """Days of which a result was made whole after a version of one of its tables."""
    return {
        row["as_of"]
        for row in run.warehouse.rows(RUNS, {"as_of": sorted(days)}, ["as_of", "results"])
        for record in row["results"] or ()
        if record["result"] == result.name
        and record["written_versions"].get(table.name, version) > version
    }


def _has_changed(notes: Sequence[Note] | None) -> bool:
    return notes is None or any(note.is_write for note in notes)
