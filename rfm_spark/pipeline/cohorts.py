"""Cohorts of every configured grain."""

from __future__ import annotations

from datetime import date
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame

from rfm_spark.pipeline.context import Job
from rfm_spark.session import in_parts
from rfm_spark.storage.warehouse import as_of_slice
from rfm_spark.tables import COHORTS, CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.transforms.cohorts import cohort_activity, cohorts


def refresh_cohorts(job: Job, as_of: date) -> None:
    """Follows every cohort up to a day."""
    with job.progress.step("cohorts") as step:
        days, years = job.read(CUSTOMER_DAYS), job.read(CUSTOMER_YEARS)
        rules = job.settings.cohorts
        week_start = rules.week_start
        activity = cohort_activity(days, as_of, rules.grains, week_start)
        with in_parts(job.spark, job.warehouse.detail(CUSTOMER_DAYS)[1]):
            activity.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            by_grain = [cohorts(activity, years, as_of, one, week_start) for one in rules.grains]
            whole = reduce(DataFrame.unionByName, by_grain).coalesce(1)
            commit = job.replace(COHORTS, whole, as_of_slice(as_of))
        finally:
            activity.unpersist()
        step.says(f"{commit.rows:,} rows by {' and '.join(rules.grains)}")
