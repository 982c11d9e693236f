"""Cohorts: who stays, who is lost and who comes back, by first interaction."""

from __future__ import annotations

from pyspark.sql.types import (
    BooleanType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
)

from rfm_spark.core.columns import AS_OF
from rfm_spark.core.table import Column, Table

COHORTS = Table(
    name="cohorts",
    grain="one cohort in one period since its start; a period that has not begun is absent",
    columns=(
        AS_OF,
        Column("origin", StringType(), "First interaction that makes a member: receipt", True),
        Column(
            "grain", StringType(), "Length of a period: day, week, month or year", required=True
        ),
        Column("kind", StringType(), "calendar: whole calendar periods", required=True),
        Column("cohort", DateType(), "First day of the cohort's period", required=True),
        Column("period_index", IntegerType(), "Whole periods since the cohort's own", True),
        Column("cohort_size", LongType(), "Members", required=True),
        Column("eligible", LongType(), "Members whose period has ended by as_of", required=True),
        Column("active", LongType(), "Eligible members with a visit in the period", True),
        Column("active_so_far", LongType(), "All members with a visit in the period", True),
        Column("retention", DoubleType(), "active / eligible; NULL while the period runs"),
        Column("is_complete", BooleanType(), "Cohort's period ended, all members eligible", True),
        Column("is_left_censored", BooleanType(), "Cohort of the first period of the data", True),
        Column("receipts", LongType(), "Visits of all members in the period", required=True),
        Column("revenue_cents", LongType(), "Net amount of all members in the period", True),
        Column("average_receipt_cents", DoubleType(), "revenue / receipts; NULL without receipts"),
        Column("revenue_per_customer_cents", DoubleType(), "revenue / cohort_size", True),
        Column(
            "cumulative_revenue_per_customer_cents",
            DoubleType(),
            "The same from the start to this period: observed lifetime value",
            required=True,
        ),
        Column("new", LongType(), "Members active in period 0 (only there)", required=True),
        Column("retained", LongType(), "Active in this period and the one before", required=True),
        Column("reactivated", LongType(), "Active in this period, not in the one before", True),
        Column("skipped", LongType(), "Active in the period before, not in this one", True),
    ),
    key=("as_of", "origin", "grain", "kind", "cohort", "period_index"),
    partition_by=("as_of",),
)
