"""The days between a customer's visits, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.core.look_back import EVER, days_before, in_window, in_years

ACTIVE, LOST = "active", "lost"
_LEAST_VISIT_DAYS = 3
_YEAR = 365


@dataclass(frozen=True)
class LostRules:
    """When a customer is lost.

    Attributes:
        after_days: by days alone.
        after_gaps: by the own rhythm, so many times the median gap.
        least_days: fewer days away never make a customer lost by the own rhythm.
    """

    after_days: int
    after_gaps: float
    least_days: int


def customer_rhythm(days: DataFrame, as_of: date, rules: LostRules) -> DataFrame:
    """How regularly each customer came, and what the lost would have spent.

    Args:
        days: `customer_days`.
        as_of: last day that counts.
        rules: when a customer is lost.

    Returns:
        One row per customer with a visit up to as_of: the columns of `customer_rhythm`.
    """
    counted = in_years(as_of, EVER) & in_window("day", as_of, EVER)
    # From the last day back, so that each knows the visit after it, and the last one, in one pass.
    back = Window.partitionBy("customer_id").orderBy(F.desc("day"))
    later = back.rowsBetween(Window.unboundedPreceding, -1)
    from_here = back.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    visited = days.where(counted & F.col("customer_id").isNotNull()).select(
        "customer_id",
        "day",
        "net_cents",
        F.when(F.col("visits") > 0, F.col("day")).alias("visit_day"),
    )
    told = visited.select(
        "*",
        F.min("visit_day").over(later).alias("later_visit"),
        F.max("visit_day").over(from_here).alias("last"),
    )
    day, last = F.col("visit_day"), F.col("last")
    after = F.when(day.isNotNull(), F.col("later_visit"))
    in_last_year = F.col("day") > F.date_sub(last, _YEAR)
    of_customer = (
        told.where(last.isNotNull())  # what came after the last visit is no part of its year
        .groupBy("customer_id")
        .agg(
            F.min(day).alias("first_visit"),
            F.min(after).alias("second_visit"),
            F.max(day).alias("last_visit"),
            F.count(day).alias("visit_days"),
            F.percentile(F.datediff(after, day), 0.5).alias("median_gap"),
            F.sum(F.when(in_last_year, F.col("net_cents"))).alias("last_year_cents"),
        )
    )
    return _judged(of_customer, as_of, rules)


def _judged(of_customer: DataFrame, as_of: date, rules: LostRules) -> DataFrame:
    away = days_before(as_of, F.col("last_visit"))
    has_rhythm = F.col("visit_days") >= _LEAST_VISIT_DAYS
    gap = F.when(has_rhythm, F.col("median_gap"))
    most_away = F.greatest(gap * rules.after_gaps, F.lit(float(rules.least_days)))
    is_lost = away > rules.after_days
    days_lost = F.least(away - rules.after_days, F.lit(_YEAR))
    return of_customer.select(
        F.lit(as_of).alias("as_of"),
        "customer_id",
        "first_visit",
        "second_visit",
        "last_visit",
        "visit_days",
        gap.alias("median_gap_days"),
        _status(is_lost).alias("status"),
        F.when(has_rhythm, _status(away > most_away)).alias("status_by_rhythm"),
        "last_year_cents",
        F.when(is_lost, F.col("last_year_cents") / _YEAR * days_lost).alias(
            "missed_opportunity_cents"
        ),
    )


def _status(is_lost: Column) -> Column:
    return F.when(is_lost, F.lit(LOST)).otherwise(F.lit(ACTIVE))


def customer_status(rhythm: DataFrame) -> DataFrame:
    """How many customers are active or lost, and what the lost would have spent.

    Args:
        rhythm: `customer_rhythm`.

    Returns:
        One row per status by days and by rhythm: the columns of `customer_status`.
    """
    # Fractions of cents are added up as decimals: no order of the rows changes their sum.
    missed = F.col("missed_opportunity_cents").cast("decimal(28, 6)")
    return rhythm.groupBy("as_of", "status", "status_by_rhythm").agg(
        F.count(F.lit(1)).alias("customers"),
        F.sum("last_year_cents").alias("last_year_cents"),
        F.sum(missed).cast("double").alias("missed_opportunity_cents"),
    )


def second_purchases(rhythm: DataFrame, as_of: date, within_days: Sequence[int]) -> DataFrame:
    """How soon customers came again, by month of the first visit and of all.

    Args:
        rhythm: `customer_rhythm`.
        as_of: its day.
        within_days: shares of those who came within so many days; of customers only for whom these
            have passed.

    Returns:
        One row per month, and one for all customers (NULL): the columns of `second_purchases`.
    """
    first = F.col("first_visit")
    cohorts = F.array(F.trunc(first, "month"), F.lit(None).cast("date"))
    told = rhythm.select(
        "first_visit",
        F.datediff("second_visit", "first_visit").alias("gap"),
        F.explode(cohorts).alias("cohort"),
    )
    sums: list[Column] = []
    for days in within_days:
        is_eligible = days_before(as_of, first) >= days
        sums += [
            F.count_if(is_eligible).alias(f"eligible_{days}"),
            F.count_if(is_eligible & (F.col("gap") <= days)).alias(f"within_{days}"),
        ]
    grouped = told.groupBy("cohort").agg(
        F.count(F.lit(1)).alias("customers"),
        F.count("gap").alias("came_again"),
        F.percentile("gap", 0.5).alias("days_median"),
        *sums,
    )
    shares = {
        f"share_{days}": F.try_divide(f"within_{days}", f"eligible_{days}") for days in within_days
    }
    return grouped.withColumns({"as_of": F.lit(as_of), **shares})
