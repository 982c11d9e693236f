"""Features: what is known of each customer's habits, the input of clustering."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.transforms.customer_sums import in_population
from rfm_spark.transforms.window import Window, days_before, in_window, in_years

FEATURES = (
    "recency_days",
    "frequency",
    "monetary_cents",
    "tenure_days",
    "average_receipt_cents",
    "product_range",
    "basket_size",
    "promotion_response",
    "visit_gap_days",
    "return_share",
    "touch_points",
)


def customer_features(
    sums: DataFrame,
    days: DataFrame,
    categories: DataFrame | None,
    events: DataFrame | None,
    as_of: date,
    window: Window,
) -> DataFrame:
    """The habits of every customer who bought in the window.

    Args:
        sums: `customer_sums` as of the same day, with HABIT_SUMS of the window.
        days: `customer_days`; they tell how long all history is.
        categories: `customer_day_categories`; None where the input has none.
        events: `customer_day_events`; None where the input has none.
        as_of: last day that counts.
        window: how far back to look.

    Returns:
        One row per customer: the columns of `customer_features`; a feature that the input does
        not allow is NULL for everybody.
    """
    habits = _habits(sums, window)
    habits = _with_count(habits, categories, F.count_distinct("category"), "product_range",
                         as_of, window)  # fmt: skip
    habits = _with_count(habits, events, F.sum("events"), "touch_points", as_of, window)
    length = _window_days(days, as_of, window)
    return habits.crossJoin(F.broadcast(length)).select(
        F.lit(window.label).alias("window"),
        F.lit(as_of).alias("as_of"),
        "customer_id",
        _number(days_before(as_of, F.col("last_visit"))).alias("recency_days"),
        _number(F.col("visits")).alias("frequency"),
        _number(F.col("net_cents")).alias("monetary_cents"),
        _number(days_before(as_of, F.col("first_visit"))).alias("tenure_days"),
        (F.col("net_cents") / F.col("visits")).alias("average_receipt_cents"),
        _number(F.col("product_range")).alias("product_range"),
        (F.col("items") / F.col("visits")).alias("basket_size"),
        (F.col("promo_visits") / F.col("visits")).alias("promotion_response"),
        _visit_gap().alias("visit_gap_days"),
        (F.col("returns") / F.col("receipts")).alias("return_share"),
        _number(F.col("touch_points")).alias("touch_points"),
    )


def _habits(sums: DataFrame, window: Window) -> DataFrame:
    """What every customer who bought in the window did in it, and the first visit ever."""
    added = ("receipts", "visits", "returns", "items", "net_cents", "promo_visits", "visit_days")
    return sums.where(in_population(window)).select(
        "customer_id",
        "first_visit",  # ever, for any as_of: who bought by then came first by then
        "last_visit",
        F.col(f"first_visit_{window.label}").alias("first_in_window"),
        *[F.col(f"{name}_{window.label}").alias(name) for name in added],
    )


def _in_window(rows: DataFrame, as_of: date, window: Window) -> DataFrame:
    inside = in_years(as_of, window) & in_window("day", as_of, window)
    return rows.where(inside & F.col("customer_id").isNotNull())


def _with_count(
    habits: DataFrame,
    rows: DataFrame | None,
    count: Column,
    name: str,
    as_of: date,
    window: Window,
) -> DataFrame:
    if rows is None:
        return habits.withColumn(name, F.lit(None).cast("bigint"))
    counts = _in_window(rows, as_of, window).groupBy("customer_id").agg(count.alias(name))
    return habits.join(counts, "customer_id", "left").na.fill(0, [name])


def _window_days(days: DataFrame, as_of: date, window: Window) -> DataFrame:
    """One row: the window's length; for all history, the days since the data begin."""
    if window.days is not None:
        return days.sparkSession.range(1).select(F.lit(window.days).alias("window_days"))
    return days.agg((days_before(as_of, F.min("day")) + 1).alias("window_days"))


def _visit_gap() -> Column:
    span = F.datediff("last_visit", "first_in_window")
    gaps = F.col("visit_days") - 1
    return F.when(gaps > 0, span / gaps).otherwise(_number(F.col("window_days")))


def _number(value: Column) -> Column:
    return value.cast("double")
