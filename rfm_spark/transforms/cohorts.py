"""Cohorts by first visit: calendar periods, bounded retention, revenue."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.transforms.rfm_values import first_visits
from rfm_spark.transforms.window import (
    Grain,
    Weekday,
    add_periods,
    period_start,
    periods_between,
)


def cohorts(
    days: DataFrame, years: DataFrame, as_of: date, grain: Grain, week_start: Weekday
) -> DataFrame:
    """Who of each cohort came in each period since, and what they spent.

    Args:
        days: `customer_days`.
        years: `customer_years`, for first visits.
        as_of: last day that counts.
        grain: length of a period.
        week_start: first day of a week.

    Returns:
        One row per cohort and period that has begun: the columns of `cohorts`.
    """
    members = _members(years, as_of, grain, week_start)
    activity = _activity(days, members, as_of, grain, week_start)
    sizes = members.groupBy("cohort").agg(F.count(F.lit(1)).alias("cohort_size"))
    data_begin = years.agg(F.min("first_visit").alias("first_visit"))
    spine = _spine(sizes, data_begin, as_of, grain, week_start)
    found = spine.join(activity, ["cohort", "period_index"], "left")
    return _measured(found, as_of, grain)


def _members(years: DataFrame, as_of: date, grain: Grain, week_start: Weekday) -> DataFrame:
    first = F.col("first_visit")
    return (
        first_visits(years)
        .where(first <= F.lit(as_of))
        .select(
            "customer_id", "first_visit", period_start(first, grain, week_start).alias("cohort")
        )
    )


def _activity(
    days: DataFrame, members: DataFrame, as_of: date, grain: Grain, week_start: Weekday
) -> DataFrame:
    """Per cohort and period: visits, money, who came and who of them had in the period before."""
    period = period_start(F.col("day"), grain, week_start)
    by_customer = (
        days.where((F.col("year") <= as_of.year) & (F.col("day") <= F.lit(as_of)))
        .join(members, "customer_id")
        .where(F.col("day") >= F.col("first_visit"))
        .withColumn("period_index", periods_between(F.col("cohort"), period, grain))
        .groupBy("customer_id", "cohort", "period_index")
        .agg(F.sum("visits").alias("visits"), F.sum("net_cents").alias("revenue_cents"))
    )
    came = F.col("visits") > 0
    history = Window.partitionBy("customer_id").orderBy("period_index")
    # The row before is of the period before, if there is one of it.
    came_before = (
        came
        & (F.lag("period_index").over(history) == F.col("period_index") - 1)
        & F.lag(came).over(history)
    )
    return (
        by_customer.withColumn("came_before", came_before)
        .groupBy("cohort", "period_index")
        .agg(
            F.sum("visits").alias("receipts"),
            F.sum("revenue_cents").alias("revenue_cents"),
            F.count_if(came).alias("active_so_far"),
            F.count_if("came_before").alias("came_before"),
        )
    )


def _spine(
    sizes: DataFrame, data_begin: DataFrame, as_of: date, grain: Grain, week_start: Weekday
) -> DataFrame:
    """Every cohort and every period that has begun, with its size and whether it is the first."""
    this_period = period_start(F.lit(as_of), grain, week_start)
    last = periods_between(F.col("cohort"), this_period, grain)
    first_period = period_start(F.col("first_visit"), grain, week_start)
    return sizes.crossJoin(F.broadcast(data_begin)).select(
        "cohort",
        "cohort_size",
        (F.col("cohort") == first_period).alias("is_left_censored"),
        F.explode(F.sequence(F.lit(0), last)).alias("period_index"),
    )


def _measured(found: DataFrame, as_of: date, grain: Grain) -> DataFrame:
    next_period = add_periods(F.col("cohort"), F.col("period_index") + 1, grain)
    has_ended = F.date_sub(next_period, 1) <= F.lit(as_of)
    cohort_ended = F.date_sub(add_periods(F.col("cohort"), F.lit(1), grain), 1) <= F.lit(as_of)
    eligible = F.when(has_ended, F.col("cohort_size")).otherwise(F.lit(0))
    active_so_far = _or_zero("active_so_far")
    active = F.when(has_ended, active_so_far).otherwise(F.lit(0))
    is_first = F.col("period_index") == 0
    came_before = _or_zero("came_before")
    receipts, revenue = _or_zero("receipts"), _or_zero("revenue_cents")
    until_here = Window.partitionBy("cohort").orderBy("period_index")
    active_before = F.lag(active_so_far, 1, 0).over(until_here)
    return found.select(
        F.lit(as_of).alias("as_of"),
        F.lit("receipt").alias("origin"),
        F.lit(grain).alias("grain"),
        F.lit("calendar").alias("kind"),
        "cohort",
        "period_index",
        "cohort_size",
        eligible.alias("eligible"),
        active.alias("active"),
        active_so_far.alias("active_so_far"),
        F.try_divide(active, eligible).alias("retention"),
        (cohort_ended & (eligible == F.col("cohort_size"))).alias("is_complete"),
        "is_left_censored",
        receipts.alias("receipts"),
        revenue.alias("revenue_cents"),
        F.try_divide(revenue, receipts).alias("average_receipt_cents"),
        (revenue / F.col("cohort_size")).alias("revenue_per_customer_cents"),
        (F.sum(revenue).over(until_here) / F.col("cohort_size")).alias(
            "cumulative_revenue_per_customer_cents"
        ),
        F.when(is_first, active_so_far).otherwise(F.lit(0)).alias("new"),
        F.when(is_first, F.lit(0)).otherwise(came_before).alias("retained"),
        F.when(is_first, F.lit(0)).otherwise(active_so_far - came_before).alias("reactivated"),
        (active_before - came_before).alias("skipped"),
    )


def _or_zero(column: str) -> Column:
    return F.coalesce(F.col(column), F.lit(0))
