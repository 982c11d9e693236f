"""Growth: how many customers there are at the end of every period, and why more or fewer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.core.periods import Grain, Weekday, period_number, period_start

NEW, GAP, LAST = "new", "gap", "last"


def turns(history: DataFrame, lost_after: int) -> DataFrame:
    """The days on which customers began, stayed away for long, and were last active.

    A gap of more than a year lies between the last day of a year and the first one of a later
    year, so years tell it: no day inside of them is read.

    Args:
        history: `members.history`.
        lost_after: days without an activity after which a customer is lost; at least 365.

    Returns:
        One row per `turn`, `day` and `until`: `customers`. NEW: the first day. GAP: the last day
        before more than `lost_after` days away, `until` the day of the return. LAST: the last day.
    """
    order = Window.partitionBy("customer_id").orderBy("first_day")
    before = order.rowsBetween(Window.unboundedPreceding, -1)
    first, last_before = F.col("first_day"), F.col("last_before")
    is_first = last_before.isNull()
    is_gap = F.datediff(first, last_before) > lost_after
    told = history.where(first.isNotNull()).select(
        "first_day",
        F.max("last_day").over(before).alias("last_before"),
        F.max("last_day").over(Window.partitionBy("customer_id")).alias("last_ever"),
    )
    return (
        told.where(is_first | is_gap)
        .select(
            "last_ever",
            F.when(is_first, F.lit(NEW)).otherwise(F.lit(GAP)).alias("turn"),
            F.coalesce(last_before, first).alias("day"),
            F.when(is_gap, first).alias("until"),
        )
        .select(F.inline(F.array(_turn(), _last_of_new())))
        .where(F.col("turn").isNotNull())
        .groupBy("turn", "day", "until")
        .agg(F.count(F.lit(1)).alias("customers"))
    )


def _turn() -> Column:
    return F.struct("turn", "day", "until")


def _last_of_new() -> Column:
    """A customer is new once: that row tells the last day as well."""
    is_new = F.col("turn") == NEW
    none = F.lit(None).cast("date")
    return F.struct(
        F.when(is_new, F.lit(LAST)).alias("turn"),
        F.col("last_ever").alias("day"),
        none.alias("until"),
    )


def growth(
    found: DataFrame, as_of: date, lost_after: int, grains: Sequence[Grain], week_start: Weekday
) -> DataFrame:
    """New, reactivated and lost customers by period, and the base at its end.

    States at the ends of periods are compared: who is lost and comes back inside one is neither.

    Args:
        found: `turns`.
        as_of: last day that counts: the end of the period that runs.
        lost_after: as in `turns`; no period is longer.
        grains: lengths of a period.
        week_start: first day of a week.

    Returns:
        One row per grain and period from the first customer's on: the columns of `cohort_growth`.
    """
    by_grain = [_by_grain(found, as_of, lost_after, grain, week_start) for grain in grains]
    return reduce(DataFrame.unionByName, by_grain)


def _by_grain(
    found: DataFrame, as_of: date, lost_after: int, grain: Grain, week_start: Weekday
) -> DataFrame:
    def number(day: Column) -> Column:
        return period_number(day, grain, week_start)

    lost_on = F.date_add("day", lost_after + 1)
    is_new, is_gap = F.col("turn") == NEW, F.col("turn") == GAP
    is_lost = (F.col("turn") == LAST) & (lost_on <= F.lit(as_of))
    is_away = is_gap & (number(lost_on) < number(F.col("until")))
    nobody = F.lit(0).cast("bigint")
    moves = F.array(
        _move(number(F.when(is_new, F.col("day"))), new=F.col("customers")),
        _move(number(F.when(is_away | is_lost, lost_on)), lost=F.col("customers")),
        _move(number(F.when(is_away, F.col("until"))), reactivated=F.col("customers")),
    )
    counts = ("new", "reactivated", "lost")
    by_period = found.select(F.inline(moves)).groupBy("number").agg(
        *[F.sum(name).alias(name) for name in counts]
    )  # fmt: skip
    running = number(F.date_add(F.lit(as_of), 1))
    spine = by_period.where("new > 0").agg(F.min("number").alias("first")).select(
        F.explode(F.sequence("first", number(F.lit(as_of)))).alias("number")
    )  # fmt: skip
    in_order = Window.partitionBy("grain").orderBy("number")  # few: a row for each period
    until_here = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    change = F.col("new") + F.col("reactivated") - F.col("lost")
    start = period_start(F.col("number"), grain, week_start)
    # 52 weeks before: the week that holds the same day a year before begins another weekday.
    year_before = F.col("number") - 52 if grain == "week" else number(F.add_months(start, -12))
    whole = (
        spine.join(by_period.where(F.col("number").isNotNull()), "number", "left")
        .fillna(0, list(counts))
        .withColumn("grain", F.lit(grain))
        .select("grain", "number", *counts, F.sum(change).over(until_here).alias("base"))
    )
    earlier = whole.select(F.col("number").alias("earlier"), F.col("new").alias("new_year_before"))
    return (
        whole.withColumn("earlier", year_before)
        .join(earlier, "earlier", "left")
        .select(
            F.lit(as_of).alias("as_of"),
            "grain",
            start.alias("period"),
            (F.col("number") < running).alias("is_complete"),
            (F.col("base") - change).alias("base_before"),
            *counts,
            "base",
            F.coalesce(F.lag("new").over(in_order), nobody).alias("new_before"),
            "new_year_before",
        )
        .withColumns(
            {
                "new_change": _change("new_before"),
                "new_change_year": _change("new_year_before"),
            }
        )
    )


def _move(number: Column, **customers: Column) -> Column:
    nobody = F.lit(0).cast("bigint")
    counts = [customers.get(name, nobody).alias(name) for name in ("new", "reactivated", "lost")]
    return F.struct(number.alias("number"), *counts)


def _change(before: str) -> Column:
    """Of periods that are over: one that runs cannot be compared with a whole one."""
    return F.when(F.col("is_complete"), F.try_divide(F.col("new") - F.col(before), F.col(before)))


def growth_problems(
    whole: DataFrame, found: DataFrame, as_of: date, lost_after: int
) -> Iterator[str]:
    """What does not add up.

    Every base is a running sum of new + reactivated - lost: none may be below nothing, and the last
    one must be who was active in the last `lost_after` days, which the customers' last days tell by
    themselves.

    Args:
        whole: `growth`.
        found: `turns`, of which `whole` was made.
        as_of: last day that counts.
        lost_after: as in both.
    """
    is_active = (F.col("turn") == LAST) & (F.datediff(F.lit(as_of), "day") <= lost_after)
    active = found.agg(
        F.coalesce(F.sum(F.when(is_active, F.col("customers"))), F.lit(0)).alias("n")
    )
    order = Window.partitionBy("grain").orderBy("period")
    states = whole.select(
        "grain",
        "base",
        F.lead("period").over(order).isNull().alias("is_last"),
    )
    by_grain = states.groupBy("grain").agg(
        F.count_if(F.col("base") < 0).alias("broken"),
        F.max(F.when(F.col("is_last"), F.col("base"))).alias("base"),
    )
    for row in by_grain.crossJoin(active).collect():
        if row["broken"]:
            yield f"growth by {row['grain']}: {row['broken']:,} periods"
        if row["base"] != row["n"]:
            yield f"growth by {row['grain']}: {row['base']:,} at the end, of {row['n']:,} active"
