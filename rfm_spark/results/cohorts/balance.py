"""The balance: every cell, and all of them together, must add up before they are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F

from rfm_spark.core.conditions import any_of
from rfm_spark.results.cohorts.followed import Followed
from rfm_spark.results.cohorts.periods import Periods

_GROUP = ("origin", "grain", "kind")


def problems(
    whole: DataFrame,
    found: DataFrame,
    by_day: DataFrame,
    followed: Sequence[Followed],
    periods: Sequence[Periods],
    is_continued: bool = False,
) -> Iterator[str]:
    """What does not add up.

    In every cell: retained + skipped = those active in the period before, once this one has begun
    for all; active <= eligible <= begun <= cohort_size, and with equality on the left nothing is
    lost: active = active_so_far once all are eligible; nobody leaves `active_on_or_after` but those
    active for the last time. Over all cells of an origin and a division of time: sizes add up to
    the members, and events of the activity and money of customers to all that years hold.

    Args:
        whole: `cohorts`.
        found: `cells`, of which `whole` was made.
        by_day: `members_by_day`: told by years, where cells are told by days.
        followed: origins; each must be there.
        periods: divisions of time; each must be there where the origin has members.
        is_continued: whether some periods stand as they were stored: what returns alone took before
            a first visit is in no period, and was proved by the run that followed all days.
    """
    known = _by_key(by_day.groupBy("origin").agg(*_totals()))
    in_cells = _by_key(
        found.groupBy(*_GROUP).agg(
            F.sum("activities").alias("activities"), F.sum("net_cents").alias("net_cents")
        )
    )
    in_cohorts = _by_key(
        _broken(whole)
        .groupBy(*_GROUP)
        .agg(
            F.count_if("is_broken").alias("broken"),
            F.sum(F.when(F.col("period_index") == 0, F.col("cohort_size"))).alias("members"),
        )
    )
    for one, division in product(followed, periods):
        group = (one.origin, division.grain, division.kind)
        at = f"{one.origin} by {division.grain}, {division.kind}"
        totals = known.get((one.origin,))
        cells, cohorts = in_cells.get(group), in_cohorts.get(group)
        if broken := _told(cohorts, "broken"):
            yield f"{at}: {broken:,} cells"
        if (own := _told(cohorts, "members")) != (members := _told(totals, "members")):
            yield f"{at}: sizes add up to {own:,}, of {members:,} members"
        if (own := _told(cells, "activities")) != (events := _told(totals, "activities")):
            yield f"{at}: {own:,} events, of {events:,}"
        own, money = _told(cells, "net_cents"), _told(totals, "net_cents")
        if own != money and not is_continued:
            yield f"{at}: {own:,} in minor units of money, of {money:,}"


def _totals() -> list[Column]:
    is_member = F.col("origin_day").isNotNull()
    return [
        F.sum(F.when(is_member, F.col("members"))).alias("members"),
        F.sum("activities").alias("activities"),
        F.sum("net_cents").alias("net_cents"),
    ]


def _by_key(groups: DataFrame) -> dict[tuple[Any, ...], Row]:
    """A few groups, by what they are grouped by."""
    names = [name for name in _GROUP if name in groups.columns]
    return {tuple(row[name] for name in names): row for row in groups.collect()}


def _told(row: Row | None, name: str) -> int:
    return 0 if row is None or row[name] is None else int(row[name])


def _broken(whole: DataFrame) -> DataFrame:
    order = Window.partitionBy(*_GROUP, "cohort").orderBy("period_index")
    told = whole.withColumns(
        {
            "before": F.coalesce(F.lag("active_so_far").over(order), F.lit(0)),
            "on_or_after": F.lag("active_on_or_after").over(order),
        }
    )
    c = F.col
    states: list[Column] = [
        c("retained") + c("skipped") > c("before"),
        (c("begun") == c("cohort_size")) & (c("retained") + c("skipped") != c("before")),
        (c("retained") < 0) | (c("reactivated") < 0) | (c("skipped") < 0),
        (c("active") > c("eligible")) | (c("eligible") > c("begun")),
        (c("begun") > c("cohort_size")) | (c("active_so_far") > c("begun")),
        (c("active") > c("active_so_far")) | (c("active_so_far") > c("active_on_or_after")),
        (c("eligible") == c("cohort_size")) & (c("active") != c("active_so_far")),
        c("active_on_or_after") > F.coalesce("on_or_after", "cohort_size"),
    ]
    return told.withColumn("is_broken", any_of(states))
