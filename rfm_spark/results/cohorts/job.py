"""Cohorts of every configured origin, by every division of time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.code_version import code_version
from rfm_spark.core.errors import RunFailure
from rfm_spark.core.kept_rows import keep
from rfm_spark.core.table import Table
from rfm_spark.facts.changes import changed_days, days_changed_since
from rfm_spark.facts.customer_sums import CustomerFacts
from rfm_spark.facts.merging import attributes_of_customers
from rfm_spark.facts.tables import (
    ACQUISITION,
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_YEAR_EVENTS,
    CUSTOMER_YEARS,
    FIRST_RECEIPTS,
)
from rfm_spark.results.cohorts.activity import CELL, cells
from rfm_spark.results.cohorts.balance import problems
from rfm_spark.results.cohorts.curves import curves
from rfm_spark.results.cohorts.cuts import KEY, cube, cut_columns, cut_problems, uncut
from rfm_spark.results.cohorts.engagement import engagement
from rfm_spark.results.cohorts.followed import Followed
from rfm_spark.results.cohorts.growth import growth, growth_problems, turns
from rfm_spark.results.cohorts.members import (
    DAY_KEY,
    history,
    members,
    members_by_day,
    not_dates,
)
from rfm_spark.results.cohorts.periods import Periods
from rfm_spark.results.cohorts.refusals import require_dates, require_few, require_kinds
from rfm_spark.results.cohorts.retention import ORIGIN_KEY, begun_periods, cohorts, data_begin
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.cohorts.standing import (
    Standing,
    can_stand,
    continued_cells,
    first_day_to_follow,
)
from rfm_spark.results.cohorts.tables import (
    COHORT_CURVES,
    COHORT_CUTS,
    COHORT_ENGAGEMENT,
    COHORT_GROWTH,
    COHORTS,
)
from rfm_spark.results.declaration import Request
from rfm_spark.run import ABSENT, Run
from rfm_spark.session import in_parts
from rfm_spark.settings.digest import digest_of
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.warehouse import as_of_slice

ROWS_A_PART = 500_000
"""Of cohorts: so many take one task some seconds, and are half of the largest file."""


@dataclass(frozen=True)
class _Sums:
    """What cohorts are made of, by cuts where there are some, and in all.

    Attributes:
        by_day: `members_by_day`.
        found: `cells`.
        by_day_cut: the same by the columns of cuts.
        found_cut: the same by the columns of cuts.
    """

    by_day: DataFrame
    found: DataFrame
    by_day_cut: DataFrame
    found_cut: DataFrame


def refresh_cohorts(request: Request[Cohorts], _: DataFrame | None = None) -> None:
    """Follows every cohort up to a day, and proves that they add up.

    What a period holds follows from days up to its end alone: of cohorts that were stored before,
    the periods stand that ended before the first day that has changed since.

    Raises:
        UserError: if nobody did what an origin names, or cuts make too many cells; nothing is
            written then.
        RunFailure: if something does not add up; nothing is written then.
    """
    run, rules, as_of = request.run, request.rules, request.as_of
    with run.progress.step("cohorts") as step, ExitStack() as kept:
        followed, periods = rules.followed(run.settings), rules.periods()
        facts = _facts(run, followed, rules.cuts)
        require_kinds(rules, facts)
        made_by = {"rules": _digest(followed, periods), "code": code_version()}
        standing = None
        if can_stand(followed, periods, rules.cuts):
            standing = _standing(run, as_of, made_by, _events_read(run, facts))
        note = {
            "as_of": as_of.isoformat(),
            "of": run.versions.read[CUSTOMER_DAYS.name],
            "of_events": _events_read(run, facts),
            "followed_from": standing and standing.until.isoformat(),
            **made_by,
        }
        kept.enter_context(in_parts(run.spark, run.warehouse.detail(CUSTOMER_DAYS)[1]))
        sums = _sums(kept, request, facts, followed, standing)
        made = _tables(kept, request, facts, sums, is_continued=standing is not None)
        whole = made.pop(COHORTS)
        for table, rows in made.items():
            run.replace(table, rows, as_of_slice(as_of))
        # At the end: Spark forgets what it keeps of a table's rows when the table is written
        # (`findings/delta_write_forgets_persisted.sh`), and these may go on from stored cohorts.
        commit = run.replace(COHORTS, whole, as_of_slice(as_of), note)
        of = " and ".join(one.origin for one in followed)
        since = f", followed from {standing.until} on" if standing else ""
        left = "".join(
            f"; {count:,} customers are left out of '{origin}': their attribute is no date"
            for origin, count in not_dates(facts, as_of, followed).items()
        )
        step.says(f"{commit.rows:,} rows of {of} by {' and '.join(rules.grains)}{since}{left}")


def _sums(
    kept: ExitStack,
    request: Request[Cohorts],
    facts: CustomerFacts,
    followed: Sequence[Followed],
    standing: Standing | None,
) -> _Sums:
    """Members and cells, each kept for several passes."""
    run, as_of, cuts = request.run, request.as_of, request.rules.cuts
    by = cut_columns(cuts)
    known = keep(kept, members(facts, as_of, followed, run.last_day, cuts))
    by_day_cut = keep(kept, members_by_day(known, followed, by))
    by_day = keep(kept, uncut(by_day_cut, cuts, DAY_KEY)) if cuts else by_day_cut
    require_dates(followed, by_day, as_of)
    periods = request.rules.periods()
    found_cut = keep(kept, _cells(facts, known, as_of, followed, periods, standing, by))
    found = keep(kept, uncut(found_cut, cuts, CELL)) if cuts else found_cut
    return _Sums(by_day, found, by_day_cut, found_cut)


def _tables(
    kept: ExitStack,
    request: Request[Cohorts],
    facts: CustomerFacts,
    sums: _Sums,
    is_continued: bool,
) -> dict[Table, DataFrame]:
    """Every table of the day, proved to add up."""
    run, rules, as_of = request.run, request.rules, request.as_of
    followed, periods = rules.followed(run.settings), rules.periods()
    lost_after = run.settings.business.lost_after_days
    begin = data_begin(facts.years, facts.event_years)
    by_day, parts = _shared_out(sums.by_day, as_of, periods)
    whole = keep(kept, cohorts(sums.found, by_day, begin, as_of, followed, periods))
    wrong = list(problems(whole, sums.found, sums.by_day, followed, periods, is_continued))
    customers = keep(kept, _turns(run, facts, as_of, lost_after))
    by_period = keep(kept, growth(customers, as_of, lost_after, rules.grains, rules.week_start))
    wrong += growth_problems(by_period, customers, as_of, lost_after)
    made = {
        COHORTS: whole.coalesce(parts),
        COHORT_CURVES: curves(whole).coalesce(1),
        COHORT_ENGAGEMENT: engagement(sums.by_day, as_of, lost_after, periods).coalesce(1),
        COHORT_GROWTH: by_period.coalesce(1),
    }
    if rules.cuts:
        found, by_day = (
            cube(sums.found_cut, rules.cuts, CELL),
            cube(sums.by_day_cut, rules.cuts, DAY_KEY),
        )
        by_day, parts = _shared_out(by_day, as_of, periods, KEY)
        in_cuts = keep(kept, cohorts(found, by_day, begin, as_of, followed, periods, KEY))
        require_few(rules, in_cuts)
        wrong += cut_problems(whole, in_cuts)
        made[COHORT_CUTS] = in_cuts.coalesce(parts)
    else:  # the same day may have been cut by other rules
        made[COHORT_CUTS] = local_rows(run.spark, [], COHORT_CUTS.schema)
    if wrong:
        raise RunFailure(f"cohorts do not add up: {'; '.join(wrong)}")
    return made


def _shared_out(
    by_day: DataFrame, as_of: date, periods: Sequence[Periods], by: Sequence[str] = ()
) -> tuple[DataFrame, int]:
    """`members_by_day` in as many parts as their periods are to be counted in and written by.

    Spark would take so few rows together in one part, and then make millions of them.
    """
    rows = begun_periods(by_day, as_of, periods, by).collect()[0]["rows"]
    parts = 1 + rows // ROWS_A_PART
    return (by_day if parts == 1 else by_day.repartition(parts, *by, *ORIGIN_KEY)), parts


def _digest(followed: Sequence[Followed], periods: Sequence[Periods]) -> str:
    """Of all that decides what is in a cell, as the shop's configuration resolves it."""
    return digest_of([repr(one) for one in (*followed, *periods)])


