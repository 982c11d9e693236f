"""Maintenance: keeps the layout of a growing warehouse, in steps that a night can afford.

It runs after publishing, under the writer's lease. Every step is one commit and may be the last.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.app.publishing import publish_again, unpublished
from rfm_spark.app.tables import ALL_TABLES, RUNS
from rfm_spark.core.table import Table
from rfm_spark.facts.as_of import resolved_as_of
from rfm_spark.facts.job import FOLDED
from rfm_spark.facts.tables import (
    CUSTOMER_DAY_CATEGORIES,
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    FIRST_RECEIPTS,
)
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.run import Run
from rfm_spark.storage.commit_log import Note
from rfm_spark.storage.slices import day_slice

_FOLDED_TABLES = (CUSTOMER_DAYS, CUSTOMER_DAY_CATEGORIES, CUSTOMER_DAY_EVENTS, FIRST_RECEIPTS)
_BY_MONTH = (RECEIPTS, INTERACTIONS)
_MONTHS_A_NIGHT = 2
_SMALL_FILES = 64
"""More than these in a table without partitions are joined."""


def maintain(run: Run, day: date) -> None:
    """Folds, compacts, drops old results and vacuums, as of a day, or the last one of the data."""
    with run.progress.step("maintenance") as step:
        run.sessions.start()
        day = min(day, resolved_as_of(run, None))
        late_until = day - timedelta(days=run.settings.maintenance.late_days)
        # Of what a night has left that failed, readers need the version before.
        held = unpublished(run)
        tables = [table for table in _present(run, ALL_TABLES) if table not in held]
        done = [*_fold(run, late_until), *_compact(run, late_until), *_expire(run, day, tables)]
        done.append(_vacuum(run, tables))
        publish_again(run, tables)
        step.says(", ".join(done))


def _fold(run: Run, late_until: date) -> Iterator[str]:
    """Days no late receipt reaches any more go from one file a night to the order of customers.

    A month is folded once; when a year is over, all of it: a customer's days then lie together.
    """
    for table in _present(run, _FOLDED_TABLES):
        made = run.warehouse.last_note(table)
        until = _folded_until(run, table, made)
        if made is None or until is None:
            continue
        for end in _month_ends(until, late_until)[:_MONTHS_A_NIGHT]:
            where = _month_or_year(table, end)
            rows = run.warehouse.read(table).where(where)
            # What is made from this table follows its days: none of them has changed.
            note = {**made.content, "days": [], FOLDED: end.isoformat()}
            in_order = rows.repartitionByRange("customer_id", "day")
            run.warehouse.replace(table, in_order, where, note)
            yield f"folded {table.name} to {end}"


def _folded_until(run: Run, table: Table, made: Note | None) -> date | None:
    """The last day in order; where none was noted, that before the first. None without a row."""
    if made is not None and FOLDED in made.content:
        return date.fromisoformat(made.content[FOLDED])
    first: date | None = run.warehouse.read(table).agg(F.min("day")).collect()[0][0]
    return first and first - timedelta(days=1)


def _month_ends(after: date, until: date) -> list[date]:
    """Last days of months, after one day and up to another."""
    ends = []
    year, month = after.year, after.month
    while (end := date(year, month, monthrange(year, month)[1])) <= until:
        if end > after:
            ends.append(end)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return ends


def _month_or_year(table: Table, end: date) -> Column:
    days = [end.replace(day=1) + timedelta(days=place) for place in range(end.day)]
    part = day_slice(table, days)
    return (part.whole() if end.month == 12 else part).condition(table)


def _compact(run: Run, late_until: date) -> Iterator[str]:
    """Joins the small files of all months that are complete, and of small tables.

    Of all, not of the last one: after nights that were left out, several have never had their turn.
    Delta leaves a month alone that has no two small files.
    """
    closed = late_until.replace(day=1) - timedelta(days=1)
    for table in _present(run, _BY_MONTH):
        run.warehouse.compact(table, f"month <= '{closed:%Y-%m}'")
    for table in _present(run, ALL_TABLES):
        if not table.partition_by and run.warehouse.detail(table)[0] > _SMALL_FILES:
            run.warehouse.compact(table)
            yield f"compacted {table.name}"


def _expire(run: Run, day: date, tables: Sequence[Table]) -> Iterator[str]:
    """Drops results of days that are older than settings keep."""
    keep = run.settings.maintenance.keep_results_days
    if keep is None:
        return
    old = F.col("as_of") < F.lit(day - timedelta(days=keep))
    for table in [one for one in tables if not one.keeps_decisions]:
        if "as_of" in table.partition_by and not run.read(table).where(old).isEmpty():
            run.warehouse.delete(table, old)
            yield f"dropped old days of {table.name}"


def _vacuum(run: Run, tables: Sequence[Table]) -> str:
    """Another table every night: listing all files of all tables would take too long.

    The number of nights on record tells whose turn it is. By the date, nights a week apart would
    come to a few tables only.
    """
    nights = len(run.warehouse.rows(RUNS, {"job": "nightly"}, ["job"]))
    table = tables[nights % len(tables)]
    run.warehouse.vacuum(table)
    return f"vacuumed {table.name}"


def _present(run: Run, tables: Sequence[Table]) -> list[Table]:
    return [table for table in tables if run.warehouse.is_there(table)]
