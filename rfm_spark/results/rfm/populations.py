"""Populations: who bought in a window, who did not, and guests, each in a few numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.customer_sums import in_population
from rfm_spark.results.rfm.values import window_values

VALUES = ("recency_days", "frequency", "monetary_cents")
COUNTED = ("receipts", "net_cents")
GUESTS, SCORED, UNSCORED = "guests", "scored", "unscored"
"""Everybody is one of these in a window: who has no id, who is in the population, who is not."""


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


def window_totals(sums: DataFrame, as_of: date, windows: Collection[LookBack]) -> DataFrame:
    """What everybody in a window adds up to.

    Args:
        sums: `customer_sums` as of the same day, with RECEIPT_VALUES of these windows among others.
        as_of: last day that counts.
        windows: how far back to look.

    Returns:
        One row per `window` (its label) and `who` (GUESTS, SCORED, UNSCORED) that has a receipt on
        any day: `receipts` (versions) and `net_cents` of all days, the same with `_inside` at the
        end, and `population_aggregates` (of use where `who` is SCORED).
    """
    in_windows = [
        F.struct(
            F.lit(window.label).alias("window"),
            F.when(F.col("customer_id").isNull(), GUESTS)
            .when(in_population(window), SCORED)
            .otherwise(UNSCORED)
            .alias("who"),
            *COUNTED,
            *[F.col(f"{name}_{window.label}").alias(f"{name}_inside") for name in COUNTED],
            *[value.alias(name) for name, value in window_values(as_of, window).items()],
        )
        for window in windows
    ]
    counted = [name + place for name in COUNTED for place in ("", "_inside")]
    return (
        sums.where(F.col("receipts").isNotNull())  # who did other things only has no place here
        .select(F.inline(F.array(*in_windows)))
        .groupBy("window", "who")
        .agg(
            *[F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in counted],
            *population_aggregates(),
        )
    )


def population_aggregates() -> list[Column]:
    """What a `Population` is made of; sums are of integers, so they do not depend on row order.

    Returns:
        Aggregates over rows of VALUES: `customers`, `least_` and `greatest_` of each value and
        `sum_` of it, of money that is at least 0; NULL but for `customers` where there are none.
    """
    positive = F.greatest(F.col("monetary_cents"), F.lit(0))
    summed = {"monetary_cents": positive, "recency_days": F.col("recency_days").cast("bigint")}
    return [
        F.count(F.lit(1)).alias("customers"),
        *[F.min(name).alias(f"least_{name}") for name in VALUES],
        *[F.max(name).alias(f"greatest_{name}") for name in VALUES],
        *[F.sum(summed.get(name, F.col(name))).alias(f"sum_{name}") for name in VALUES],
    ]


def population_of(totals: Row) -> Population:
    """The row of `population_aggregates` as a `Population`; there must be a customer."""
    recency, frequency, monetary = (totals[f"sum_{name}"] / totals["customers"] for name in VALUES)
    spans = {name: (totals[f"least_{name}"], totals[f"greatest_{name}"]) for name in VALUES}
    return Population(totals["customers"], spans, recency, frequency, monetary)
