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
        Column("origin", StringType(), "What makes a member, as configured: such as receipt", True),
        Column(
            "grain", StringType(), "Length of the cohort's period: day, week, month, year", True
        ),
        Column(
            "kind",
            StringType(),
            "Periods: calendar, brackets, or rolling_28 for 28 days from each member's first day",
            required=True,
        ),
        Column("cohort", DateType(), "First day of the cohort's period", required=True),
        Column("period_index", IntegerType(), "Whole periods since the cohort's own", True),
        Column("cohort_size", LongType(), "Members", required=True),
        Column("eligible", LongType(), "Members whose period has ended by as_of", required=True),
        Column("active", LongType(), "Eligible members who came in the period", True),
        Column("active_so_far", LongType(), "All members who came in the period", True),
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
        Column(
            "skipped",
            LongType(),
            "Active in the period before, not in this one, which has begun",
            True,
        ),
        Column(
            "first_day_index",
            IntegerType(),
            "First day of the period, from each member's own first day; NULL of calendar",
            since=2,
        ),
        Column("last_day_index", IntegerType(), "Its last day, counted the same way", since=2),
        Column("begun", LongType(), "Members whose period has begun by as_of", since=2),
        Column(
            "active_on_or_after",
            LongType(),
            "All members who came in the period or a later one; it grows for ever",
            since=2,
        ),
        Column(
            "retention_on_or_after",
            DoubleType(),
            "active_on_or_after / cohort_size; NULL until the period has ended for all",
            since=2,
        ),
        Column("retention_low", DoubleType(), "Lower end of its 95 % Wilson interval", since=2),
        Column("retention_high", DoubleType(), "Upper end of its 95 % Wilson interval", since=2),
        Column("items", LongType(), "Items bought less items returned in the period", since=2),
        Column("returns", LongType(), "Receipts with a return in the period", since=2),
        Column("promotion_receipts", LongType(), "Visits with a promotion or coupon", since=2),
        Column("promotion_share", DoubleType(), "promotion_receipts / receipts", since=2),
        Column("activities", LongType(), "Events of the activity in the period", since=2),
        Column(
            "before_origin",
            LongType(),
            "In period 0: events of the activity before the members' own first day; else 0",
            since=2,
        ),
    ),
    key=("as_of", "origin", "grain", "kind", "cohort", "period_index"),
    partition_by=("as_of",),
    schema_version=2,
)

COHORT_CUTS = Table(
    name="cohort_cuts",
    grain="the members of one cohort with one value of an attribute, or of several together, in "
    "one period since its start",
    columns=(
        AS_OF,
        Column("cut", StringType(), "Attribute, or several joined by ' x '", required=True),
        Column("value", StringType(), "Their values, joined the same way; unknown for none", True),
        *[column for column in COHORTS.columns if column is not AS_OF],
    ),
    key=("as_of", "cut", "value", *COHORTS.key[1:]),
    partition_by=("as_of",),
    schema_version=2,
)

COHORT_CURVES = Table(
    name="cohort_curves",
    grain="one period since the start, over all cohorts that are complete there",
    columns=(
        AS_OF,
        Column("origin", StringType(), "As in cohorts", required=True),
        Column("grain", StringType(), "As in cohorts", required=True),
        Column("kind", StringType(), "As in cohorts", required=True),
        Column("period_index", IntegerType(), "As in cohorts", required=True),
        Column("cohorts", LongType(), "Cohorts that are complete in the period", required=True),
        Column("eligible", LongType(), "Their members", required=True),
        Column("active", LongType(), "Members who came in the period", required=True),
        Column("retention", DoubleType(), "active / eligible", required=True),
        Column("retention_low", DoubleType(), "Lower end of its 95 % Wilson interval", True),
        Column("retention_high", DoubleType(), "Upper end of its 95 % Wilson interval", True),
        Column("revenue_per_customer_cents", DoubleType(), "Net amount / eligible", True),
    ),
    key=("as_of", "origin", "grain", "kind", "period_index"),
    partition_by=("as_of",),
)

COHORT_GROWTH = Table(
    name="cohort_growth",
    grain="one period since the first customer came",
    columns=(
        AS_OF,
        Column("grain", StringType(), "Length of the period: day, week, month or year", True),
        Column("period", DateType(), "First day of the period", required=True),
        Column("is_complete", BooleanType(), "Ended by as_of; a running one is as of as_of", True),
        Column("base_before", LongType(), "Customers at the end of the period before", True),
        Column("new", LongType(), "Customers who came for the first time", required=True),
        Column("reactivated", LongType(), "Lost at the end of the period before, came back", True),
        Column("lost", LongType(), "Stayed away for more than lost_after_days", required=True),
        Column("base", LongType(), "base_before + new + reactivated - lost", required=True),
        Column("new_before", LongType(), "New customers in the period before", required=True),
        Column("new_year_before", LongType(), "The same a year before; NULL before the first one"),
        Column("new_change", DoubleType(), "new / new_before - 1; NULL where that is 0"),
        Column("new_change_year", DoubleType(), "new / new_year_before - 1; NULL where that is 0"),
    ),
    key=("as_of", "grain", "period"),
    partition_by=("as_of",),
)

COHORT_ENGAGEMENT = Table(
    name="cohort_engagement",
    grain="one cohort, as it is by now",
    columns=(
        AS_OF,
        Column("origin", StringType(), "As in cohorts", required=True),
        Column("grain", StringType(), "As in cohorts", required=True),
        Column("cohort", DateType(), "As in cohorts", required=True),
        Column("cohort_size", LongType(), "Members", required=True),
        Column("active", LongType(), "Came in the last lost_after_days days", required=True),
        Column("lost", LongType(), "Came, but not in the last lost_after_days days", True),
        Column("never_active", LongType(), "Never came from their own first day on", True),
        Column(
            "engagement_days_median",
            DoubleType(),
            "Days from first to last activity: half of who came since their origin have more",
        ),
        Column("engagement_days_mean", DoubleType(), "Their mean"),
    ),
    key=("as_of", "origin", "grain", "cohort"),
    partition_by=("as_of",),
)
