"""Sums of customers: what everybody did in all and inside of windows, in one pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.transforms.history import history
from rfm_spark.transforms.window import Window, in_window

Wanted = Mapping[Window, Collection[str]]
"""By window, which columns of `history` are wanted inside of it: sums, or the first visit."""

VALUE_SUMS = ("receipts", "visits", "net_cents")
HABIT_SUMS = (*VALUE_SUMS, "returns", "items", "promo_visits", "visit_days", "first_visit")


def customer_sums(
    days: DataFrame,
    years: DataFrame,
    as_of: date,
    wanted: Wanted,
    last_day: date | None = None,
) -> DataFrame:
    """What everybody did, of which scores, features and lifetimes are all made.

    Args:
        days: `customer_days`.
        years: `customer_years` of the same days.
        as_of: last day of every window; days after it are outside of all.
        wanted: windows, and what is to be known of each: VALUE_SUMS or HABIT_SUMS.
        last_day: the last of the days, where it is known.

    Returns:
        One row per customer with a receipt, and one for all guests, sorted by `customer_id` in
        each partition: `first_visit` (ever), `last_visit` (up to `as_of`), `receipts` and
        `net_cents` of all days, and for each window what is wanted of it, with the window's label
        at the end of the names: sums, and the first visit inside; NULL where there are none.
    """
    by_then = F.col("day") <= F.lit(as_of)
    inside = [
        _added(name, in_window("day", as_of, window)).alias(f"{name}_{window.label}")
        for window, names in wanted.items()
        for name in names
    ]
    return (
        history(days, years, as_of, wanted, last_day)
        .groupBy("customer_id")
        .agg(
            F.min("first_visit").alias("first_visit"),
            F.max(F.when(by_then, F.col("last_visit"))).alias("last_visit"),
            F.sum("receipts").alias("receipts"),
            F.sum("net_cents").alias("net_cents"),
            *inside,
        )
        .sortWithinPartitions("customer_id")
    )


def in_population(window: Window) -> Column:
    """Whether a row of `customer_sums` is a customer who bought in the window."""
    visits = F.coalesce(F.col(f"visits_{window.label}"), F.lit(0))
    return F.col("customer_id").isNotNull() & (visits > 0)


def _added(name: str, condition: Column) -> Column:
    value = F.when(condition, F.col(name))
    return F.min(value) if name == "first_visit" else F.sum(value)
