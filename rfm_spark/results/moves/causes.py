"""Causes: why a customer's segment is another one than on an earlier day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Generic, TypeVar

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.rfm.cut_points import CutPoints
from rfm_spark.results.rfm.scores import weighted_total
from rfm_spark.results.rfm.scoring import DIMENSIONS, first_visit_inside, score_columns
from rfm_spark.results.rfm.segments import Grid, segment
from rfm_spark.results.rfm.values import Basis, stored_value

STAYED = "stayed"
ACTIVITY, INACTIVITY, BOUNDARY, BOTH = "activity", "inactivity", "boundary", "both"
RULES, CORRECTION = "rules", "correction"
FIRST, RETURNED, LEFT, MERGED = "first", "returned", "left", "merged"

_VALUES = (*(value for value, _ in DIMENSIONS.values()), "first_visit")
"""Columns that a segment follows from."""

Truth = TypeVar("Truth", Column, bool)


@dataclass(frozen=True)
class ScoredDay:
    """A day of one profile.

    Attributes:
        as_of: the day.
        cuts: cut points by which it was scored.
    """

    as_of: date
    cuts: CutPoints


@dataclass(frozen=True)
class TwoDays:
    """Two days of one profile, and the rules they are compared by.

    Attributes:
        before: the earlier day.
        after: the later one.
        basis: what the profile counts.
        scores: 5 for scores 1..5.
        total_weights: of R, F and M in `rfm_total`, which a grid may name.
        grid: segments.
        have_rules_changed: whether other rules than these made the earlier day.
    """

    before: ScoredDay
    after: ScoredDay
    basis: Basis
    scores: int
    total_weights: Sequence[float]
    grid: Grid
    have_rules_changed: bool = False


@dataclass(frozen=True)
class Comparison(Generic[Truth]):
    """All that a cause is told by: of one customer, or columns of many, where NULL is not so.

    Attributes:
        only_after: not in the population of the earlier day.
        only_before: not in the population of the later day.
        is_merged: is another customer by now, or has taken over from one, who was in the population
            of the earlier day.
        had_event: an event of the profile by the earlier day.
        is_same: the same segment on both days.
        have_rules_changed: between the days.
        is_corrected: the facts of now give other values for the earlier day than are stored.
        by_values: the new values have the new segment by the old cuts already.
        has_acted: an event of the profile after the earlier day.
        by_boundaries: the old values have the new segment by the new cuts.
    """

    only_after: Truth
    only_before: Truth
    is_merged: Truth
    had_event: Truth
    is_same: Truth
    have_rules_changed: Truth
    is_corrected: Truth
    by_values: Truth
    has_acted: Truth
    by_boundaries: Truth


def causes_in_order(found: Comparison[Truth]) -> list[tuple[Truth, str]]:
    """Conditions and their causes: the first that is met counts, and BOTH where none is."""
    return [
        ((found.only_after | found.only_before) & found.is_merged, MERGED),
        (found.only_after & found.had_event, RETURNED),
        (found.only_after, FIRST),
        (found.only_before, LEFT),
        (found.is_same, STAYED),
        (found.have_rules_changed, RULES),
        (found.is_corrected, CORRECTION),
        (found.by_values & found.has_acted, ACTIVITY),
        (found.by_values, INACTIVITY),
        (found.by_boundaries, BOUNDARY),
    ]


def segment_moves(
    before: DataFrame,
    after: DataFrame,
    days: TwoDays,
    today: DataFrame | None = None,
    merged: DataFrame | None = None,
) -> DataFrame:
    """Who moved, and why.

    Args:
        before: `rfm` of the profile on the earlier day.
        after: the same of the later day.
        days: what the two were made by.
        today: `rfm_values` as of the earlier day by the facts as they are now, of everybody who is
            scored or left out by a filter; None where the facts have not changed since that day
            was scored.
        merged: `merged_customers` as they are now; None where nobody is another one.

    Returns:
        One row per `segment_before`, `segment_after` and `cause`: `customers`, `revenue_cents`.
    """
    before, after = (_with_value_units(rows, days.basis) for rows in (before, after))
    # What a customer is like, the place of the window too, goes with a day; only cuts are crossed.
    old = _under(before, days, days.before.as_of, days.after.cuts).select(
        "customer_id",
        F.col("segment").alias("segment_before"),
        F.col("crossed").alias("by_boundaries"),
        F.col("monetary_cents").alias("at_stake"),
        *[F.col(name).alias(f"old_{name}") for name in _VALUES],
    )
    new = _under(after, days, days.after.as_of, days.before.cuts).select(
        "customer_id",
        F.col("segment").alias("segment_after"),
        F.col("crossed").alias("by_values"),
        "recency_days",
        "first_visit",
    )
    both = _with_merges(_with_corrections(old, today).join(new, "customer_id", "full"), old, merged)
    return (
        both.select("segment_before", "segment_after", _cause(days).alias("cause"), "at_stake")
        .groupBy("segment_before", "segment_after", "cause")
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.coalesce(F.sum("at_stake"), F.lit(0)).alias("revenue_cents"),
        )
    )


def _cause(days: TwoDays) -> Column:
    """The first cause that fits, of a row of both days."""
    before, after = F.col("segment_before"), F.col("segment_after")
    span = (days.after.as_of - days.before.as_of).days
    found = Comparison(
        only_after=before.isNull(),
        only_before=after.isNull(),
        is_merged=F.col("is_merged"),
        had_event=F.col("first_visit") <= F.lit(days.before.as_of),
        is_same=before == after,
        have_rules_changed=F.lit(days.have_rules_changed),
        is_corrected=F.col("is_corrected"),
        by_values=F.col("by_values") == after,
        has_acted=F.col("recency_days") < span,
        by_boundaries=F.col("by_boundaries") == after,
    )
    (first, cause), *others = causes_in_order(found)
    chosen = reduce(lambda chain, one: chain.when(*one), others, F.when(first, cause))
    return chosen.otherwise(BOTH)


def _under(rows: DataFrame, days: TwoDays, as_of: date, cuts: CutPoints) -> DataFrame:
    """Rows of `rfm` with `crossed`: the segment that the other day's cuts give them."""
    kept = ("customer_id", "segment", "monetary_cents", *_VALUES)
    scored = rows.select(*kept, *score_columns(days.basis, cuts, days.scores))
    r, f, m = (F.col(name) for _, name in DIMENSIONS.values())
    total = weighted_total(r, f, m, days.total_weights)
    inside = first_visit_inside(days.basis, as_of)
    return scored.select(*kept, segment(days.grid, total, inside).alias("crossed"))


