"""Cohorts of every configured grain."""

from __future__ import annotations

from datetime import date
from functools import reduce

from pyspark.sql import DataFrame

from rfm_spark.pipeline.context import Job
from rfm_spark.storage.warehouse import as_of_slice
from rfm_spark.tables import COHORTS, CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.transforms.cohorts import cohorts


def refresh_cohorts(job: Job, as_of: date) -> None:
    """Follows every cohort up to a day."""
    with job.progress.step("cohorts") as step:
        days, years = job.read(CUSTOMER_DAYS), job.read(CUSTOMER_YEARS)
        rules = job.settings.cohorts
        by_grain = [cohorts(days, years, as_of, grain, rules.week_start) for grain in rules.grains]
        whole = reduce(DataFrame.unionByName, by_grain).coalesce(1)
        commit = job.replace(COHORTS, whole, as_of_slice(as_of))
        step.says(f"{commit.rows:,} rows by {' and '.join(rules.grains)}")
