"""RFM values of every customer in the population."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.transforms.window import Window, days_before, in_window


def customer_sums(
    days: DataFrame, years: DataFrame, as_of: date, windows: Collection[Window]
) -> DataFrame:
    """What everybody did in all and inside of every window, in one pass.

    Only of years that a window divides is each day looked at.

    Args:
        days: `customer_days`.
        years: `customer_years` of the same days.
        as_of: last day of every window; days after it are outside of all.
        windows: how far back to look.

    Returns:
        One row per customer with a receipt, and one for all guests, sorted by `customer_id` in
        each partition: `first_visit` (ever), `last_visit` (up to `as_of`), `receipts` and
        `net_cents` of all days, and for each window, with its label at the end of their names,
        `visits`, `receipts` and `net_cents` inside of it, NULL where there are none.
    """
    divided = F.col("year").isin(sorted(_divided_years(as_of, windows)))
    visit_day = F.when(F.col("visits") > 0, F.col("day"))
    sums = ("visits", "receipts", "net_cents")
    of_days = days.where(divided).select(
        "customer_id", "day", visit_day.alias("first_visit"), visit_day.alias("last_visit"), *sums
    )
    new_year = F.make_date("year", F.lit(1), F.lit(1)).alias("day")  # stands for all of its days
    of_years = years.where(~divided).select(
        "customer_id", new_year, "first_visit", "last_visit", *sums
    )
    by_then = F.col("day") <= F.lit(as_of)
    per_window = [
        F.sum(F.when(in_window("day", as_of, window), F.col(name))).alias(f"{name}_{window.label}")
        for window in windows
        for name in sums
    ]
    return (
        of_days.unionByName(of_years)
        .groupBy("customer_id")
        .agg(
            F.min("first_visit").alias("first_visit"),
            F.max(F.when(by_then, F.col("last_visit"))).alias("last_visit"),
            F.sum("receipts").alias("receipts"),
            F.sum("net_cents").alias("net_cents"),
            *per_window,
        )
        .sortWithinPartitions("customer_id")
    )


def in_population(window: Window) -> Column:
    """Whether a row of `customer_sums` is a customer who bought in the window."""
    visits = F.coalesce(F.col(f"visits_{window.label}"), F.lit(0))
    return F.col("customer_id").isNotNull() & (visits > 0)


def window_values(as_of: date, window: Window) -> dict[str, Column]:
    """Recency, frequency and money, of a row of `customer_sums` in the window's population.

    Args:
        as_of: last day that counts.
        window: how far back to look.
    """
    return {
        "recency_days": days_before(as_of, F.col("last_visit")),
        "frequency": F.col(f"visits_{window.label}"),
        "monetary_cents": F.col(f"net_cents_{window.label}"),
    }


def rfm_values(sums: DataFrame, as_of: date, window: Window) -> DataFrame:
    """Recency, frequency and money of every customer who bought in the window.

    Args:
        sums: `customer_sums` as of the same day, of this window among others.
        as_of: last day that counts.
        window: how far back to look.

    Returns:
        One row per customer of the `active` population: `recency_days` (whole days, >= 0),
        `frequency` (visits, >= 1), `monetary_cents` (net; can be negative), `first_visit` (ever),
        `last_visit`.
    """
    values = window_values(as_of, window)
    return sums.where(in_population(window)).select(
        "customer_id",
        "first_visit",
        "last_visit",
        *[value.alias(name) for name, value in values.items()],
    )


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


def _divided_years(as_of: date, windows: Collection[Window]) -> set[int]:
    """Years of which some days are in a window and others are not."""
    firsts = [first for window in windows if (first := window.first_day(as_of)) is not None]
    last_days = [as_of, *[first - timedelta(days=1) for first in firsts]]
    return {day.year for day in last_days if (day.month, day.day) != (12, 31)}
