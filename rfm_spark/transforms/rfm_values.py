"""RFM values and ratios of every customer in the population."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.transforms.window import Window, days_before, in_window, in_years

RATIO_LOW, RATIO_HIGH = 0.01, 100.0


def rfm_values(days: DataFrame, as_of: date, window: Window) -> DataFrame:
    """Recency, frequency and money of every customer who bought in the window.

    Args:
        days: `customer_days`, one row per customer and day.
        as_of: last day that counts; later days are ignored.
        window: how far back to look.

    Returns:
        One row per customer of the `active` population: `recency_days` (whole days, >= 0),
        `frequency` (visits, >= 1), `monetary_cents` (net; can be negative), `last_visit`.
    """
    counted = days.where(in_years(as_of, window) & in_window("day", as_of, window))
    visit_day = F.when(F.col("visits") > 0, F.col("day"))
    return (
        counted.where(F.col("customer_id").isNotNull())
        .groupBy("customer_id")
        .agg(
            F.max(visit_day).alias("last_visit"),
            F.sum("visits").alias("frequency"),
            F.sum("net_cents").alias("monetary_cents"),
        )
        .where(F.col("frequency") > 0)
        .withColumn("recency_days", days_before(as_of, F.col("last_visit")))
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


def population_means(values: DataFrame) -> DataFrame:
    """Means over the population; sums are of integers, so they do not depend on row order.

    Args:
        values: from `rfm_values`.

    Returns:
        One row: `mean_recency`, `mean_frequency`, `mean_monetary` (of money, at least 0).
    """
    customers = F.count(F.lit(1))
    money = F.greatest(F.col("monetary_cents"), F.lit(0))
    return values.agg(
        (F.sum(F.col("recency_days").cast("bigint")) / customers).alias("mean_recency"),
        (F.sum("frequency") / customers).alias("mean_frequency"),
        (F.sum(money) / customers).alias("mean_monetary"),
    )


def ratios(weights: Sequence[float]) -> list[Column]:
    """The R, F and M ratios to the average customer and their weighted geometric mean.

    Args:
        weights: of recency, frequency and money in `rfmr_score`.

    Returns:
        Columns over `rfm_values` with `population_means` beside them. Ratios are clipped to
        [0.01, 100] and rounded to 6 decimals; a mean of 0 gives NULL.
    """
    recency = (F.col("mean_recency") + 1) / (F.col("recency_days") + 1)
    frequency = F.try_divide(F.col("frequency").cast("double"), F.col("mean_frequency"))
    money = F.greatest(F.col("monetary_cents"), F.lit(0)).cast("double")
    monetary = F.try_divide(money, F.col("mean_monetary"))
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
        F.round(score, 6).alias("rfmr_score"),
    ]


def _clipped(ratio: Column) -> Column:
    # greatest() passes over NULL, so a NULL ratio must be kept NULL by hand.
    low, high = F.lit(RATIO_LOW), F.lit(RATIO_HIGH)
    return F.when(ratio.isNotNull(), F.round(F.least(F.greatest(ratio, low), high), 6))
