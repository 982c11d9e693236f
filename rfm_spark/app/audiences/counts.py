"""Counts: how many an audience would be, by segment; without Spark where customers are few."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import functions as F

from rfm_spark.app.audiences.definition import Definition
from rfm_spark.app.audiences.job import asks_consent, chosen_customers, unlisted_customers
from rfm_spark.app.audiences.members import HOLDOUT, drawn
from rfm_spark.app.lists.consent import consent_condition, with_consent
from rfm_spark.app.lists.days import customers_of_day, stored_day
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
        without_consent: of the others, who have not agreed to be contacted.
    """

    segments: list[SegmentCounts]
    met: int
    listed: int
    without_consent: int = 0


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
    is_asked = asks_consent(run, definition)
    if not (rules.exclude or rules.limit or is_asked):
        return Counts(segments, sum(one.customers for one in segments), 0)
    met = customers_of_day(run, day).where(
        checked_condition(rules.where, definition.names, definition.name)
    )
    all_met = met.count()
    unlisted = unlisted_customers(run, definition, day)
    all_unlisted = unlisted.count() if rules.exclude else all_met
    willing = with_consent(run, unlisted, day).count() if is_asked else all_unlisted
    return Counts(segments, all_met, all_met - all_unlisted, all_unlisted - willing)


def _counted_here(run: Run, definition: Definition, day: date) -> Counts | None:
    """The same of few customers; None where Spark has to count.

    Spark reads exclusion lists, by its expressions for ids, and sorts customers for a limit.
    """
    rules, names = definition.rules, definition.names
    if rules.exclude or rules.limit is not None:
        return None
    consent = consent_condition(run) if rules.needs_consent else None
    if consent is not None and day != stored_day(run, None):
        return None
    condition = WrittenCondition(rules.where)
    conditions = [condition, *([] if consent is None else [consent])]
    looked_at = {path[0] for one in conditions for path in one.paths(names)}
    columns = [*_SHOWN, *sorted(looked_at.difference(_SHOWN))]
    rows = run.warehouse.small_day(CUSTOMER_360, day, columns, FEW_CUSTOMERS)
    if rows is None:
        return None
    met = rows.filter(condition.mask(names, rows))
    willing = met if consent is None else met.filter(consent.mask(names, met))
    by_segment = _by_segment(willing.select(_SHOWN).to_pylist(), definition)
    return Counts(by_segment, len(met), 0, len(met) - len(willing))


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
