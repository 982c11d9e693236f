"""The cause by which each customer's revenue changes from one window to the next."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.asks import RECEIPTS_EVER, Ask

NEW, REACTIVATED, EXPANDED, CONTRACTED = "new", "reactivated", "expanded", "contracted"
UNCHANGED, LOST, RETURNS, GUESTS = "unchanged", "lost", "returns", "guests"
CAUSES = (NEW, REACTIVATED, EXPANDED, CONTRACTED, UNCHANGED, LOST, RETURNS, GUESTS)

ALL, SEGMENT, COHORT = "all", "segment", "cohort"
BREAKDOWNS = (ALL, SEGMENT, COHORT)

_MEASURES = ("visits", "net_cents")


def window_asks(days: int) -> tuple[Ask, Ask]:
    """The second window, and both together."""
    return Ask(LookBack(days), _MEASURES), Ask(LookBack(2 * days), _MEASURES)


def revenue_bridge(customers: DataFrame, window_days: Sequence[int]) -> DataFrame:
    """Where the change of revenue comes from, for each length of the windows.

    Args:
        customers: `customer_sums` with RECEIPTS_EVER and `window_asks`, guests as NULL, and
            `segment` and `cohort` of each.
        window_days: lengths of the windows.

    Returns:
        One row per window, breakdown, value and cause that somebody has: the columns of
        `revenue_bridge` without `as_of`.
    """
    windows = [_one_window(days) for days in window_days]
    told = customers.select("segment", "cohort", F.inline(F.array(*windows)))
    moved = told.where(F.col("cause").isNotNull())
    groups = [F.struct(F.lit(name).alias("breakdown"), value.alias("value")) for name, value in (
        (ALL, F.lit(None).cast("string")), (SEGMENT, F.col("segment")), (COHORT, F.col("cohort")),
    )]  # fmt: skip
    before, after = F.sum("before_cents"), F.sum("after_cents")
    return (
        moved.select("window_days", "cause", "before_cents", "after_cents",
                     "is_customer", F.inline(F.array(*groups)))
        .groupBy("window_days", "breakdown", "value", "cause")
        .agg(
            F.sum("is_customer").alias("customers"),
            before.alias("revenue_before_cents"),
            after.alias("revenue_cents"),
            (after - before).alias("change_cents"),
        )
    )  # fmt: skip


def _one_window(days: int) -> Column:
    """A customer's cause and money; no cause for who has neither visits nor money in it."""
    second, both = window_asks(days)
    visits, money = _of(second, "visits"), _of(second, "net_cents")
    visits_before = _of(both, "visits") - visits
    money_before = _of(both, "net_cents") - money
    earlier = _of(RECEIPTS_EVER, "visits") - _of(both, "visits")
    came, came_before, change = visits > 0, visits_before > 0, money - money_before
    is_guest = F.col("customer_id").isNull()
    has_money = (money != 0) | (money_before != 0)
    cause = (
        F.when(is_guest & (came | came_before | has_money), F.lit(GUESTS))
        .when(came & came_before & (change > 0), F.lit(EXPANDED))
        .when(came & came_before & (change < 0), F.lit(CONTRACTED))
        .when(came & came_before, F.lit(UNCHANGED))
        .when(came_before, F.lit(LOST))
        .when(came & (earlier > 0), F.lit(REACTIVATED))
        .when(came, F.lit(NEW))
        .when(has_money, F.lit(RETURNS))
    )
    return F.struct(
        F.lit(days).alias("window_days"),
        cause.alias("cause"),
        money_before.alias("before_cents"),
        money.alias("after_cents"),
        (~is_guest).cast("bigint").alias("is_customer"),
    )


def _of(ask: Ask, measure: str) -> Column:
    return F.coalesce(F.col(ask.column(measure)), F.lit(0))
