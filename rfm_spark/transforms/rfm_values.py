"""RFM values and ratios of every customer in the population."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.transforms.window import Window, days_before, in_window

RATIO_LOW, RATIO_HIGH = 0.01, 100.0
VALUES = ("recency_days", "frequency", "monetary_cents")


@dataclass(frozen=True)
class Population:
    """The customers who bought in a window, in a few numbers; the average one has ratios of 1.

    Attributes:
        customers: how many, at least 1.
        spans: least and greatest of each of VALUES.
        mean_recency: days.
        mean_frequency: visits.
        mean_monetary: minor units, of money that is at least 0.
    """

    customers: int
    spans: Mapping[str, tuple[int, int]]
    mean_recency: float
    mean_frequency: float
    mean_monetary: float


def customer_sums(
    days: DataFrame, years: DataFrame, as_of: date, windows: Collection[Window]
) -> DataFrame:
    """What everybody did inside and outside of every window, in one pass.

    Only of years that a window divides is each day looked at.

    Args:
        days: `customer_days`.
        years: `customer_years` of the same days.
        as_of: last day of every window; days after it are outside of all.
        windows: how far back to look.

    Returns:
        One row per customer with a receipt, and one for all guests, sorted by `customer_id` in
        each partition: `first_visit` (ever), `last_visit` (up to `as_of`), and for each window,
        with its label at the end of their names, `visits`, and `receipts` and `net_cents` of its
        `inside` and `outside`, NULL where there are none.
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
        column
        for window in windows
        for column in _window_sums(in_window("day", as_of, window), window)
    ]
    return (
        of_days.unionByName(of_years)
        .groupBy("customer_id")
        .agg(
            F.min("first_visit").alias("first_visit"),
            F.max(F.when(by_then, F.col("last_visit"))).alias("last_visit"),
            *per_window,
        )
        .sortWithinPartitions("customer_id")
    )


def bought_in(window: Window) -> Column:
    """Whether there is a visit in a window, of rows of `customer_sums`; may be NULL for none."""
    return F.col(f"visits_{window.label}") > 0


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
    return sums.where(F.col("customer_id").isNotNull() & bought_in(window)).select(
        "customer_id",
        "first_visit",
        "last_visit",
        F.col(f"visits_{window.label}").alias("frequency"),
        F.col(f"net_cents_inside_{window.label}").alias("monetary_cents"),
        days_before(as_of, F.col("last_visit")).alias("recency_days"),
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


def population_totals(values: DataFrame) -> DataFrame:
    """What a `Population` is made of; sums are of integers, so they do not depend on row order.

    Args:
        values: from `rfm_values`.

    Returns:
        One row: `customers`, `least_` and `greatest_` of each of VALUES and `sum_` of it, of money
        that is at least 0; NULL but for `customers` where there are none.
    """
    positive = F.greatest(F.col("monetary_cents"), F.lit(0))
    summed = {"monetary_cents": positive, "recency_days": F.col("recency_days").cast("bigint")}
    return values.agg(
        F.count(F.lit(1)).alias("customers"),
        *[F.min(name).alias(f"least_{name}") for name in VALUES],
        *[F.max(name).alias(f"greatest_{name}") for name in VALUES],
        *[F.sum(summed.get(name, F.col(name))).alias(f"sum_{name}") for name in VALUES],
    )


def population_of(totals: Row) -> Population:
    """The row of `population_totals` as a `Population`; there must be a customer."""
    recency, frequency, monetary = (totals[f"sum_{name}"] / totals["customers"] for name in VALUES)
    spans = {name: (totals[f"least_{name}"], totals[f"greatest_{name}"]) for name in VALUES}
    return Population(totals["customers"], spans, recency, frequency, monetary)


def ratios(weights: Sequence[float], population: Population) -> list[Column]:
    """The R, F and M ratios to the average customer and their weighted geometric mean.

    Args:
        weights: of recency, frequency and money in `rfmr_score`.
        population: who the average customer is of.

    Returns:
        Columns over `rfm_values`. Ratios are clipped to [0.01, 100] and rounded to 6 decimals; a
        mean of 0 gives NULL.
    """
    recency = F.lit(population.mean_recency + 1) / (F.col("recency_days") + 1)
    frequency = F.try_divide(F.col("frequency").cast("double"), F.lit(population.mean_frequency))
    money = F.greatest(F.col("monetary_cents"), F.lit(0)).cast("double")
    monetary = F.try_divide(money, F.lit(population.mean_monetary))
    three = [_clipped(ratio) for ratio in (recency, frequency, monetary)]
    logs = [F.log(ratio) * weight for ratio, weight in zip(three, weights, strict=True)]
    weighed = [
        F.when(ratio.isNotNull(), F.lit(weight)).otherwise(F.lit(0.0))
        for ratio, weight in zip(three, weights, strict=True)
    ]
    log_sum = sum((F.coalesce(log, F.lit(0.0)) for log in logs), F.lit(0.0))
    score = F.exp(F.try_divide(log_sum, sum(weighed, F.lit(0.0))))
    names = ("recency_ratio", "frequency_ratio", "monetary_ratio")
    return [
        *[ratio.alias(name) for ratio, name in zip(three, names, strict=True)],
        _rounded(score).alias("rfmr_score"),
    ]


def _divided_years(as_of: date, windows: Collection[Window]) -> set[int]:
    """Years of which some days are in a window and others are not."""
    firsts = [first for window in windows if (first := window.first_day(as_of)) is not None]
    last_days = [as_of, *[first - timedelta(days=1) for first in firsts]]
    return {day.year for day in last_days if (day.month, day.day) != (12, 31)}


def _window_sums(is_inside: Column, window: Window) -> list[Column]:
    label = window.label
    visits = F.sum(F.when(is_inside, F.col("visits"))).alias(f"visits_{label}")
    places = {"inside": is_inside, "outside": ~is_inside}
    return [
        visits,
        *[
            F.sum(F.when(condition, F.col(measure))).alias(f"{measure}_{place}_{label}")
            for place, condition in places.items()
            for measure in ("receipts", "net_cents")
        ],
    ]


def _clipped(ratio: Column) -> Column:
    # greatest() passes over NULL, so a NULL ratio must be kept NULL by hand.
    low, high = F.lit(RATIO_LOW), F.lit(RATIO_HIGH)
    return F.when(ratio.isNotNull(), _rounded(F.least(F.greatest(ratio, low), high)))


def _rounded(ratio: Column) -> Column:
    """To 6 decimals, half up: Spark's own makes a decimal number of every double."""
    return F.floor(ratio * 1e6 + 0.5) / 1e6
