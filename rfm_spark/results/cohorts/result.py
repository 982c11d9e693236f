"""Cohorts as a result."""

from __future__ import annotations

from pyspark.sql import functions as F
from pyspark.sql.types import DateType

from rfm_spark.core.table import Column
from rfm_spark.facts.tables import (
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_YEAR_EVENTS,
    CUSTOMER_YEARS,
)
from rfm_spark.ingest.tables.customers import CUSTOMERS
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
from rfm_spark.results.declaration import CustomerColumns, Result, SettingsSection

RESULT = Result(
    name="cohorts",
    summary="Follow cohorts from their first day on: who stays, who comes back, what they spend.",
    tables=(COHORTS, COHORT_CUTS, COHORT_CURVES, COHORT_ENGAGEMENT, COHORT_GROWTH),
    reads=(CUSTOMER_DAYS, CUSTOMER_YEARS, CUSTOMER_DAY_EVENTS, CUSTOMER_YEAR_EVENTS, CUSTOMERS),
    make=refresh_cohorts,
    section=SettingsSection("cohorts", Cohorts, Cohorts()),
    misfits=cohort_misfits,
    panels=cohort_panels,
    pages=cohort_pages,
    customer_columns=CustomerColumns(
        columns=(Column("cohort_month", DateType(), "First day of the month of the first visit"),),
        values=lambda _: {"cohort_month": F.trunc("first_visit", "month")},
    ),
    of_history=True,
    place=30,
)
