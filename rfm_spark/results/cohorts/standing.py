"""Cohorts that were stored before, and stand in part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.conditions import any_of
from rfm_spark.results.cohorts.activity import CELL, COUNTS, SUMS
from rfm_spark.results.cohorts.followed import Followed
from rfm_spark.results.cohorts.periods import Periods


@dataclass(frozen=True)
class Standing:
    """Cohorts that were stored before, and stand in part.

    Attributes:
        rows: `cohorts` of one as_of.
        until: periods that end before this day are as they were.
    """

    rows: DataFrame
    until: date


def can_stand(
    followed: Sequence[Followed], periods: Sequence[Periods], cuts: Sequence[str] = ()
) -> bool:
    """Whether periods that are over are told by later days no more.

    Not where what a member did before its own first day is counted, and not where a period must
    reach a sum: who was active last in which period is then told by all days alone. Nor where
    cohorts are cut: another value of an attribute is one of all periods.
    """
    by_events = all(one.begins_with_activity and one.at_least is None for one in followed)
    return by_events and not cuts and not any(one.last_days for one in periods)


def first_day_to_follow(until: date, periods: Sequence[Periods]) -> date:
    """The first day that periods which do not stand can hold, or those before them."""
    return min(one.reaches_back_to(until) for one in periods)


def continued_cells(standing: Standing, later: DataFrame, periods: Sequence[Periods]) -> DataFrame:
    """Cells of which only those that do not stand are followed.

    Args:
        standing: cohorts by the same periods, made of the same days before `standing.until`.
        later: `cells` of the days from `first_day_to_follow` on.
        periods: divisions of time.

    Returns:
        As `cells`; of periods that stand, with rows of zeros where nobody came.
    """
    cohort, index = F.col("cohort"), F.col("period_index")
    stands = any_of(one.is_own & one.ends_before(cohort, index, standing.until) for one in periods)
    return _as_cells(standing.rows, periods).where(stands).unionByName(later.where(~stands))


def _as_cells(stored: DataFrame, periods: Sequence[Periods]) -> DataFrame:
    """The cells that stored cohorts were made of, right of those that stand."""
    told = {
        "visits": "receipts",
        "net_cents": "revenue_cents",
        "promo_visits": "promotion_receipts",
        "active_ended": "active",
        "active_next_begun": "active",
        "came_before": "retained",
    }
    number = F.coalesce(*[F.when(one.is_own, one.cohort(F.col("cohort"))) for one in periods])
    sums = [F.col(told.get(name, name)).alias(name) for name in (*SUMS, *COUNTS[:-1])]
    key = [number.alias(name) if name == "cohort" else name for name in CELL]
    # Who was active last is told by the members' own last days.
    return stored.select(*key, *sums, F.lit(0).cast("bigint").alias(COUNTS[-1]))
