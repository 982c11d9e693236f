"""First receipts: how every customer was won, and whose first day can have changed."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.receipt_lines import UNKNOWN_CATEGORY
from rfm_spark.ingest.tables.receipts import CURRENT


def first_days(years: DataFrame) -> DataFrame:
    """The day on which each known customer came first.

    Args:
        years: `customer_years`.

    Returns:
        One row per customer with a visit: `customer_id`, `day`.
    """
    came = F.col("customer_id").isNotNull() & F.col("first_visit").isNotNull()
    return years.where(came).groupBy("customer_id").agg(F.min("first_visit").alias("day"))


def first_receipts(receipts: DataFrame, days: DataFrame, tells_promotions: bool) -> DataFrame:
    """The first receipt of each customer: of its first day the earliest visit, then by id.

    Args:
        receipts: versions; only current ones that are visits count.
        days: `first_days`, of all customers or of some.
        tells_promotions: whether receipts say that they had a promotion; else that is unknown.

    Returns:
        One row per customer whose first day has a receipt: the columns of `first_receipts`.
    """
    visits = receipts.where((F.col("status") == CURRENT) & F.col("is_visit"))
    promotion = F.col("has_promotion") if tells_promotions else F.lit(None).cast("boolean")
    context = F.struct("store_id", "channel", promotion.alias("promotion"), "categories")
    first = (
        visits.join(
            days.withColumnRenamed("day", "business_date"), ["customer_id", "business_date"]
        )
        .groupBy("customer_id", "business_date")
        .agg(F.min_by(context, F.struct("receipt_ts", "receipt_id")).alias("first"))
    )
    return first.select(
        "customer_id",
        F.col("business_date").alias("day"),
        F.year("business_date").alias("year"),
        F.col("first.store_id").alias("first_store"),
        F.col("first.channel").alias("first_channel"),
        F.col("first.promotion").alias("first_promotion"),
        _main_category(F.col("first.categories")).alias("first_category"),
    )


def _main_category(categories: Column) -> Column:
    ranked = F.transform(
        categories, lambda one: F.struct((-one["net_cents"]).alias("less"), one["category"])
    )
    return F.nullif(F.array_min(ranked)["category"], F.lit(UNKNOWN_CATEGORY))


def changed_first_days(
    days: DataFrame, years: DataFrame, stored: DataFrame, is_changed: Column
) -> DataFrame:
    """Customers whose first receipt can be another one since some days changed.

    Whoever has a visit on one of these days may have come first on it. Whoever came first on one of
    them may have lost that visit. Nobody else is touched.

    Args:
        days: `customer_days` of the days that changed.
        years: `customer_years`.
        stored: `first_receipts` as they were.
        is_changed: whether a row's `year` and `day` are among these days.

    Returns:
        One row per customer whose first day is one of these, or was: `customer_id`, `day` (NULL
        where no visit is left) and `stored_day` (NULL for who is new).
    """
    came = days.where(F.col("customer_id").isNotNull() & (F.col("visits") > 0))
    asked = came.select("customer_id").unionByName(stored.where(is_changed).select("customer_id"))
    visits = years.select("customer_id", "year", F.col("first_visit").alias("day"))
    place = F.struct("day", F.coalesce(is_changed, F.lit(False)).alias("is_changed"))
    known = visits.where(F.col("day").isNotNull()).select("customer_id", place.alias("first"))
    before = stored.select("customer_id", place.alias("before"))
    found = (
        known.unionByName(before, allowMissingColumns=True)
        .join(asked, "customer_id", "left_semi")
        .groupBy("customer_id")
        .agg(F.min("first").alias("first"), F.min("before").alias("before"))
    )
    return found.where("first.is_changed OR before.is_changed").select(
        "customer_id", F.col("first.day").alias("day"), F.col("before.day").alias("stored_day")
    )
