"""RFM values of every customer in the population."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.look_back import LookBack, days_before
from rfm_spark.facts.customer_sums import in_population


def window_values(as_of: date, window: LookBack) -> dict[str, Column]:
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


def rfm_values(sums: DataFrame, as_of: date, window: LookBack) -> DataFrame:
    """Recency, frequency and money of every customer who bought in the window.

    Args:
        sums: `customer_sums` as of the same day, with RECEIPT_VALUES of this window among others.
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
