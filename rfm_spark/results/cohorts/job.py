"""Cohorts of every configured grain."""

from __future__ import annotations

from datetime import date
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame

from rfm_spark.core.code_version import code_version
from rfm_spark.facts.job import changed_days
from rfm_spark.facts.tables import CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.results.cohorts.retention import (
    Standing,
    cohort_activity,
    cohorts,
    continued_activity,
)
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.cohorts.tables import COHORTS
from rfm_spark.results.declaration import Request
from rfm_spark.run import Run
from rfm_spark.session import in_parts
from rfm_spark.settings.digest import settings_digest
from rfm_spark.storage.warehouse import as_of_slice


def refresh_cohorts(request: Request[Cohorts], _: DataFrame | None = None) -> None:
    """Follows every cohort up to a day.

    What a period holds follows from days up to its end alone: of cohorts that were stored before,
    the periods stand that ended before the first day that has changed since.
    """
    run, rules, as_of = request.run, request.rules, request.as_of
    with run.progress.step("cohorts") as step:
        days, years = run.read(CUSTOMER_DAYS), run.read(CUSTOMER_YEARS)
        grains, week_start = rules.grains, rules.week_start
        made_by = {"rules": settings_digest(rules), "code": code_version()}
        standing = _standing(run, as_of, made_by)
        if standing is None:
            activity = cohort_activity(days, as_of, grains, week_start)
        else:
            activity = continued_activity(standing, days, years, as_of, grains, week_start)
        note = {
            "as_of": as_of.isoformat(),
            "of": run.versions.read[CUSTOMER_DAYS.name],
            "followed_from": standing and standing.until.isoformat(),
            **made_by,
        }
        with in_parts(run.spark, run.warehouse.detail(CUSTOMER_DAYS)[1]):
            activity.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            by_grain = [cohorts(activity, years, as_of, one, week_start) for one in grains]
            whole = reduce(DataFrame.unionByName, by_grain).coalesce(1)
            commit = run.replace(COHORTS, whole, as_of_slice(as_of), note)
        finally:
            activity.unpersist()
        followed = f", followed from {standing.until} on" if standing else ""
        step.says(f"{commit.rows:,} rows by {' and '.join(grains)}{followed}")


def _standing(run: Run, as_of: date, made_by: dict[str, Any]) -> Standing | None:
    """What the newest cohorts still say; None where everything is to be followed."""
    made = run.warehouse.last_note(COHORTS) if run.warehouse.is_there(COHORTS) else None
    if made is None or any(made.content.get(name) != value for name, value in made_by.items()):
        return None
    changed = changed_days(run, CUSTOMER_DAYS, made)
    of_day = date.fromisoformat(made.content["as_of"])
    rows = run.warehouse.read(COHORTS).where(as_of_slice(of_day))
    if changed is None or rows.isEmpty():  # results of a day are dropped after a while
        return None
    return Standing(rows, min({of_day, as_of, *changed}))
