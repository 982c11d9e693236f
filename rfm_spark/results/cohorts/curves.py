"""Curves: retention by period over all cohorts that are complete there, and how sure it is."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

Z = 1.959963984540054
"""Of the normal distribution: 95 % lie within so many standard deviations."""


def curves(whole: DataFrame) -> DataFrame:
    """Retention pooled over the cohorts that are complete at each period.

    Args:
        whole: `cohorts`.

    Returns:
        One row per origin, grain, kind and period in which a cohort is complete: the columns of
        `cohort_curves`.
    """
    active, eligible = F.col("active"), F.col("eligible")
    low, high = wilson(active, eligible)
    return (
        whole.where("is_complete")
        .groupBy("as_of", "origin", "grain", "kind", "period_index")
        .agg(
            F.count(F.lit(1)).alias("cohorts"),
            F.sum("eligible").alias("eligible"),
            F.sum("active").alias("active"),
            F.sum("revenue_cents").alias("revenue_cents"),
        )
        .select(
            *("as_of", "origin", "grain", "kind", "period_index", "cohorts", "eligible", "active"),
            (active / eligible).alias("retention"),
            low.alias("retention_low"),
            high.alias("retention_high"),
            (F.col("revenue_cents") / eligible).alias("revenue_per_customer_cents"),
        )
    )


def wilson(successes: Column, trials: Column) -> tuple[Column, Column]:
    """Ends of the 95 % interval of a share (Wilson 1927, the score interval); trials above 0."""
    share = successes / trials
    middle = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    spread = F.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials * trials))
    half = Z * spread / (1 + Z**2 / trials)
    # At a share of 0 or 1 an end is the share itself, which sums of fractions can miss by a hair.
    low, high = F.least(middle - half, share), F.greatest(middle + half, share)
    return F.greatest(low, F.lit(0.0)), F.least(high, F.lit(1.0))
