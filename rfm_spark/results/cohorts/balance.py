"""The balance: every cell, and all of them together, must add up before they are written."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.core.conditions import any_of

_GROUP = ("origin", "grain", "kind")


def problems(whole: DataFrame, found: DataFrame, by_day: DataFrame) -> Iterator[str]:
    """What does not add up.

    In every cell: new + retained + reactivated = active_so_far; retained + skipped = those active
    in the period before, once this one has begun for all; active <= eligible <= begun <=
    cohort_size, and with equality on the left nothing
    is lost: active = active_so_far once all are eligible; nobody leaves `active_on_or_after` but
    those active for the last time. Over all cells of an origin and a division of time: sizes add up
    to the members, and events of the activity to all that the years of customers hold.

    Args:
        whole: `cohorts`.
        found: `cells`, of which `whole` was made.
        by_day: `members_by_day`: told by years, where cells are told by days.
    """
    members = by_day.groupBy("origin").agg(
        F.coalesce(F.sum(F.when(F.col("origin_day").isNotNull(), F.col("members"))), F.lit(0))
        .alias("members"),
        F.sum("activities").alias("activities"),
    )  # fmt: skip
    in_cells = found.groupBy(*_GROUP).agg(F.sum("activities").alias("in_cells"))
    by_group = (
        _broken(whole)
        .groupBy(*_GROUP)
        .agg(
            F.count_if("is_broken").alias("broken"),
            F.sum(F.when(F.col("period_index") == 0, F.col("cohort_size"))).alias("sizes"),
        )
        .join(in_cells, [*_GROUP], "full")
        .join(members, "origin")
    )
    for row in by_group.collect():
        at = f"{row['origin']} by {row['grain']}, {row['kind']}"
        if row["broken"]:
            yield f"{at}: {row['broken']:,} cells"
        if (row["sizes"] or 0) != row["members"]:
            yield f"{at}: sizes add up to {row['sizes'] or 0:,}, of {row['members']:,} members"
        if (row["in_cells"] or 0) != row["activities"]:
            yield f"{at}: {row['in_cells'] or 0:,} events, of {row['activities']:,}"


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
        c("new") + c("retained") + c("reactivated") != c("active_so_far"),
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
