"""Cohorts of every configured grain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.facts import changed_days
from rfm_spark.pipeline.run_record import code_version
from rfm_spark.session import in_parts
from rfm_spark.settings.loading import settings_digest
from rfm_spark.storage.warehouse import as_of_slice
from rfm_spark.tables import COHORTS, CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.transforms.cohorts import (
    activity_as_stored,
    cohort_activity,
    cohorts,
    first_visits,
    in_periods_since,
)
from rfm_spark.transforms.window import Grain, Weekday, first_day_of_period


@dataclass(frozen=True)
class _Standing:
    """Cohorts that were stored before, and stand in part.

    Attributes:
        rows: `cohorts` of an earlier run.
        until: periods that end before this day are as they were.
    """

    rows: DataFrame
    until: date


def refresh_cohorts(job: Job, as_of: date) -> None:
    """Follows every cohort up to a day.

    What a period holds follows from days up to its end alone: of cohorts that were stored before,
    the periods stand that ended before the first day that has changed since.
    """
    with job.progress.step("cohorts") as step:
        days, years = job.read(CUSTOMER_DAYS), job.read(CUSTOMER_YEARS)
        rules = job.settings.cohorts
        week_start = rules.week_start
        made_by = {"rules": settings_digest(rules), "code": code_version()}
        standing = _standing(job, as_of, made_by)
        activity = _activity(job, days, years, as_of, standing)
        with in_parts(job.spark, job.warehouse.detail(CUSTOMER_DAYS)[1]):
            activity.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            by_grain = [cohorts(activity, years, as_of, one, week_start) for one in rules.grains]
            whole = reduce(DataFrame.unionByName, by_grain).coalesce(1)
            of = {"as_of": as_of.isoformat(), "of": job.read_versions[CUSTOMER_DAYS.name]}
            commit = job.replace(COHORTS, whole, as_of_slice(as_of), {**of, **made_by})
        finally:
            activity.unpersist()
        followed = f", followed from {standing.until} on" if standing else ""
        step.says(f"{commit.rows:,} rows by {' and '.join(rules.grains)}{followed}")


def _activity(
    job: Job, days: DataFrame, years: DataFrame, as_of: date, standing: _Standing | None
) -> DataFrame:
    grains, week_start = job.settings.cohorts.grains, job.settings.cohorts.week_start
    if standing is None:
        return cohort_activity(days, as_of, grains, week_start)
    # From the period before on: who came in it is retained in the next one.
    first = min(_period_before(standing.until, grain, week_start) for grain in grains)
    later = days.where((F.col("year") >= first.year) & (F.col("day") >= F.lit(first)))
    followed = cohort_activity(later, as_of, grains, week_start, first_visits(years))
    anew = in_periods_since(standing.until, grains, week_start)
    stored = activity_as_stored(standing.rows, grains, week_start)
    return stored.where(~anew).unionByName(followed.where(anew))


def _period_before(day: date, grain: Grain, week_start: Weekday) -> date:
    last = first_day_of_period(day, grain, week_start) - timedelta(days=1)
    return first_day_of_period(last, grain, week_start)


def _standing(job: Job, as_of: date, made_by: dict[str, Any]) -> _Standing | None:
    """What the newest cohorts still say; None where everything is to be followed."""
    made = job.warehouse.last_note(COHORTS) if job.warehouse.is_there(COHORTS) else None
    if made is None or any(made.content.get(name) != value for name, value in made_by.items()):
        return None
    changed = changed_days(job, CUSTOMER_DAYS, made)
    of_day = date.fromisoformat(made.content["as_of"])
    rows = job.warehouse.read(COHORTS).where(as_of_slice(of_day))
    if changed is None or rows.isEmpty():  # results of a day are dropped after a while
        return None
    return _Standing(rows, min({of_day, as_of, *changed}))