def _with_value_units(rows: DataFrame, basis: Basis) -> DataFrame:
    """Rows of `rfm` with the integers that cuts are in."""
    units = F.round(stored_value() * basis.units_per_value).cast("bigint")
    return rows.withColumn("value_units", units)


def _with_merges(both: DataFrame, old: DataFrame, merged: DataFrame | None) -> DataFrame:
    """With `is_merged`: of those who are another customer by now, and of who that is."""
    if merged is None:
        return both.withColumn("is_merged", F.lit(False))
    gone = old.select("customer_id").join(merged, "customer_id")
    sides = gone.select(F.explode(F.array("customer_id", "merged_into")).alias("customer_id"))
    return both.join(sides.distinct().withColumn("is_merged", F.lit(True)), "customer_id", "left")


def _with_corrections(old: DataFrame, today: DataFrame | None) -> DataFrame:
    """With `is_corrected`: whether the facts of now give a customer other values for that day."""
    if today is None:
        return old.withColumn("is_corrected", F.lit(False))
    found = today.select("customer_id", *_VALUES)
    # Who is not known any more has the values of who has done nothing.
    now = {
        name: F.coalesce(name, F.lit(0)) if name in ("frequency", "value_units") else F.col(name)
        for name in _VALUES
    }
    is_same = [F.col(f"old_{name}").eqNullSafe(now[name]) for name in _VALUES]
    joined = old.join(found, "customer_id", "left")
    return joined.withColumn("is_corrected", ~reduce(Column.__and__, is_same)).drop(*_VALUES)
