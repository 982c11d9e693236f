"""Customer 360: everything known of a customer in one row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.tables.columns import RATIOS
from rfm_spark.transforms.attributes import latest_attributes
from rfm_spark.transforms.segments import LAPSED, PROSPECT
from rfm_spark.transforms.window import EVER


@dataclass(frozen=True)
class CustomerSources:
    """The tables a customer's row is put together from.

    Attributes:
        sums: `customer_sums` as of the same day, with VALUE_SUMS of EVER.
        events: `customer_day_events`.
        attributes: `customers`.
        rfm: `rfm` of one profile and as_of.
        clusters: `clusters` of one model and as_of.
        assignments: `cluster_assignments` of the same.
    """

    sums: DataFrame
    events: DataFrame
    attributes: DataFrame
    rfm: DataFrame
    clusters: DataFrame
    assignments: DataFrame


def lifetimes(sums: DataFrame, as_of: date) -> DataFrame:
    """Visits, money and first and last visit up to as_of.

    Args:
        sums: `customer_sums` as of the same day, with VALUE_SUMS of EVER.
        as_of: last day that counts.

    Returns:
        One row per customer with a receipt by then: `lifetime_visits`, `lifetime_revenue_cents`,
        `first_visit`, `last_visit` (NULL for customers who only brought something back).
    """
    first = F.col("first_visit")
    return sums.where(
        F.col("customer_id").isNotNull() & F.col(f"receipts_{EVER.label}").isNotNull()
    ).select(
        "customer_id",
        F.col(f"visits_{EVER.label}").alias("lifetime_visits"),
        F.col(f"net_cents_{EVER.label}").alias("lifetime_revenue_cents"),
        F.when(first <= F.lit(as_of), first).alias("first_visit"),
        "last_visit",
    )


def customer_360(sources: CustomerSources, as_of: date) -> DataFrame:
    """One row per known customer.

    Args:
        sources: the tables; each has at most one row per customer after `lifetimes` and the sums
            of events, so no join multiplies rows.
        as_of: last day that counts.

    Returns:
        One row per customer with a receipt or interaction up to as_of, or with attributes: the
        columns of `customer_360`.
    """
    lifetime = lifetimes(sources.sums, as_of)
    events = (
        sources.events.where((F.col("year") <= as_of.year) & (F.col("day") <= F.lit(as_of)))
        .groupBy("customer_id")
        .agg(F.sum("events").alias("interactions"), F.max("day").alias("last_interaction"))
    )
    attributes = latest_attributes(sources.attributes, as_of).select("customer_id", "attributes")
    scored = sources.rfm.drop("first_visit", "last_visit", "as_of", "profile", "boundary_version")
    named = F.broadcast(sources.clusters.select("cluster", "persona"))
    clustered = sources.assignments.select("customer_id", "cluster").join(named, "cluster", "left")
    known = lifetime.join(events, "customer_id", "full").join(attributes, "customer_id", "full")
    row = known.join(scored, "customer_id", "left").join(clustered, "customer_id", "left")
    visits = F.coalesce("lifetime_visits", F.lit(0))
    revenue = F.coalesce("lifetime_revenue_cents", F.lit(0))
    outside = F.when(visits > 0, LAPSED).otherwise(PROSPECT)
    return row.select(
        F.lit(as_of).alias("as_of"),
        "customer_id",
        F.coalesce("segment", outside).alias("segment"),
        "recency_days",
        "frequency",
        "monetary_cents",
        *[column.name for column in RATIOS],
        "r_score",
        "f_score",
        "m_score",
        "rfm_cell",
        "rfm_total",
        "cluster",
        "persona",
        F.trunc("first_visit", "month").alias("cohort_month"),
        "first_visit",
        "last_visit",
        visits.alias("lifetime_visits"),
        revenue.alias("lifetime_revenue_cents"),
        F.try_divide(revenue, visits).alias("average_receipt_cents"),
        F.coalesce("interactions", F.lit(0)).alias("interactions"),
        "last_interaction",
        "attributes",
    )