def _turns(run: Run, facts: CustomerFacts, as_of: date, lost_after: int) -> DataFrame:
    """Of visits, or where there are no receipts of any interaction."""
    if run.settings.receipts is not None:
        facts = CustomerFacts(facts.days, facts.years)
    return turns(history(facts, as_of, run.last_day), lost_after)


def _facts(run: Run, followed: Sequence[Followed], cuts: Sequence[str]) -> CustomerFacts:
    with_events = any(one.first.interactions or one.activity.interactions for one in followed)
    won = {column.name for column in ACQUISITION}
    with_attributes = bool(set(cuts) - won) or any(one.attribute is not None for one in followed)
    return CustomerFacts(
        run.read(CUSTOMER_DAYS),
        run.read(CUSTOMER_YEARS),
        run.read_or_empty(CUSTOMER_DAY_EVENTS) if with_events else None,
        run.read_or_empty(CUSTOMER_YEAR_EVENTS) if with_events else None,
        attributes_of_customers(run) if with_attributes else None,
        first_receipts=run.read(FIRST_RECEIPTS) if won & set(cuts) else None,
    )


def _cells(
    facts: CustomerFacts,
    known: DataFrame,
    as_of: date,
    followed: Sequence[Followed],
    periods: Sequence[Periods],
    standing: Standing | None,
    by: Sequence[str],
) -> DataFrame:
    days, event_days = facts.days, facts.event_days
    if not any(one.activity.interactions for one in followed):
        event_days = None
    if standing is None:
        return cells(days, event_days, known, as_of, followed, periods, by)
    first = first_day_to_follow(standing.until, periods)
    is_later = (F.col("year") >= first.year) & (F.col("day") >= F.lit(first))
    later_events = None if event_days is None else event_days.where(is_later)
    later = cells(days.where(is_later), later_events, known, as_of, followed, periods)
    return continued_cells(standing, later, periods)


