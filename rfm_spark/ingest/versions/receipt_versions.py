"""Receipt versions: aggregates the lines of a receipt in a delivery into one row."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

from rfm_spark.ingest.rows.business_time import year_month
from rfm_spark.ingest.rows.rules import (
    EQUAL_LINE,
    OLDER_VERSION,
    REJECTED_BY_ANOTHER,
    TIME_MISSING,
    TIME_UNREADABLE,
    is_invalid,
    rejection_reasons,
)
from rfm_spark.ingest.tables.receipts import CATEGORIES

VERSION_KEY = ("delivery", "receipt_id")
TWO_CUSTOMERS = "two_customers_on_one_receipt"


def receipt_versions(lines: DataFrame, with_categories: bool, zero_is_visit: bool) -> DataFrame:
    """Receipt versions aggregated from lines; invalid lines are included and counted.

    Args:
        lines: one row per line: `receipt_lines`.
        with_categories: whether to keep the sums by category.
        zero_is_visit: whether a receipt whose lines come to exactly 0 can be a visit.

    Returns:
        One row per `delivery` and `receipt_id`, and, of a receipt that is not rejected, per time at
        which something was brought back after the day of the purchase, or per day where there is no
        purchase: the columns of `receipts` that do not depend on other versions, and
        `rejected_lines`, `dropped_lines`, `two_customers`, `is_untimed` and `is_rejected`. Lines
        that belong to no version, because they have no id or are dropped, are counted in rows whose
        `receipt_id` is NULL: several per delivery.
    """
    has_version = F.col("receipt_id").isNotNull() & ~F.col("is_dropped")
    # Lines of no version would all be of one key, and one task.
    spread = F.when(~has_version, F.xxhash64("customer_id", "receipt_ts", "cents"))
    keyed = lines.withColumns(
        {"receipt_id": F.when(has_version, F.col("receipt_id")), "part": spread}
    )
    partial_sums = (
        keyed.repartition(*VERSION_KEY, "part")
        .groupBy(*VERSION_KEY, "part", _returned_at(), "category", *_SET_COLUMNS)
        .agg(*_partial_aggregates())
    )
    whole = Window.partitionBy(*VERSION_KEY, "part")
    parts = partial_sums.withColumns(
        {
            "returned": _returned_apart(whole),
            # Lines without a customer are of the one that others name, those of returns too.
            "customer_id": F.coalesce("customer_id", F.max("customer_id").over(whole)),
        }
    )
    return _versions_from_sums(
        parts.groupBy(*VERSION_KEY, "part", "returned").agg(*_final_aggregates(with_categories)),
        zero_is_visit,
    )


def _returned_at() -> Column:
    return F.when(F.col("is_return"), F.col("receipt_ts")).alias("returned_at")


def _returned_apart(whole: WindowSpec) -> Column:
    """What tells returns apart from their purchase and from each other, of partial sums.

    The time of lines that were brought back after the last day of the purchase; where the delivery
    has no purchase the day, as lines of one receipt that are minutes apart are one.

    NULL for all other lines, and for those of a receipt that is to be rejected: it is rejected as a
    whole. Lines without a time belong to the purchase, and where there is none to the first return.
    """
    at = F.col("returned_at")
    purchase_day = F.max(F.when(at.isNull(), F.col("last_date"))).over(whole)
    day = F.coalesce("business_date", F.min("business_date").over(whole)).cast("timestamp")
    is_later = F.coalesce(F.col("business_date") > purchase_day, F.lit(True))
    is_right = F.max("rejected_lines").over(whole) == 0
    has_one_customer = F.coalesce(
        F.min("customer_id").over(whole) == F.max("customer_id").over(whole), F.lit(True)
    )
    told = F.when(purchase_day.isNull(), day).otherwise(at)
    return F.when(is_later & is_right & has_one_customer, told)


def rows_to_quarantine(lines: DataFrame, rejected_versions: DataFrame) -> DataFrame:
    """Raw rows that go to quarantine, with all rejection reasons.

    Args:
        lines: one row per raw row: `receipt_lines`.
        rejected_versions: one row per rejected receipt version: `delivery`, `receipt_id`,
            `two_customers`, `is_untimed`.

    Returns:
        One row per raw row that is invalid or dropped, or belongs to a rejected receipt version:
        the columns of `lines`.
    """
    rejected_keys = rejected_versions.select(
        *VERSION_KEY, "two_customers", "is_untimed", F.lit(True).alias("rejected")
    )
    is_unreadable = F.col("reasons").contains(TIME_UNREADABLE)
    time_reason = F.when(F.col("is_untimed") & ~is_unreadable, F.lit(TIME_MISSING))
    version_reason = F.when(F.col("two_customers"), F.lit(TWO_CUSTOMERS)).when(
        F.col("rejected") & ~is_invalid() & time_reason.isNull(), F.lit(REJECTED_BY_ANOTHER)
    )
    dropped_reason = F.when(F.col("is_dropped"), F.lit(EQUAL_LINE))
    told = rejection_reasons({}, F.col("reasons"), time_reason, version_reason, dropped_reason)
    is_older = F.col("reasons") == OLDER_VERSION
    return (
        lines.join(rejected_keys, [*VERSION_KEY], "left")
        .where(is_invalid() | F.col("rejected") | F.col("is_dropped"))
        .withColumn("reasons", F.when(is_older, OLDER_VERSION).otherwise(told))
        .drop("two_customers", "is_untimed", "rejected")
    )


_SET_COLUMNS = ("customer_id", "store_id", "channel")
_SUM_COLUMNS = ("cents", "gross_cents", "items", "lines", "rejected_lines", "dropped_lines")
_MIN_COLUMNS = ("receipt_ts", "business_date")
_ANY_COLUMNS = ("is_visit", "is_return", "has_promotion", "is_void")


def _partial_aggregates() -> list[Column]:
    """First-level aggregates, of fixed width: text buffers would cause a sort-based aggregation."""
    return [
        F.sum("cents").alias("cents"),
        F.sum(gross_cents()).alias("gross_cents"),
        F.sum("items").alias("items"),
        F.count(F.lit(1)).alias("lines"),
        F.count_if(is_invalid() & ~F.col("is_dropped")).alias("rejected_lines"),
        F.count_if("is_dropped").alias("dropped_lines"),
        *[F.min(name).alias(name) for name in _MIN_COLUMNS],
        F.max("business_date").alias("last_date"),
        *[F.bool_or(name).alias(name) for name in _ANY_COLUMNS],
    ]


def _final_aggregates(with_categories: bool) -> list[Column]:
    categories = F.collect_list(F.struct("category", "items", F.col("cents").alias("net_cents")))
    return [
        *[F.sum(name).alias(name) for name in _SUM_COLUMNS],
        *[F.min(name).alias(name) for name in _MIN_COLUMNS],
        *[F.bool_or(name).alias(name) for name in _ANY_COLUMNS],
        *[F.collect_set(name).alias(name) for name in _SET_COLUMNS],
        (categories if with_categories else F.first(no_categories())).alias("categories"),
    ]


def gross_cents() -> Column:
    """Money of a line before returns."""
    return F.when(~F.col("is_return"), F.col("cents")).otherwise(F.lit(0))


def no_categories() -> Column:
    """`categories` where no category is mapped."""
    return F.lit(None).cast(CATEGORIES)


def _versions_from_sums(sums: DataFrame, zero_is_visit: bool) -> DataFrame:
    counts = F.lit(True) if zero_is_visit else F.col("cents") != 0
    two_customers = F.size("customer_id") > 1
    is_untimed = F.col("receipt_ts").isNull()
    return sums.select(
        *VERSION_KEY,
        F.array_min("customer_id").alias("customer_id"),
        "receipt_ts",
        "business_date",
        year_month(F.col("business_date")).alias("month"),
        F.col("cents").alias("net_cents"),
        "gross_cents",
        "items",
        F.col("lines").cast("int").alias("lines"),
        (F.col("is_visit") & counts).alias("is_visit"),
        "is_return",
        "has_promotion",
        F.array_min("store_id").alias("store_id"),
        F.array_min("channel").alias("channel"),
        _category_totals("categories").alias("categories"),
        "rejected_lines",
        "dropped_lines",
        two_customers.alias("two_customers"),
        is_untimed.alias("is_untimed"),
        "is_void",
        ((F.col("rejected_lines") > 0) | two_customers | is_untimed).alias("is_rejected"),
    )


def _category_totals(categories: str) -> Column:
    """Sums by category, sorted by name, from partial sums.

    Lines of one category can differ in customer, store or channel, which makes several parts.
    """
    parts = F.col(categories)
    names = F.array_distinct(F.col(f"{categories}.category"))

    def category_total(name: Column) -> Column:
        parts_of_category = F.filter(parts, lambda part: part["category"] == name)
        items, net_cents = (
            _array_sum(parts_of_category, "items"),
            _array_sum(parts_of_category, "net_cents"),
        )
        return F.struct(name.alias("category"), items.alias("items"), net_cents.alias("net_cents"))

    has_unique_names = F.size(names) == F.size(parts)
    return F.sort_array(
        F.when(has_unique_names, parts).otherwise(F.transform(names, category_total))
    )


def _array_sum(partial_sums: Column, measure: str) -> Column:
    zero = F.lit(0).cast("bigint")
    return F.aggregate(partial_sums, zero, lambda total, part: total + part[measure])
