"""Counts: how many an audience would be, by segment; without Spark where customers are few."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import functions as F

from rfm_spark.app.audiences.definition import Definition
from rfm_spark.app.audiences.job import chosen_customers, excluded_ids
from rfm_spark.app.audiences.members import HOLDOUT, drawn, without
from rfm_spark.app.lists.job import customers_of_day
from rfm_spark.app.lists.names import checked_condition
from rfm_spark.core.written_conditions import WrittenCondition
from rfm_spark.results.registry import CUSTOMER_360
from rfm_spark.run import Run

_SHOWN = ["customer_id", "segment", "lifetime_revenue_cents"]
FEW_CUSTOMERS = 100_000
"""Up to which a day is counted here: it takes a second or less, as long as Spark needs to start."""


@dataclass(frozen=True)
class SegmentCounts:
    """Customers of one segment who would be in an audience.

    Attributes:
        segment: of the day.
        customers: in all.
        held_out: of these.
        revenue_cents: net amount of all their receipts, up to the day.
    """

    segment: str
    customers: int
    held_out: int
    revenue_cents: int


@dataclass(frozen=True)
class Counts:
    """An audience that is not built yet.

    Attributes:
        segments: of those who would be in it, the largest first, equal ones by name.
        met: customers who meet the condition.
        listed: of these, on exclusion lists.
    """

    segments: list[SegmentCounts]
    met: int
    listed: int


def audience_counts(run: Run, definition: Definition, day: date) -> Counts:
    """Who would be in an audience, counted.

    Raises:
        UserError: if an exclusion list cannot be read.
    """
    return _counted_here(run, definition, day) or _counted_by_spark(run, definition, day)


def _counted_by_spark(run: Run, definition: Definition, day: date) -> Counts:
    rules = definition.rules
    by_segment = (
        chosen_customers(run, definition, day)
        .groupBy("segment")
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.count_if(F.col("audience_group") == HOLDOUT).alias("held_out"),
            F.sum("lifetime_revenue_cents").alias("revenue_cents"),
        )
        .orderBy(F.desc("customers"), "segment")
        .collect()
    )
    segments = [SegmentCounts(**row.asDict()) for row in by_segment]
    if not (rules.exclude or rules.limit):
        return Counts(segments, sum(one.customers for one in segments), 0)
    met = customers_of_day(run, day).where(
        checked_condition(rules.where, definition.names, definition.name)
    )
    all_met = met.count()
    listed = 0
    if rules.exclude:
        listed = all_met - without(met, excluded_ids(run, rules.exclude)).count()
    return Counts(segments, all_met, listed)


def _counted_here(run: Run, definition: Definition, day: date) -> Counts | None:
    """The same of few customers; None where Spark has to count.

    Spark reads exclusion lists, by its expressions for ids, and sorts customers for a limit.
    """
    rules = definition.rules
    if rules.exclude or rules.limit is not None:
        return None
    condition = WrittenCondition(rules.where)
    looked_at = {path[0] for path in condition.paths(definition.names)}
    columns = [*_SHOWN, *sorted(looked_at.difference(_SHOWN))]
    rows = run.warehouse.small_day(CUSTOMER_360, day, columns, FEW_CUSTOMERS)
    if rows is None:
        return None
    met = rows.filter(condition.mask(definition.names, rows)).select(_SHOWN)
    return Counts(_by_segment(met.to_pylist(), definition), len(met), 0)


def _by_segment(customers: list[dict[str, Any]], definition: Definition) -> list[SegmentCounts]:
    sizes, held_out, revenue = Counter[str](), Counter[str](), Counter[str]()
    for one in customers:
        segment = one["segment"]
        sizes[segment] += 1
        draw = drawn(HOLDOUT, definition.name, one["customer_id"])
        held_out[segment] += draw < definition.rules.holdout
        revenue[segment] += one["lifetime_revenue_cents"]
    return [
        SegmentCounts(segment, size, held_out[segment], revenue[segment])
        for segment, size in sorted(sizes.items(), key=lambda one: (-one[1], one[0] or ""))
    ]
