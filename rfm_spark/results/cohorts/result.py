"""Cohorts as a result."""

from __future__ import annotations

from pyspark.sql import functions as F
from pyspark.sql.types import DateType

from rfm_spark.core.table import Column
from rfm_spark.facts.tables import CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.results.cohorts.job import refresh_cohorts
from rfm_spark.results.cohorts.panels import cohort_panels
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.cohorts.tables import COHORTS
from rfm_spark.results.declaration import CustomerColumns, Result, SettingsSection

RESULT = Result(
    name="cohorts",
    summary="Follow cohorts by first visit: who stays, who comes back, what they spend.",
    tables=(COHORTS,),
    reads=(CUSTOMER_DAYS, CUSTOMER_YEARS),
    make=refresh_cohorts,
    section=SettingsSection("cohorts", Cohorts, Cohorts()),
    panels=cohort_panels,
    customer_columns=CustomerColumns(
        columns=(Column("cohort_month", DateType(), "First day of the month of the first visit"),),
        values=lambda _: {"cohort_month": F.trunc("first_visit", "month")},
    ),
    of_receipts=True,
    place=30,
)
