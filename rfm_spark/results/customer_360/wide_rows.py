"""Everything known of a customer in one row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.facts.asks import EVENTS_EVER, RECEIPTS_EVER
from rfm_spark.ingest.rows.attributes import latest_attributes
from rfm_spark.results.customer_360.tables import LIFETIME_COLUMNS


def last_interactions(event_history: DataFrame, as_of: date) -> DataFrame:
    """When each customer last did what.

    Args:
        event_history: `event_history` as of the same day, of all time.
        as_of: last day that counts.

    Returns:
        One row per customer with an interaction by then: `customer_id`, `last_interactions` (day
        by kind).
    """
    by_kind = (
        event_history.where(F.col("day") <= F.lit(as_of))
        .groupBy("customer_id", "kind")
        .agg(F.max("last_event").alias("last"))
    )
    entries = F.sort_array(F.collect_list(F.struct("kind", "last")))
    return by_kind.groupBy("customer_id").agg(
        F.map_from_entries(entries).alias("last_interactions")
    )


def known_customers(
    sums: DataFrame, attributes: DataFrame, last_by_kind: DataFrame | None, as_of: date
) -> DataFrame:
    """What is known of everybody, whatever results there are.

    Args:
        sums: `customer_sums` as of the same day, with RECEIPTS_EVER and EVENTS_EVER.
        attributes: `customers`.
        last_by_kind: `last_interactions`; None where there are no interactions.
        as_of: last day that counts.

    Returns:
        One row per customer with a receipt or interaction up to as_of, or with attributes:
        `customer_id`, `first_visit`, `last_visit` (NULL for customers who only brought something
        back), `lifetime_visits`, `lifetime_revenue_cents`, `average_receipt_cents`,
        `interactions`, `last_interaction`, `last_interactions`, `attributes`.
    """
    receipts, events = RECEIPTS_EVER.column("receipts"), EVENTS_EVER.column("events")
    known = F.col("customer_id").isNotNull() & F.coalesce(receipts, events).isNotNull()
    held = latest_attributes(attributes, as_of).select("customer_id", "attributes")
    rows = sums.where(known).join(held, "customer_id", "full")
    last = F.lit(None).cast("map<string, date>")
    if last_by_kind is not None:
        rows, last = rows.join(last_by_kind, "customer_id", "left"), F.col("last_interactions")
    first = F.col("first_visit")
    visits = F.coalesce(RECEIPTS_EVER.column("visits"), F.lit(0))
    revenue = F.coalesce(RECEIPTS_EVER.column("net_cents"), F.lit(0))
    return rows.select(
        "customer_id",
        F.when(first <= F.lit(as_of), first).alias("first_visit"),
        "last_visit",
        visits.alias("lifetime_visits"),
        revenue.alias("lifetime_revenue_cents"),
        F.try_divide(revenue, visits).alias("average_receipt_cents"),
        F.coalesce(events, F.lit(0)).alias("interactions"),
        F.col(EVENTS_EVER.column("last_event")).alias("last_interaction"),
        last.alias("last_interactions"),
        "attributes",
    )


def wide_rows(
    known: DataFrame, added: Sequence[tuple[Sequence[Column], DataFrame | None]], as_of: date
) -> DataFrame:
    """Everything known of a customer in one row.

    Args:
        known: `known_customers`.
        added: the columns that each result adds, and its rows: at most one per customer, so that
            no join multiplies rows; None where it needs none.
        as_of: the day described.

    Returns:
        One row per known customer: the columns of `customer_360`.
    """
    rows = known
    for _, own in added:
        if own is not None:
            rows = rows.join(own, "customer_id", "left")
    return rows.select(
        F.lit(as_of).alias("as_of"),
        "customer_id",
        *[column for columns, _ in added for column in columns],
        *[column.name for column in LIFETIME_COLUMNS],
    )
