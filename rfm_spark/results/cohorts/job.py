"""Cohorts of every configured origin, by every division of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.code_version import code_version
from rfm_spark.core.errors import RunFailure, UserError, did_you_mean
from rfm_spark.facts.customer_sums import CustomerFacts
from rfm_spark.facts.job import changed_days, days_changed_since
from rfm_spark.facts.tables import (
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_YEAR_EVENTS,
    CUSTOMER_YEARS,
)
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.cohorts.activity import cells
from rfm_spark.results.cohorts.balance import problems
from rfm_spark.results.cohorts.curves import curves
from rfm_spark.results.cohorts.engagement import engagement
from rfm_spark.results.cohorts.followed import Followed
from rfm_spark.results.cohorts.growth import growth, growth_problems, turns
from rfm_spark.results.cohorts.members import history, members, members_by_day
from rfm_spark.results.cohorts.periods import Periods
from rfm_spark.results.cohorts.retention import cohorts, data_begin
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.cohorts.standing import (
    Standing,
    can_stand,
    continued_cells,
    first_day_to_follow,
)
from rfm_spark.results.cohorts.tables import (
    COHORT_CURVES,
    COHORT_ENGAGEMENT,
    COHORT_GROWTH,
    COHORTS,
)
from rfm_spark.results.declaration import Request
from rfm_spark.run import Run
from rfm_spark.session import in_parts
from rfm_spark.settings.digest import settings_digest
from rfm_spark.storage.warehouse import as_of_slice


def refresh_cohorts(request: Request[Cohorts], _: DataFrame | None = None) -> None:
    """Follows every cohort up to a day, and proves that they add up.

    What a period holds follows from days up to its end alone: of cohorts that were stored before,
    the periods stand that ended before the first day that has changed since.

    Raises:
        UserError: if nobody did what an origin names; nothing is written then.
        RunFailure: if something does not add up; nothing is written then.
    """
    run, rules, as_of = request.run, request.rules, request.as_of
    with run.progress.step("cohorts") as step:
        followed, periods = rules.followed(run.settings), rules.periods()
        facts = _facts(run, followed)
        _require_kinds(rules, facts)
        made_by = {"rules": settings_digest(rules), "code": code_version()}
        standing = _standing(run, as_of, made_by) if can_stand(followed, periods) else None
        note = {
            "as_of": as_of.isoformat(),
            "of": run.versions.read[CUSTOMER_DAYS.name],
            "of_events": run.versions.read.get(CUSTOMER_DAY_EVENTS.name),
            "followed_from": standing and standing.until.isoformat(),
            **made_by,
        }
        with in_parts(run.spark, run.warehouse.detail(CUSTOMER_DAYS)[1]):
            known = members(facts, as_of, followed, run.last_day)
            with _kept(known), _kept(members_by_day(known, followed)) as by_day:
                _require_dates(followed, by_day, as_of)
                found = _cells(facts, known, as_of, followed, periods, standing)
                begin = data_begin(facts.years, facts.event_years)
                with (
                    _kept(found),
                    _kept(cohorts(found, by_day, begin, as_of, followed, periods)) as whole,
                ):
                    if wrong := list(problems(whole, found, by_day)):
                        raise RunFailure(f"cohorts do not add up: {'; '.join(wrong)}")
                    commit = run.replace(COHORTS, whole, as_of_slice(as_of), note)
                    run.replace(COHORT_CURVES, curves(whole).coalesce(1), as_of_slice(as_of))
                stayed = engagement(by_day, as_of, rules.lost_after_days, periods)
                run.replace(COHORT_ENGAGEMENT, stayed.coalesce(1), as_of_slice(as_of))
            _refresh_growth(request, facts)
        of = " and ".join(one.origin for one in followed)
        since = f", followed from {standing.until} on" if standing else ""
        step.says(f"{commit.rows:,} rows of {of} by {' and '.join(rules.grains)}{since}")


def _refresh_growth(request: Request[Cohorts], facts: CustomerFacts) -> None:
    """Customers by period: of visits, or where there are no receipts of any interaction."""
    run, rules, as_of = request.run, request.rules, request.as_of
    if run.settings.receipts is not None:
        facts = CustomerFacts(facts.days, facts.years)
    lost_after = rules.lost_after_days
    with (
        _kept(turns(history(facts, as_of, run.last_day), lost_after)) as found,
        _kept(growth(found, as_of, lost_after, rules.grains, rules.week_start)) as whole,
    ):
        if wrong := list(growth_problems(whole, found, as_of, lost_after)):
            raise RunFailure(f"cohorts do not add up: {'; '.join(wrong)}")
        run.replace(COHORT_GROWTH, whole.coalesce(1), as_of_slice(as_of))


def _facts(run: Run, followed: Sequence[Followed]) -> CustomerFacts:
    with_events = any(one.first.interactions or one.activity.interactions for one in followed)
    with_attributes = any(one.attribute is not None for one in followed)
    return CustomerFacts(
        run.read(CUSTOMER_DAYS),
        run.read(CUSTOMER_YEARS),
        run.read_or_empty(CUSTOMER_DAY_EVENTS) if with_events else None,
        run.read_or_empty(CUSTOMER_YEAR_EVENTS) if with_events else None,
        run.read_or_empty(CUSTOMERS) if with_attributes else None,
    )


def _require_kinds(rules: Cohorts, facts: CustomerFacts) -> None:
    """A kind that nobody did is a mistake in its name."""
    if not any(origin.named_kinds for origin in rules.origins.values()):
        return
    years = facts.event_years
    rows = [] if years is None else years.select("kind").distinct().collect()
    there = [row["kind"] for row in rows]
    wrong = [
        f"[cohorts.origins.{name}]: there is no interaction of the kind '{kind}'; "
        f"{did_you_mean(kind, there)}"
        for name, origin in rules.origins.items()
        for kind in origin.named_kinds
        if kind not in there
    ]
    if wrong:
        raise UserError(wrong)


def _require_dates(followed: Sequence[Followed], by_day: DataFrame, as_of: date) -> None:
    """An attribute that holds no date at all is another one than was meant."""
    given = {one.origin: one.attribute for one in followed if one.attribute is not None}
    if not given:
        return
    rows = by_day.where(F.col("origin_day").isNotNull()).select("origin").distinct().collect()
    there = {row["origin"] for row in rows}
    wrong = [
        f"[cohorts.origins.{origin}] attribute: of no customer '{attribute}' is a date by {as_of}, "
        "written as 2024-12-31: give it so in [customers.columns.attributes]"
        for origin, attribute in given.items()
        if origin not in there
    ]
    if wrong:
        raise UserError(wrong)


def _cells(
    facts: CustomerFacts,
    known: DataFrame,
    as_of: date,
    followed: Sequence[Followed],
    periods: Sequence[Periods],
    standing: Standing | None,
) -> DataFrame:
    days, event_days = facts.days, facts.event_days
    if not any(one.activity.interactions for one in followed):
        event_days = None
    if standing is None:
        return cells(days, event_days, known, as_of, followed, periods)
    first = first_day_to_follow(standing.until, periods)
    is_later = (F.col("year") >= first.year) & (F.col("day") >= F.lit(first))
    later_events = None if event_days is None else event_days.where(is_later)
    later = cells(days.where(is_later), later_events, known, as_of, followed, periods)
    return continued_cells(standing, later, periods)


def _standing(run: Run, as_of: date, made_by: dict[str, Any]) -> Standing | None:
    """What the newest cohorts still say; None where everything is to be followed."""
    made = run.warehouse.last_note(COHORTS) if run.warehouse.is_there(COHORTS) else None
    if made is None or any(made.content.get(name) != value for name, value in made_by.items()):
        return None
    changed = changed_days(run, CUSTOMER_DAYS, made)
    changed_events = _changed_events(run, made.content.get("of_events"))
    of_day = date.fromisoformat(made.content["as_of"])
    rows = run.warehouse.read(COHORTS).where(as_of_slice(of_day))
    if changed is None or changed_events is None or rows.isEmpty():
        return None  # results of a day are dropped after a while
    return Standing(rows, min({of_day, as_of, *changed, *changed_events}))


def _changed_events(run: Run, version: int | None) -> set[date] | None:
    """Days of interactions that changed since; None for all, none where nothing is made of them."""
    if CUSTOMER_DAY_EVENTS.name not in run.versions.read:
        return set()
    return None if version is None else days_changed_since(run, CUSTOMER_DAY_EVENTS, version)


@contextmanager
def _kept(rows: DataFrame) -> Iterator[DataFrame]:
    """Rows that several passes read, until the context ends."""
    rows.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield rows
    finally:
        rows.unpersist()
