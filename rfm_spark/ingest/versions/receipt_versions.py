"""Versions: the lines of one receipt in one delivery are added up into one row."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.business_time import month_name
from rfm_spark.ingest.rows.rules import is_bad, reasons
from rfm_spark.ingest.tables.receipts import CATEGORIES

VERSION = ("delivery", "receipt_id")
EQUAL_LINE = "equal_line_dropped"
REJECTED_BY_ANOTHER_LINE = "another_line_of_the_receipt_rejected"
TWO_CUSTOMERS = "two_customers_on_one_receipt"


def receipt_versions(lines: DataFrame, with_categories: bool) -> DataFrame:
    """One row per receipt and delivery, bad lines counted and not hidden.

    Args:
        lines: from `receipt_lines`; lines without a receipt id and dropped ones are left out.
        with_categories: keep the sums by category.

    Returns:
        One row per `delivery` and `receipt_id`: the columns of `receipts` but status, and
        `rejected_lines`, `two_customers`, `is_void`, `delivered_cents` (of all lines, bad ones
        too), `is_rejected`.
    """
    counted = lines.where(F.col("receipt_id").isNotNull() & ~F.col("is_dropped"))
    named = counted.repartition(*VERSION)
    parts = named.groupBy(*VERSION, "category", *_TEXTS).agg(*_sums())
    return _checked(parts.groupBy(*VERSION).agg(*_merged_sums(with_categories)))


def single_versions(lines: DataFrame, with_categories: bool) -> DataFrame:
    """The same columns, for lines that are whole receipts and come once: nothing to add up."""
    of_category = F.struct("category", "items", F.col("cents").alias("net_cents"))
    return lines.select(
        *VERSION,
        "customer_id",
        "receipt_ts",
        "business_date",
        month_name(F.col("business_date")).alias("month"),
        F.col("cents").alias("net_cents"),
        _gross().alias("gross_cents"),
        "items",
        F.lit(1).alias("lines"),
        "is_visit",
        "is_return",
        "has_promotion",
        "store_id",
        "channel",
        (F.array(of_category) if with_categories else _no_categories()).alias("categories"),
        is_bad().cast("bigint").alias("rejected_lines"),
        F.lit(False).alias("two_customers"),
        "is_void",
        is_bad().alias("is_rejected"),
    )


def rejected_rows(lines: DataFrame, rejected_versions: DataFrame) -> DataFrame:
    """Every raw row that goes to quarantine, with every reason.

    Args:
        lines: from `receipt_lines`.
        rejected_versions: `delivery`, `receipt_id`, `two_customers` of rejected versions; each
            pair once.

    Returns:
        Rows of `lines` that break a rule themselves, are dropped, or belong to a rejected version.
    """
    by_version = rejected_versions.select(*VERSION, "two_customers", F.lit(True).alias("rejected"))
    inherited = F.when(F.col("two_customers"), F.lit(TWO_CUSTOMERS)).when(
        F.col("rejected") & ~is_bad(), F.lit(REJECTED_BY_ANOTHER_LINE)
    )
    dropped = F.when(F.col("is_dropped"), F.lit(EQUAL_LINE))
    return (
        lines.join(by_version, [*VERSION], "left")
        .where(is_bad() | F.col("rejected") | F.col("is_dropped"))
        .withColumn("reasons", reasons({}, F.col("reasons"), inherited, dropped))
        .drop("two_customers", "rejected")
    )


_TEXTS = ("customer_id", "store_id", "channel")
_ADDED = ("cents", "gross_cents", "items", "lines", "rejected_lines")
_LEAST = ("receipt_ts", "business_date")
_ANY = ("is_visit", "is_return", "has_promotion", "is_void")


def _sums() -> list[Column]:
    """Sums of fixed width only: a buffer of text would make Spark sort instead of hash."""
    return [
        F.sum("cents").alias("cents"),
        F.sum(_gross()).alias("gross_cents"),
        F.sum("items").alias("items"),
        F.count(F.lit(1)).alias("lines"),
        F.count_if(is_bad()).alias("rejected_lines"),
        *[F.min(name).alias(name) for name in _LEAST],
        *[F.bool_or(name).alias(name) for name in _ANY],
    ]


def _merged_sums(with_categories: bool) -> list[Column]:
    categories = F.collect_list(F.struct("category", "items", F.col("cents").alias("net_cents")))
    return [
        *[F.sum(name).alias(name) for name in _ADDED],
        *[F.min(name).alias(name) for name in _LEAST],
        *[F.bool_or(name).alias(name) for name in _ANY],
        *[F.collect_set(name).alias(name) for name in _TEXTS],
        (categories if with_categories else F.first(_no_categories())).alias("categories"),
    ]


def _gross() -> Column:
    return F.when(~F.col("is_return"), F.col("cents")).otherwise(F.lit(0))


def _no_categories() -> Column:
    return F.lit(None).cast(CATEGORIES)


def _checked(sums: DataFrame) -> DataFrame:
    two_customers = F.size("customer_id") > 1
    return sums.select(
        *VERSION,
        F.array_min("customer_id").alias("customer_id"),
        "receipt_ts",
        "business_date",
        month_name(F.col("business_date")).alias("month"),
        F.col("cents").alias("net_cents"),
        "gross_cents",
        "items",
        F.col("lines").cast("int").alias("lines"),
        "is_visit",
        "is_return",
        "has_promotion",
        F.array_min("store_id").alias("store_id"),
        F.array_min("channel").alias("channel"),
        _one_each("categories").alias("categories"),
        "rejected_lines",
        two_customers.alias("two_customers"),
        "is_void",
        ((F.col("rejected_lines") > 0) | two_customers).alias("is_rejected"),
    )


def _one_each(categories: str) -> Column:
    """Sums by category, sorted: lines of one category can differ in customer, store or channel."""
    parts = F.col(categories)
    names = F.array_distinct(F.transform(parts, lambda part: part["category"]))

    def whole(name: Column) -> Column:
        same = F.filter(parts, lambda part: part["category"] == name)
        items, cents = _added_up(same, "items"), _added_up(same, "net_cents")
        return F.struct(name.alias("category"), items.alias("items"), cents.alias("net_cents"))

    one_each = F.size(names) == F.size(parts)
    return F.array_sort(F.when(one_each, parts).otherwise(F.transform(names, whole)))


def _added_up(parts: Column, measure: str) -> Column:
    zero = F.lit(0).cast("bigint")
    return F.aggregate(parts, zero, lambda total, part: total + part[measure])
