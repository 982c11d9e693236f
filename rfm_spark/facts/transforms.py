"""Facts: current receipts and interactions, folded to the grain of a customer's day."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.facts.tables import ADDITIVE
from rfm_spark.ingest.tables.receipts import CURRENT


def customer_days(receipts: DataFrame) -> DataFrame:
    """Additive sums of each customer's day; guests (NULL) are one row a day.

    Args:
        receipts: versions; only current ones count.

    Returns:
        One row per customer and business day with a receipt.
    """
    current = receipts.where(F.col("status") == CURRENT)
    sums = current.groupBy("customer_id", F.col("business_date").alias("day")).agg(
        F.count(F.lit(1)).alias("receipts"),
        _count("is_visit").alias("visits"),
        _count("is_return").alias("returns"),
        F.sum("items").alias("items"),
        F.sum("net_cents").alias("net_cents"),
        F.sum("gross_cents").alias("gross_cents"),
        F.sum((F.col("is_visit") & F.col("has_promotion")).cast("bigint")).alias("promo_visits"),
    )
    return sums.withColumn("year", F.year("day"))  # as a key it would be hashed with every row


def customer_years(days: DataFrame) -> DataFrame:
    """The same sums by calendar year, with the first and last visit.

    Args:
        days: `customer_days` of whole years.

    Returns:
        One row per customer and year with a receipt.
    """
    visit_day = F.when(F.col("visits") > 0, F.col("day"))
    return days.groupBy("customer_id", "year").agg(
        *[F.sum(column.name).alias(column.name) for column in ADDITIVE],
        F.count(visit_day).alias("visit_days"),
        F.min(visit_day).alias("first_visit"),
        F.max(visit_day).alias("last_visit"),
    )


def customer_day_categories(receipts: DataFrame) -> DataFrame:
    """What each customer bought on a day, by product category; guests (NULL) are one row.

    Args:
        receipts: versions; only current ones count; receipts without categories give no rows.

    Returns:
        One row per customer, business day and category.
    """
    current = receipts.where(F.col("status") == CURRENT)
    day = F.col("business_date").alias("day")
    sums = (
        current.select("customer_id", "business_date", F.inline("categories"))
        .groupBy("customer_id", day, "category")
        .agg(F.sum("items").alias("items"), F.sum("net_cents").alias("net_cents"))
    )
    return sums.withColumn("year", F.year("day"))


def customer_day_events(interactions: DataFrame) -> DataFrame:
    """How often, and with what value, each customer did something on a day.

    Args:
        interactions: versions; only current ones count.

    Returns:
        One row per customer, business day and kind.
    """
    current = interactions.where(F.col("status") == CURRENT)
    sums = current.groupBy("customer_id", F.col("business_date").alias("day"), "kind").agg(
        F.count(F.lit(1)).alias("events"),
        F.sum("value").alias("value"),
        F.sum(F.coalesce("value", F.lit(1))).alias("points"),
    )
    return sums.withColumn("year", F.year("day"))


def customer_year_events(event_days: DataFrame) -> DataFrame:
    """The same by calendar year, with the first and last day.

    Args:
        event_days: `customer_day_events` of whole years.

    Returns:
        One row per customer, year and kind.
    """
    return event_days.groupBy("customer_id", "year", "kind").agg(
        F.sum("events").alias("events"),
        F.sum("value").alias("value"),
        F.sum("points").alias("points"),
        F.min("day").alias("first_event"),
        F.max("day").alias("last_event"),
    )


def _count(flag: str) -> Column:
    return F.sum(F.col(flag).cast("bigint"))
