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


def touched_customers(days: DataFrame, stored: DataFrame, is_changed: Column) -> DataFrame:
    """Customers whose first receipt can be another one since some days changed.

    Whoever has a visit on one of these days may have come first on it, unless the first visit is
    known to lie before. Whoever came first on one of them may have lost that visit. Nobody else is
    touched.

    Args:
        days: `customer_days` of the days that changed.
        stored: `first_receipts` as they were.
        is_changed: whether a row of `stored` is of these days.

    Returns:
        One row per such customer: `customer_id`, `came` (the first of these days with a visit, NULL
        where none has), `stored_day` (NULL for who is new) and `is_lost`: the first visit that is
        left may lie on any later day.
    """
    visits = days.where(F.col("customer_id").isNotNull() & (F.col("visits") > 0))
    came = visits.groupBy("customer_id").agg(F.min("day").alias("came"))
    asked = came.select("customer_id").unionByName(stored.where(is_changed).select("customer_id"))
    before = stored.join(asked, "customer_id", "left_semi").select(
        "customer_id", F.col("day").alias("stored_day"), is_changed.alias("is_changed")
    )
    both = (
        came.unionByName(before, allowMissingColumns=True)
        .groupBy("customer_id")
        .agg(*[F.min(name).alias(name) for name in ("came", "stored_day", "is_changed")])
    )
    comes_first = F.col("stored_day").isNull() | (F.col("came") < F.col("stored_day"))
    stays = F.coalesce(F.col("came") <= F.col("stored_day"), F.lit(False))
    return both.where(comes_first | F.col("is_changed")).select(
        "customer_id",
        "came",
        "stored_day",
        (F.coalesce("is_changed", F.lit(False)) & ~stays).alias("is_lost"),
    )


def changed_first_days(touched: DataFrame, years: DataFrame | None) -> DataFrame:
    """The day on which each touched customer came first.

    No visit before `stored_day` is left but on the days that changed, so that years are asked only
    for whoever lost it.

    Args:
        touched: `touched_customers`.
        years: `customer_years`; None where nobody of them `is_lost`.

    Returns:
        One row per touched customer: `customer_id`, `day` (NULL where no visit is left) and
        `stored_day` (NULL for who is new).
    """
    if years is None:
        return touched.select("customer_id", F.col("came").alias("day"), "stored_day")
    left = years.join(touched.where("is_lost"), "customer_id", "left_semi")
    found = touched.join(first_days(left), "customer_id", "left")
    day = F.when(F.col("is_lost"), F.col("day")).otherwise(F.col("came")).alias("day")
    return found.select("customer_id", day, "stored_day")
