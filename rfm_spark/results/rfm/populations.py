"""Populations: who is scored, who is not, and guests, each in a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.results.rfm.values import Basis

VALUES = ("recency_days", "frequency", "value_units")
COUNTED = ("receipts", "net_cents")
_HALF = 32
"""Bits of a value that are added up apart from those above them."""

GUESTS, SCORED, UNSCORED = "guests", "scored", "unscored"
"""Everybody is one of these in a profile: who has no id, who is in the population, who is not."""


class ProfileDay(NamedTuple):
    """What is scored at a time: the customers of one profile as of one day."""

    profile: str
    as_of: date


@dataclass(frozen=True)
class Population:
    """The customers a profile scores, in a few numbers; the average one has ratios of 1.

    Attributes:
        customers: how many, at least 1.
        counted: those with an event in the window; all numbers below are of these.
        spans: least and greatest of each of VALUES; NULL where nobody is counted.
        mean_recency: days.
        mean_frequency: visits, or weights.
        mean_value: units of the value, of those that are at least 0.
    """

    customers: int
    counted: int
    spans: Mapping[str, tuple[int, int]]
    mean_recency: float
    mean_frequency: float
    mean_value: float


def population_totals(sums: Mapping[date, DataFrame], bases: Mapping[str, Basis]) -> DataFrame:
    """What everybody adds up to in each profile, on each day.

    Args:
        sums: by day, `customer_sums` as of that day, with the asks of the bases among others.
        bases: by profile.

    Returns:
        One row per `as_of`, `profile` and `who` (GUESTS, SCORED, UNSCORED): `receipts` (versions)
        and `net_cents` of all days, the same with `_inside` at the end for those in the window,
        `events_inside` (interactions of the profile in the window), `buyers` and `buyers_outside`
        (customers with receipts, and with none in the window), and `population_aggregates`
        (of use where `who` is SCORED).
    """
    has_inside = F.coalesce(F.col("receipts_inside") > 0, F.lit(False))
    of_days = [_of_profiles(of_day, as_of, bases) for as_of, of_day in sums.items()]
    counted = [*[name + place for name in COUNTED for place in ("", "_inside")], "events_inside"]
    return (
        reduce(DataFrame.unionByName, of_days)
        .groupBy("as_of", "profile", "who")
        .agg(
            *[F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in counted],
            F.count_if(F.col("receipts") > 0).alias("buyers"),
            F.count_if((F.col("receipts") > 0) & ~has_inside).alias("buyers_outside"),
            *population_aggregates(),
        )
    )


def _of_profiles(sums: DataFrame, as_of: date, bases: Mapping[str, Basis]) -> DataFrame:
    """Everybody once for each profile, with what adds up."""
    of_profiles = [
        F.struct(
            F.lit(as_of).alias("as_of"),
            F.lit(name).alias("profile"),
            F.when(F.col("customer_id").isNull(), GUESTS)
            .when(basis.in_population(as_of), SCORED)
            .otherwise(UNSCORED)
            .alias("who"),
            *COUNTED,
            *[F.col(f"{one}_{basis.window.label}").alias(f"{one}_inside") for one in COUNTED],
            basis.events_inside().alias("events_inside"),
            *[
                F.when(basis.is_counted(), value).alias(value_name)
                for value_name, value in basis.values(as_of).items()
            ],
        )
        for name, basis in bases.items()
    ]
    return sums.select(F.inline(F.array(*of_profiles)))


def population_aggregates() -> list[Column]:
    """What a `Population` is made of; sums are of integers, so they do not depend on row order.

    Returns:
        Aggregates over rows of VALUES, NULL for who is not counted: `customers`, `counted`,
        `least_` and `greatest_` of each value and `sum_` of it, of `value_units` that are at
        least 0 in two halves, because all of them can be more than a BIGINT holds: NULL where
        nobody is counted. `too_large`: counted ones whose value a BIGINT cannot hold.
    """
    value = F.col("value_units")
    positive = F.when(value.isNotNull(), F.greatest(value, F.lit(0)))
    summed = {
        "recency_days": F.col("recency_days").cast("bigint"),
        "frequency": F.col("frequency"),
        "value_high": F.shiftright(positive, _HALF),
        "value_low": positive.bitwiseAND(2**_HALF - 1),
    }
    counted = F.count("recency_days")
    return [
        F.count(F.lit(1)).alias("customers"),
        counted.alias("counted"),
        (counted - F.count("value_units")).alias("too_large"),
        *[F.min(name).alias(f"least_{name}") for name in VALUES],
        *[F.max(name).alias(f"greatest_{name}") for name in VALUES],
        *[F.sum(column).alias(f"sum_{name}") for name, column in summed.items()],
    ]


def population_of(totals: Row) -> Population:
    """The row of `population_aggregates` as a `Population`; there must be a customer."""
    counted = totals["counted"]
    summed = {name: totals[f"sum_{name}"] or 0 for name in (*VALUES[:2], "value_high", "value_low")}
    value = (summed.pop("value_high") << _HALF) + summed.pop("value_low")
    means = (total / max(counted, 1) for total in (*summed.values(), value))
    spans = {name: (totals[f"least_{name}"], totals[f"greatest_{name}"]) for name in VALUES}
    return Population(totals["customers"], counted, spans, *means)
