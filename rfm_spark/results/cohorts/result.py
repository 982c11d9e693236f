"""Cohorts as a result."""

from __future__ import annotations

from rfm_spark.facts.tables import (
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_YEAR_EVENTS,
    CUSTOMER_YEARS,
    FIRST_RECEIPTS,
    MERGED_CUSTOMERS,
)
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.cohorts.customer_columns import COHORT_COLUMNS
from rfm_spark.results.cohorts.job import refresh_cohorts
from rfm_spark.results.cohorts.page import cohort_pages
from rfm_spark.results.cohorts.panels import cohort_panels
from rfm_spark.results.cohorts.settings import Cohorts, cohort_misfits
from rfm_spark.results.cohorts.tables import (
    COHORT_CURVES,
    COHORT_CUTS,
    COHORT_ENGAGEMENT,
    COHORT_GROWTH,
    COHORTS,
)
from rfm_spark.results.declaration import Result, SettingsSection

RESULT = Result(
    name="cohorts",
    summary="Follow cohorts from their first day on: who stays, who comes back, what they spend.",
    tables=(COHORTS, COHORT_CUTS, COHORT_CURVES, COHORT_ENGAGEMENT, COHORT_GROWTH),
    reads=(
        CUSTOMER_DAYS,
        CUSTOMER_YEARS,
        CUSTOMER_DAY_EVENTS,
        CUSTOMER_YEAR_EVENTS,
        CUSTOMERS,
        MERGED_CUSTOMERS,
        FIRST_RECEIPTS,
    ),
    make=refresh_cohorts,
    section=SettingsSection("cohorts", Cohorts, Cohorts()),
    misfits=cohort_misfits,
    panels=cohort_panels,
    pages=cohort_pages,
    customer_columns=COHORT_COLUMNS,
    of_history=True,
    place=30,
)
