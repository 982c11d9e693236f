"""Cohorts of every configured grain."""

from __future__ import annotations

from datetime import date
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame

from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.facts import changed_days
from rfm_spark.pipeline.run_record import code_version
from rfm_spark.session import in_parts
from rfm_spark.settings.loading import settings_digest
from rfm_spark.storage.warehouse import as_of_slice
from rfm_spark.tables import COHORTS, CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.transforms.cohorts import Standing, cohort_activity, cohorts, continued_activity


def refresh_cohorts(job: Job, as_of: date) -> None:
    """Follows every cohort up to a day.

    What a period holds follows from days up to its end alone: of cohorts that were stored before,
    the periods stand that ended before the first day that has changed since.
    """
    with job.progress.step("cohorts") as step:
        days, years = job.read(CUSTOMER_DAYS), job.read(CUSTOMER_YEARS)
        rules = job.settings.cohorts
        grains, week_start = rules.grains, rules.week_start
        made_by = {"rules": settings_digest(rules), "code": code_version()}
        standing = _standing(job, as_of, made_by)
        if standing is None:
            activity = cohort_activity(days, as_of, grains, week_start)
        else:
            activity = continued_activity(standing, days, years, as_of, grains, week_start)
        note = {
            "as_of": as_of.isoformat(),
            "of": job.read_versions[CUSTOMER_DAYS.name],
            "followed_from": standing and standing.until.isoformat(),
            **made_by,
        }
        with in_parts(job.spark, job.warehouse.detail(CUSTOMER_DAYS)[1]):
            activity.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            by_grain = [cohorts(activity, years, as_of, one, week_start) for one in grains]
            whole = reduce(DataFrame.unionByName, by_grain).coalesce(1)
            commit = job.replace(COHORTS, whole, as_of_slice(as_of), note)
        finally:
            activity.unpersist()
        followed = f", followed from {standing.until} on" if standing else ""
        step.says(f"{commit.rows:,} rows by {' and '.join(grains)}{followed}")


def _standing(job: Job, as_of: date, made_by: dict[str, Any]) -> Standing | None:
    """What the newest cohorts still say; None where everything is to be followed."""
    made = job.warehouse.last_note(COHORTS) if job.warehouse.is_there(COHORTS) else None
    if made is None or any(made.content.get(name) != value for name, value in made_by.items()):
        return None
    changed = changed_days(job, CUSTOMER_DAYS, made)
    of_day = date.fromisoformat(made.content["as_of"])
    rows = job.warehouse.read(COHORTS).where(as_of_slice(of_day))
    if changed is None or rows.isEmpty():  # results of a day are dropped after a while
        return None
    return Standing(rows, min({of_day, as_of, *changed}))
