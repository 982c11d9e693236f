"""History: what customers did, by day where a window makes it necessary and else by year."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.look_back import EVER, LookBack
from rfm_spark.facts.tables import ADDITIVE
from rfm_spark.ingest.rows.customer_totals import totals_by
from rfm_spark.ingest.tables.receipts import CURRENT, SUPERSEDED


def receipt_history(
    days: DataFrame,
    years: DataFrame,
    described: Collection[date],
    look_backs: Collection[LookBack],
    last_day: date | None = None,
) -> DataFrame:
    """Days of the years that a window divides, and the sums of all other years.

    Of ten years a few are divided: theirs are the only days that are read.

    Args:
        days: `customer_days`.
        years: `customer_years` of the same days.
        described: days that windows end on, each with every look-back.
        look_backs: how far back to look.
        last_day: the last of the days, where it is known: a window that ends on it or later
            divides no year by its end.

    Returns:
        One row per customer and day, or customer and year, guests as NULL: `customer_id`, `day`
        (of a year its first one, which `in_window` includes where it includes all of them), the
        additive sums, `visit_days`, `first_visit`, `last_visit`.
    """
    divided = F.col("year").isin(sorted(_divided_years(described, look_backs, last_day)))
    visit_day = F.when(F.col("visits") > 0, F.col("day"))
    sums = [column.name for column in ADDITIVE]
    of_days = days.where(divided).select(
        "customer_id",
        "day",
        *sums,
        (F.col("visits") > 0).cast("bigint").alias("visit_days"),
        visit_day.alias("first_visit"),
        visit_day.alias("last_visit"),
    )
    whole = ("visit_days", "first_visit", "last_visit")
    of_years = years.where(~divided).select("customer_id", _new_year(), *sums, *whole)
    return of_days.unionByName(of_years)


def totals_history(totals: DataFrame, as_of: date, look_backs: Collection[LookBack]) -> DataFrame:
    """The same of customers who are given as totals, which are one row each.

    Args:
        totals: `customer_totals`.
        as_of: last day of every window.
        look_backs: how far back to look.

    Returns:
        One row per customer whose totals count as of the day, and one per row of totals of a later
        day, which is outside of every window: `customer_id`, `day` (which the totals are of),
        `receipts` (rows: 1), `visits` (orders), `net_cents`, `first_visit`, `last_visit` (NULL in
        totals of a later day).

    Raises:
        ValueError: if a window is asked for: of totals nobody knows what lies in it.
    """
    if windows := sorted(one.label for one in look_backs if one != EVER):
        raise ValueError(f"totals of customers do not tell of the last {windows[0]} days")
    is_current = F.col("status") == CURRENT
    return (
        totals_by(totals, as_of)
        .where(F.col("status") != SUPERSEDED)
        .select(
            "customer_id",
            F.col("as_of").alias("day"),
            F.lit(1).cast("bigint").alias("receipts"),
            F.col("orders").alias("visits"),
            "net_cents",
            F.when(is_current, F.col("first_purchase")).alias("first_visit"),
            F.when(is_current, F.col("last_purchase")).alias("last_visit"),
        )
    )


def event_history(
    event_days: DataFrame,
    event_years: DataFrame,
    described: Collection[date],
    look_backs: Collection[LookBack],
) -> DataFrame:
    """The same of interactions.

    Args:
        event_days: `customer_day_events`.
        event_years: `customer_year_events` of the same days.
        described: days that windows end on, each with every look-back.
        look_backs: how far back to look.

    Returns:
        One row per customer, kind and day, or year: `customer_id`, `day` (of a year its first
        one), `kind`, `events`, `event_value`, `points`, `first_event`, `last_event`.
    """
    divided = F.col("year").isin(sorted(_divided_years(described, look_backs, None)))
    value = F.col("value").alias("event_value")
    sums = ("kind", "events", value, "points")
    of_days = event_days.where(divided).select(
        "customer_id",
        "day",
        *sums,
        F.col("day").alias("first_event"),
        F.col("day").alias("last_event"),
    )
    of_years = event_years.where(~divided).select(
        "customer_id", _new_year(), *sums, "first_event", "last_event"
    )
    return of_days.unionByName(of_years)


def _new_year() -> Column:
    return F.make_date("year", F.lit(1), F.lit(1)).alias("day")


def _divided_years(
    described: Collection[date], look_backs: Collection[LookBack], last_day: date | None
) -> set[int]:
    """Years of which some days are in a window and others are not."""
    firsts = (one.first_day(day) for day in described for one in look_backs)
    last_days = [first - timedelta(days=1) for first in firsts if first is not None]
    ends = {*described, *(one.last_day(day) for day in described for one in look_backs)}
    last_days += [end for end in ends if last_day is None or last_day > end]
    return {day.year for day in last_days if (day.month, day.day) != (12, 31)}
