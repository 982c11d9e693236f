"""Cohorts by first visit: calendar periods, bounded retention, revenue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.core.conditions import any_of
from rfm_spark.core.periods import Grain, Weekday, first_day_of_period, period_number, period_start


@dataclass(frozen=True)
class Standing:
    """Cohorts that were stored before, and stand in part.

    Attributes:
        rows: `cohorts` of one as_of.
        until: periods that end before this day are as they were.
    """

    rows: DataFrame
    until: date


def first_visits(years: DataFrame) -> DataFrame:
    """The first visit ever of every customer who has one.

    The earliest of all first visits is right for any as_of: where it is later, the customer had
    no visit by then.

    Args:
        years: `customer_years`.

    Returns:
        One row per customer: `customer_id`, `first_visit`.
    """
    return (
        years.where(F.col("customer_id").isNotNull() & F.col("first_visit").isNotNull())
        .groupBy("customer_id")
        .agg(F.min("first_visit").alias("first_visit"))
    )


def cohort_activity(
    days: DataFrame,
    as_of: date,
    grains: Sequence[Grain],
    week_start: Weekday,
    firsts: DataFrame | None = None,
) -> DataFrame:
    """What the members of each cohort did in each period, periods of all lengths in one pass.

    Every day of a customer knows the first visit and the last one before it. So who comes for
    the first time in a period, and who had come in the one before, is told without adding up
    each customer's periods.

    Args:
        days: `customer_days`, or those from some day on: what is told of a period is then right if
            these hold all of the period before it.
        as_of: last day that counts.
        grains: lengths of a period.
        week_start: first day of a week.
        firsts: `first_visits`; None where these are all days, and say so themselves.

    Returns:
        One row per `grain`, `cohort` (a `period_number`) and `period_index` with a receipt from
        the first visit on: `receipts` (visits),
        `revenue_cents`, `active_so_far` (customers), `came_before` (those of them who came in
        the period before as well).
    """
    visit_day = F.when(F.col("visits") > 0, F.col("day"))
    history = Window.partitionBy("customer_id").orderBy("day")
    ever = history.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    before = history.rowsBetween(Window.unboundedPreceding, -1)
    counted = (F.col("year") <= as_of.year) & (F.col("day") <= F.lit(as_of))
    followed = days.where(counted & F.col("customer_id").isNotNull())
    if firsts is not None:
        followed = followed.join(firsts, "customer_id")
    told = followed.select(
        "day",
        "visits",
        "net_cents",
        F.min(visit_day).over(ever).alias("first_visit") if firsts is None else "first_visit",
        F.max(visit_day).over(before).alias("visit_before"),
    ).where(F.col("first_visit") <= F.col("day"))
    numbers = [
        period_number(F.col(day), grain, week_start).alias(f"{day}_{grain}")
        for grain in grains
        for day in ("first_visit", "day", "visit_before")
    ]
    return (
        told.select("visits", "net_cents", *numbers)
        .select("visits", "net_cents", F.inline(F.array(*[_place(grain) for grain in grains])))
        .groupBy("grain", "cohort", "period_index")
        .agg(
            F.sum("visits").alias("receipts"),
            F.sum("net_cents").alias("revenue_cents"),
            F.count_if("is_first_in_period").alias("active_so_far"),
            F.count_if("came_before").alias("came_before"),
        )
    )


def continued_activity(
    standing: Standing,
    days: DataFrame,
    years: DataFrame,
    as_of: date,
    grains: Sequence[Grain],
    week_start: Weekday,
) -> DataFrame:
    """The same, of which only the periods that do not stand are followed.

    Args:
        standing: cohorts by the same periods, made of the same days before `standing.until`.
        days: `customer_days`.
        years: `customer_years` of the same days.
        as_of: last day that counts.
        grains: lengths of a period.
        week_start: first day of a week.

    Returns:
        As `cohort_activity`; of periods that stand, with rows of zeros where nobody came.
    """
    until = standing.until
    first = min(_period_before(until, grain, week_start) for grain in grains)
    later = days.where((F.col("year") >= first.year) & (F.col("day") >= F.lit(first)))
    followed = cohort_activity(later, as_of, grains, week_start, first_visits(years))
    period = F.col("cohort") + F.col("period_index")
    anew = any_of(
        (F.col("grain") == grain) & (period >= period_number(F.lit(until), grain, week_start))
        for grain in grains
    )
    stored = _as_activity(standing.rows, grains, week_start)
    return stored.where(~anew).unionByName(followed.where(anew))


def _period_before(day: date, grain: Grain, week_start: Weekday) -> date:
    """First day of the period before the one that holds a day: who came in it is retained."""
    last = first_day_of_period(day, grain, week_start) - timedelta(days=1)
    return first_day_of_period(last, grain, week_start)


def _as_activity(stored: DataFrame, grains: Sequence[Grain], week_start: Weekday) -> DataFrame:
    """The activity that stored cohorts were made of."""
    by_grain = [
        stored.where(F.col("grain") == grain).select(
            "grain",
            period_number(F.col("cohort"), grain, week_start).alias("cohort"),
            "period_index",
            "receipts",
            "revenue_cents",
            "active_so_far",
            F.col("retained").alias("came_before"),
        )
        for grain in grains
    ]
    return reduce(DataFrame.unionByName, by_grain)


def cohorts(
    activity: DataFrame, years: DataFrame, as_of: date, grain: Grain, week_start: Weekday
) -> DataFrame:
    """Who of each cohort came in each period since, and what they spent.

    Args:
        activity: `cohort_activity`, of this length of a period among others; read twice.
        years: `customer_years`: where the data begin.
        as_of: last day that counts.
        grain: length of a period.
        week_start: first day of a week.

    Returns:
        One row per cohort and period that has begun: the columns of `cohorts`.
    """
    own = activity.where(F.col("grain") == grain).drop("grain")
    sizes = own.where("period_index = 0").select(
        "cohort", F.col("active_so_far").alias("cohort_size")
    )
    data_begin = years.agg(F.min("first_visit").alias("first_visit"))
    spine = _spine(sizes, data_begin, as_of, grain, week_start)
    found = spine.join(own, ["cohort", "period_index"], "left")
    return _measured(found, as_of, grain, week_start)


def _place(grain: Grain) -> Column:
    """Of a customer's day: its cohort and period, and whether it is the first visit in it."""
    cohort, period, before = (
        F.col(f"{day}_{grain}") for day in ("first_visit", "day", "visit_before")
    )
    is_first = (F.col("visits") > 0) & (before.isNull() | (before < period))
    came_before = is_first & F.coalesce(period - before == 1, F.lit(False))
    return F.struct(
        F.lit(grain).alias("grain"),
        cohort.alias("cohort"),
        (period - cohort).alias("period_index"),
        is_first.alias("is_first_in_period"),
        came_before.alias("came_before"),
    )


def _spine(
    sizes: DataFrame, data_begin: DataFrame, as_of: date, grain: Grain, week_start: Weekday
) -> DataFrame:
    """Every cohort and every period that has begun, with its size and whether it is the first."""
    last = period_number(F.lit(as_of), grain, week_start) - F.col("cohort")
    first_period = period_number(F.col("first_visit"), grain, week_start)
    return sizes.crossJoin(F.broadcast(data_begin)).select(
        "cohort",
        "cohort_size",
        (F.col("cohort") == first_period).alias("is_left_censored"),
        F.explode(F.sequence(F.lit(0), last)).alias("period_index"),
    )


def _measured(found: DataFrame, as_of: date, grain: Grain, week_start: Weekday) -> DataFrame:
    running = period_number(F.date_add(F.lit(as_of), 1), grain, week_start)
    has_ended = F.col("cohort") + F.col("period_index") < running
    cohort_ended = F.col("cohort") < running
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
        period_start(F.col("cohort"), grain, week_start).alias("cohort"),
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
