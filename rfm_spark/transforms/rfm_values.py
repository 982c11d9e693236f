"""RFM values of every customer in the population."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.transforms.history import history
from rfm_spark.transforms.window import Window, days_before, in_window


def customer_sums(
    days: DataFrame,
    years: DataFrame,
    as_of: date,
    windows: Collection[Window],
    last_day: date | None = None,
) -> DataFrame:
    """What everybody did in all and inside of every window, in one pass.

    Args:
        days: `customer_days`.
        years: `customer_years` of the same days.
        as_of: last day of every window; days after it are outside of all.
        windows: how far back to look.
        last_day: the last of the days, where it is known.

    Returns:
        One row per customer with a receipt, and one for all guests, sorted by `customer_id` in
        each partition: `first_visit` (ever), `last_visit` (up to `as_of`), `receipts` and
        `net_cents` of all days, and for each window, with its label at the end of their names,
        `visits`, `receipts` and `net_cents` inside of it, NULL where there are none.
    """
    sums = ("visits", "receipts", "net_cents")
    by_then = F.col("day") <= F.lit(as_of)
    per_window = [
        F.sum(F.when(in_window("day", as_of, window), F.col(name))).alias(f"{name}_{window.label}")
        for window in windows
        for name in sums
    ]
    return (
        history(days, years, as_of, windows, last_day)
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