def _events_read(run: Run, facts: CustomerFacts) -> int:
    """The version of interactions that cohorts are made of; ABSENT where of none."""
    if facts.event_days is None:  # whatever other results of this run have read
        return ABSENT
    return run.versions.read[CUSTOMER_DAY_EVENTS.name]


def _standing(run: Run, as_of: date, made_by: dict[str, Any], of_events: int) -> Standing | None:
    """What the newest cohorts still say; None where everything is to be followed."""
    made = run.warehouse.last_note(COHORTS) if run.warehouse.is_there(COHORTS) else None
    if made is None or any(made.content.get(name) != value for name, value in made_by.items()):
        return None
    changed = changed_days(run, CUSTOMER_DAYS, made)
    changed_events = _changed_events(run, made.content.get("of_events", ABSENT), of_events)
    of_day = date.fromisoformat(made.content["as_of"])
    rows = run.warehouse.read(COHORTS).where(as_of_slice(of_day))
    if changed is None or changed_events is None or rows.isEmpty():
        return None  # results of a day are dropped after a while
    return Standing(rows, min({of_day, as_of, *changed, *changed_events}))


def _changed_events(run: Run, before: int, now: int) -> set[date] | None:
    """Days of interactions that changed between two versions; None for all."""
    if before == now:
        return set()
    return None if before == ABSENT else days_changed_since(run, CUSTOMER_DAY_EVENTS, before)
