"""Engagement: for how long the members of each cohort stay, and how many are lost by now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.cohorts.periods import CALENDAR, Periods


def engagement(
    by_day: DataFrame, as_of: date, lost_after: int, periods: Sequence[Periods]
) -> DataFrame:
    """How long each cohort's members were active, and who still is.

    Args:
        by_day: `members_by_day`.
        as_of: last day that counts.
        lost_after: days without an activity after which a member is lost.
        periods: divisions of time; each grain of cohorts counts once.

    Returns:
        One row per origin, grain and cohort: the columns of `cohort_engagement`.
    """
    origin, last, members = F.col("origin_day"), F.col("last_day"), F.col("members")
    places = [
        F.struct(
            F.lit(one.grain).alias("grain"), one.cohort_start(one.cohort(origin)).alias("cohort")
        )
        for one in periods
        if one.kind == CALENDAR
    ]
    is_active = F.datediff(F.lit(as_of), last) <= lost_after
    nobody = F.lit(0).cast("bigint")
    told = by_day.where(origin.isNotNull()).select(
        "origin",
        "members",
        F.col("engagement_days").alias("days"),
        F.when(last.isNull(), members).otherwise(nobody).alias("never"),
        F.when(is_active, members).otherwise(nobody).alias("active"),
        F.inline(F.array(*places)),
    )
    came = F.sum(F.when(F.col("days").isNotNull(), members))
    return told.groupBy("origin", "grain", "cohort").agg(
        F.lit(as_of).alias("as_of"),
        F.sum(members).alias("cohort_size"),
        F.sum("active").alias("active"),
        (F.sum(members) - F.sum("active") - F.sum("never")).alias("lost"),
        F.sum("never").alias("never_active"),
        F.percentile("days", 0.5, members).alias("engagement_days_median"),
        F.try_divide(F.sum(F.col("days") * members), came).alias("engagement_days_mean"),
    )
