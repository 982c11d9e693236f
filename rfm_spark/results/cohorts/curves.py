"""Curves: retention by period over all cohorts that are complete there, and how sure it is."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.cohorts.intervals import wilson


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
