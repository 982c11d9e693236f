"""Facts: recomputed for exactly the days that changed since they were last written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.bloom_filter import may_match
from rfm_spark.core.kept_rows import keep
from rfm_spark.core.table import Table
from rfm_spark.facts.changes import REVISION, changed_days, last_made, merged_by
from rfm_spark.facts.first_receipts import (
    changed_first_days,
    first_days,
    first_receipts,
    touched_customers,
)
from rfm_spark.facts.merging import (
    WITH_IDS_AS_DELIVERED,
    refresh_merged_customers,
    rows_of_customers,
)
from rfm_spark.facts.tables import (
    CUSTOMER_DAY_CATEGORIES,
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_YEAR_EVENTS,
    CUSTOMER_YEARS,
    FIRST_RECEIPTS,
)
from rfm_spark.facts.transforms import (
    customer_day_categories,
    customer_day_events,
    customer_days,
    customer_year_events,
    customer_years,
)
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.run import Run
from rfm_spark.session import in_parts
from rfm_spark.storage.commit_log import Note
from rfm_spark.storage.slices import day_column, day_slice

Transform = Callable[[DataFrame], DataFrame]
_Slice = tuple[DataFrame, Column, date | None]
"""Rows, the slice that they replace, and the last day that lies in the order of customers."""

_MANY_DAYS = 31
"""More days than these are moved in as many parts as if all were."""
_MANY_BYTES = 2**29
_FILTERED_BYTES = 2**26
"""Of more bytes of receipts than these, those of later days than a customer's first are left out
before they are moved to their customers."""
_RANGES = 160
"""So many ranges of customers Spark searches by halves; up to 129 it goes through them one by one,
which took three quarters of the time in which rows are moved."""

FOLDED = "folded"
"""Noted by commits of facts of days: the last one of those that lie in the order of customers.
Later days, which late receipts still reach, lie in files of their own."""


PROMOTIONS = "promotions"
"""Noted by commits of first receipts: whether receipts told who had a promotion."""


def refresh_facts(run: Run) -> None:
    """Brings every fact table up to the version of what it is made from."""
    refresh_merged_customers(run)
    _refresh(run, RECEIPTS, CUSTOMER_DAYS, customer_days)
    if run.settings.has_categories:
        _refresh(run, RECEIPTS, CUSTOMER_DAY_CATEGORIES, customer_day_categories)
    _refresh(run, CUSTOMER_DAYS, CUSTOMER_YEARS, customer_years)
    if run.settings.receipt_context:
        _refresh_first_receipts(run)
    if run.settings.interactions:
        _refresh(run, INTERACTIONS, CUSTOMER_DAY_EVENTS, customer_day_events)
    if run.warehouse.is_there(CUSTOMER_DAY_EVENTS):
        _refresh(run, CUSTOMER_DAY_EVENTS, CUSTOMER_YEAR_EVENTS, customer_year_events)


def by_customer(rows: DataFrame) -> DataFrame:
    """One exchange serves both the sums and the order by customer inside the files."""
    return rows.repartitionByRange("customer_id", "business_date")


def _refresh(run: Run, source: Table, target: Table, transform: Transform) -> None:
    with run.progress.step(f"facts {target.name}") as step:
        made = last_made(run, target)
        version = run.version_read(source)
        days = changed_days(run, source, made)
        if days is not None and not days:
            step.says("up to date")
            return
        if made is None and _are_empty(run, source, target):
            step.says("nothing to be made of")  # a commit without rows would leave no note
            return
        rows = run.read(source)
        note = {"of": version, REVISION: target.schema_version, **merged_by(run, source)}
        if days is None:
            # Everything is replaced, so no day that is gone from the source stays behind; and
            # what is made from this table sees no list of days, and is replaced as well.
            where, size = F.lit(True), run.warehouse.detail(source)[1]
            first, last = run.warehouse.bounds(source, day_column(source))
            folded = last and _to_fold(run, last)
        else:
            part = day_slice(target, days)
            part = part if "day" in target.key else part.whole()
            rows, where = rows.where(part.condition(source)), part.condition(target)
            size = run.warehouse.detail(source)[1] if len(days) > _MANY_DAYS else 0
            note["days"] = sorted(day.isoformat() for day in days)
            first, last = min(days), max(days)
            folded = _folded_until(made)
        if source in WITH_IDS_AS_DELIVERED:
            rows = rows_of_customers(run, rows)
        parts, is_by_day = [rows], "day" in target.key
        if folded is not None and is_by_day:
            note[FOLDED] = folded.isoformat()
            parts = _in_two(rows, folded) if first <= folded < last else parts
        with in_parts(run.spark, size, _RANGES if size > _MANY_BYTES else 1):
            parts = [by_customer(part) for part in parts] if is_by_day else parts
            rebuilt = reduce(DataFrame.unionByName, map(transform, parts))
            commit = run.replace(target, rebuilt, where, note)
        changed = "all" if days is None else f"{len(days):,} changed"
        step.says(f"{commit.rows:,} rows for {changed} days")


def _refresh_first_receipts(run: Run) -> None:
    """Redoes the customers whose first day is one of those that changed, or was."""
    target = FIRST_RECEIPTS
    with run.progress.step(f"facts {target.name}") as step, ExitStack() as kept:
        promotions = "promotion" in run.settings.receipt_context
        made = last_made(run, target)
        if made is not None and made.content[PROMOTIONS] != promotions:
            made = None
        version = run.version_read(RECEIPTS)
        days = changed_days(run, RECEIPTS, made)
        if days is not None and not days:
            step.says("up to date")
            return
        if made is None and _are_empty(run, RECEIPTS, target):
            step.says("nothing to be made of")
            return
        if days is None:
            found: _Slice | None = _all_first_receipts(run, kept, promotions)
        else:
            found = _changed_first_receipts(run, kept, promotions, days, _folded_until(made))
        if found is None:
            step.says("nobody came first on the days that changed")
            return
        rows, where, folded = found
        note = {"of": version, REVISION: target.schema_version, **merged_by(run, RECEIPTS)}
        note |= {PROMOTIONS: promotions} | ({FOLDED: folded.isoformat()} if folded else {})
        commit = run.replace(target, rows, where, note)
        changed = "all" if days is None else f"{len(days):,} changed"
        step.says(f"{commit.rows:,} rows for {changed} days")


def _all_first_receipts(run: Run, kept: ExitStack, promotions: bool) -> _Slice:
    receipts = rows_of_customers(run, run.read(RECEIPTS))
    days = first_days(run.read(CUSTOMER_YEARS))
    size = run.warehouse.detail(RECEIPTS)[1]
    if size > _FILTERED_BYTES:
        keys = days.withColumnRenamed("day", "business_date")
        receipts = may_match(receipts, keys, ["customer_id", "business_date"])
    first, last = run.warehouse.bounds(RECEIPTS, day_column(RECEIPTS))
    folded = last and _to_fold(run, last)
    parts = _in_two(receipts, folded) if folded and first <= folded < last else [receipts]
    kept.enter_context(in_parts(run.spark, size))
    made = [first_receipts(part, days, promotions) for part in parts]
    return reduce(DataFrame.unionByName, made), F.lit(True), folded


def _changed_first_receipts(
    run: Run, kept: ExitStack, promotions: bool, days: set[date], folded: date | None
) -> _Slice | None:
    """All rows of the days on which somebody begins who did not, or no longer does."""
    target, changed = FIRST_RECEIPTS, day_slice(FIRST_RECEIPTS, days)
    stored = run.warehouse.read(target)
    came = run.read(CUSTOMER_DAYS).where(changed.condition(CUSTOMER_DAYS))
    is_changed = changed.condition(target)
    touched = keep(kept, touched_customers(came, stored, is_changed))
    is_somebody_lost = not touched.where("is_lost").isEmpty()
    years = run.read(CUSTOMER_YEARS) if is_somebody_lost else None
    moved = keep(kept, changed_first_days(touched, years))
    both = moved.select(F.explode(F.array("day", "stored_day")).alias("day")).distinct()
    redone = {row["day"] for row in both.where(F.col("day").isNotNull()).collect()}
    if not redone:
        return None
    part = day_slice(target, redone)
    receipts = rows_of_customers(run, run.read(RECEIPTS).where(part.condition(RECEIPTS)))
    begin = moved.where(F.col("day").isNotNull()).select("customer_id", "day")
    others = stored.where(part.condition(target)).join(moved, "customer_id", "left_anti")
    rows = first_receipts(receipts, begin, promotions).unionByName(others)
    parts = [rows]
    if folded is not None and min(redone) <= folded < max(redone):
        is_folded = F.col("day") <= F.lit(folded)
        parts = [rows.where(is_folded), rows.where(~is_folded)]
    few = [one.hint("rebalance") for one in parts]
    return reduce(DataFrame.unionByName, few), part.condition(target), folded


def _are_empty(run: Run, *tables: Table) -> bool:
    """Whether all tables are there, without any row: those of receipts where a shop has none."""
    return all(
        run.warehouse.is_there(table) and run.warehouse.detail(table)[0] == 0 for table in tables
    )


def _to_fold(run: Run, last: date) -> date:
    """The end of the last month that receipts which come late no longer reach."""
    next_day = last - timedelta(days=run.settings.maintenance.late_days - 1)
    return next_day.replace(day=1) - timedelta(days=1)


def _folded_until(made: Note | None) -> date | None:
    noted = made and made.content.get(FOLDED)
    return date.fromisoformat(noted) if noted else None


def _in_two(rows: DataFrame, folded: date) -> list[DataFrame]:
    """Rows of days that are folded, and of later ones, of a source that lies by month."""
    is_folded = F.col("month") <= f"{folded:%Y-%m}"
    return [rows.where(is_folded), rows.where(~is_folded)]
