"""Sums of customers: what everybody did in all and inside of windows, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.look_back import LookBack, in_window
from rfm_spark.facts.asks import ATTRIBUTE, Ask
from rfm_spark.facts.history import event_history, receipt_history, totals_history
from rfm_spark.ingest.rows.attributes import latest_attributes


@dataclass(frozen=True)
class CustomerFacts:
    """The facts that sums are made of.

    Attributes:
        days: `customer_days`.
        years: `customer_years` of the same days.
        event_days: `customer_day_events`; None where no ask is about interactions.
        event_years: `customer_year_events` of the same days; None like them.
        attributes: `customers`; None where no ask is about attributes.
        totals: `customer_totals`, where customers are given as totals in place of receipts.
    """

    days: DataFrame
    years: DataFrame
    event_days: DataFrame | None = None
    event_years: DataFrame | None = None
    attributes: DataFrame | None = None
    totals: DataFrame | None = None


def customer_sums(
    facts: CustomerFacts,
    as_of: date,
    asks: Sequence[Ask],
    last_day: date | None = None,
) -> DataFrame:
    """What everybody did, of which scores, features and lifetimes are all made.

    Args:
        facts: days and years.
        as_of: last day of every window; days after it are outside of all.
        asks: what is to be known, no two of the same label and source.
        last_day: the last of `customer_days`, where it is known.

    Returns:
        One row per customer with a receipt, or with an interaction or attributes where these are
        asked for, and one for all guests, sorted by `customer_id` in each partition:
        `first_visit` (ever),
        `last_visit` (up to `as_of`), `receipts` and `net_cents` of all days (NULL without a
        receipt), and for each ask its measures, named by `Ask.column`; NULL where there are none.
    """
    by_then = F.col("day") <= F.lit(as_of)
    inside = [
        _inside(measure, ask, as_of).alias(ask.column(measure))
        for ask in asks
        for measure in ask.measures
    ]
    return (
        _history(facts, as_of, asks, last_day)
        .groupBy("customer_id")
        .agg(
            F.min("first_visit").alias("first_visit"),
            F.max(F.when(by_then, F.col("last_visit"))).alias("last_visit"),
            F.sum("receipts").alias("receipts"),
            F.sum("net_cents").alias("net_cents"),
            *inside,
        )
        .sortWithinPartitions("customer_id")
    )


def in_population(look_back: LookBack) -> Column:
    """Whether a row of `customer_sums` is a customer who bought in the window."""
    visits = F.coalesce(F.col(f"visits_{look_back.label}"), F.lit(0))
    return F.col("customer_id").isNotNull() & (visits > 0)


def _history(
    facts: CustomerFacts, as_of: date, asks: Sequence[Ask], last_day: date | None
) -> DataFrame:
    def looked_back(source: str) -> list[LookBack]:
        return [ask.look_back for ask in asks if ask.source == source]

    look_backs = looked_back("receipts")
    if facts.totals is not None:
        rows = totals_history(facts.totals, as_of, look_backs)
    else:
        rows = receipt_history(facts.days, facts.years, as_of, look_backs, last_day)
    if facts.event_days is not None and facts.event_years is not None:
        look_backs = looked_back("interactions")
        events = event_history(facts.event_days, facts.event_years, as_of, look_backs)
        rows = rows.unionByName(events, allowMissingColumns=True)
    if facts.attributes is not None:
        names = {
            measure.removeprefix(ATTRIBUTE)
            for ask in asks
            for measure in ask.measures
            if measure.startswith(ATTRIBUTE)
        }
        held = latest_attributes(facts.attributes, as_of).select(
            "customer_id",
            F.lit(as_of).alias("day"),
            F.lit(True).alias("has_attributes"),
            *[F.col("attributes")[name].alias(f"{ATTRIBUTE}{name}") for name in sorted(names)],
        )
        rows = rows.unionByName(held, allowMissingColumns=True)
    return rows


def _inside(measure: str, ask: Ask, as_of: date) -> Column:
    condition = in_window("day", as_of, ask.look_back)
    if ask.kinds is not None:
        condition &= F.col("kind").isin(list(ask.kinds))
    value = F.when(condition, F.col(measure))
    if measure.startswith("first_"):
        return F.min(value)
    return F.max(value) if measure.startswith(("last_", "has_", ATTRIBUTE)) else F.sum(value)
