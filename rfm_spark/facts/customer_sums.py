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

_OF_ALL_DAYS = ("customer_id", "first_visit", "receipts", "net_cents")
"""Columns that are the same as of every day."""


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
        first_receipts: `first_receipts`; None where nobody asks how customers were won.
    """

    days: DataFrame
    years: DataFrame
    event_days: DataFrame | None = None
    event_years: DataFrame | None = None
    attributes: DataFrame | None = None
    totals: DataFrame | None = None
    first_receipts: DataFrame | None = None


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
    return sums_as_of(sums_of_days(facts, [as_of], asks, last_day), as_of, asks)


def sums_of_days(
    facts: CustomerFacts,
    days: Sequence[date],
    asks: Sequence[Ask],
    last_day: date | None = None,
) -> DataFrame:
    """The sums of customers as of several days side by side, in one pass over the facts.

    Args:
        facts: days and years.
        days: last days of the windows.
        asks: what is to be known as of each day, no two of the same label and source.
        last_day: the last of `customer_days`, where it is known.

    Returns:
        Rows of `customer_sums`; what depends on the day is there once for each of them, to be
        taken out by `sums_as_of`. Who is known by a later day only has NULL as of an earlier one.
    """
    of_days = [
        column.alias(_column_of_day(name, day))
        for day in days
        for name, column in _measures(asks, day).items()
    ]
    return (
        _history(facts, days, asks, last_day)
        .groupBy("customer_id")
        .agg(
            F.min("first_visit").alias("first_visit"),
            F.sum("receipts").alias("receipts"),
            F.sum("net_cents").alias("net_cents"),
            *of_days,
        )
        .sortWithinPartitions("customer_id")
    )


def sums_as_of(sums: DataFrame, day: date, asks: Sequence[Ask]) -> DataFrame:
    """The `customer_sums` as of one day.

    Args:
        sums: `sums_of_days` with that day and these asks among others.
        day: one of its days.
        asks: what is to be known.
    """
    of_day = [F.col(_column_of_day(name, day)).alias(name) for name in _measures(asks, day)]
    return sums.select(*_OF_ALL_DAYS, *of_day)


def in_population(look_back: LookBack) -> Column:
    """Whether a row of `customer_sums` is a customer who bought in the window."""
    visits = F.coalesce(F.col(f"visits_{look_back.label}"), F.lit(0))
    return F.col("customer_id").isNotNull() & (visits > 0)


def _column_of_day(name: str, day: date) -> str:
    return f"{name}_{day:%Y%m%d}"


def _measures(asks: Sequence[Ask], as_of: date) -> dict[str, Column]:
    """What depends on the day, by its name in `customer_sums`."""
    last_visit = F.max(F.when(F.col("day") <= F.lit(as_of), F.col("last_visit")))
    asked = {
        ask.column(measure): _inside(measure, ask, as_of)
        for ask in asks
        for measure in ask.measures
    }
    return {"last_visit": last_visit, **asked}


def _history(
    facts: CustomerFacts, days: Sequence[date], asks: Sequence[Ask], last_day: date | None
) -> DataFrame:
    def looked_back(source: str) -> list[LookBack]:
        return [ask.look_back for ask in asks if ask.source == source]

    look_backs = looked_back("receipts")
    if facts.totals is not None:
        (day,) = days  # totals as of another day are other rows
        rows = totals_history(facts.totals, day, look_backs)
    else:
        rows = receipt_history(facts.days, facts.years, days, look_backs, last_day)
    if facts.event_days is not None and facts.event_years is not None:
        look_backs = looked_back("interactions")
        events = event_history(facts.event_days, facts.event_years, days, look_backs)
        rows = rows.unionByName(events, allowMissingColumns=True)
    if facts.attributes is not None:
        for day in days:
            held = _attributes_held(facts.attributes, day, asks)
            rows = rows.unionByName(held, allowMissingColumns=True)
    return rows


def _attributes_held(attributes: DataFrame, as_of: date, asks: Sequence[Ask]) -> DataFrame:
    """One row per customer with attributes on a day, and that day."""
    names = {
        measure.removeprefix(ATTRIBUTE)
        for ask in asks
        for measure in ask.measures
        if measure.startswith(ATTRIBUTE)
    }
    return latest_attributes(attributes, as_of).select(
        "customer_id",
        F.lit(as_of).alias("day"),
        F.lit(True).alias("has_attributes"),
        *[F.col("attributes")[name].alias(f"{ATTRIBUTE}{name}") for name in sorted(names)],
    )


def _inside(measure: str, ask: Ask, as_of: date) -> Column:
    # Attributes are of the day they held on, and not of a window.
    of_attributes = ask.source == "attributes"
    condition = (
        F.col("day") == F.lit(as_of) if of_attributes else in_window("day", as_of, ask.look_back)
    )
    if ask.kinds is not None:
        condition &= F.col("kind").isin(list(ask.kinds))
    value = F.when(condition, F.col(measure))
    if measure.startswith("first_"):
        return F.min(value)
    return F.max(value) if measure.startswith(("last_", "has_", ATTRIBUTE)) else F.sum(value)
