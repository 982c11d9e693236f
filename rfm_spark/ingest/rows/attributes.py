"""Attributes of customers: delivered fields become typed, checked rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import NullType

from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day
from rfm_spark.ingest.rows.delivered import ATTRIBUTE, known_customer, trimmed_text
from rfm_spark.ingest.rows.rules import reasons, unreadable


def customer_rows(
    rows: DataFrame,
    names: Sequence[str],
    time_zone: str,
    time_format: str | None,
    guest_ids: Collection[str] = (),
) -> DataFrame:
    """Typed attributes with every reason why a row cannot be used.

    Args:
        rows: delivered fields `customer_id`, `valid_from` and `attribute.<name>` for each name.
        names: attribute names.
        time_zone: of the business: whose calendar day an instant is.
        time_format: Spark pattern of a textual `valid_from`; None for ISO 8601.
        guest_ids: customer ids that stand for nobody.

    Returns:
        One row per row: `delivery`, `file`, `raw`, `reasons`, `customer_id`, `valid_from`,
        `attributes` (only those that were delivered).
    """
    kinds = {field.name: field.dataType for field in rows.schema}
    kind = kinds["valid_from"]
    if isinstance(kind, NullType):
        valid_from = F.col("valid_from").cast("date")
    else:
        # A change of address has no business hours; without a zone it is the day as written.
        _, valid_from = instant_and_day(
            F.col("valid_from"), kind, time_format, Calendar(time_zone, 0, time_zone)
        )
    values = [ATTRIBUTE + name for name in names]
    texts = [trimmed_text(F.col(f"`{value}`"), kinds[value]) for value in values]
    entries = [F.struct(F.lit(name), text) for name, text in zip(names, texts, strict=True)]
    known = F.filter(F.array(*entries), lambda entry: entry["col2"].isNotNull())
    customer = known_customer(F.col("customer_id"), kinds["customer_id"], guest_ids)
    rules = {
        "customer_missing": customer.isNull(),
        "valid_from_unreadable": unreadable(F.col("valid_from"), kind, valid_from),
    }
    return rows.select(
        "delivery",
        "file",
        "raw",
        reasons(rules, F.col("turned_away")).alias("reasons"),
        customer.alias("customer_id"),
        valid_from.alias("valid_from"),
        F.map_from_entries(known).alias("attributes"),
    )


def one_per_day(rows: DataFrame) -> DataFrame:
    """Of several rows of a customer, delivery and `valid_from`, the last by their text.

    Args:
        rows: good rows of `customer_rows`.

    Returns:
        One row per `customer_id`, `delivery` and `valid_from`: the columns of `customers`.
    """
    columns = ["customer_id", "delivery", "valid_from", "attributes"]
    return _first(rows.select(*columns), columns[:3], [F.desc(F.to_json("attributes"))])


def latest_attributes(customers: DataFrame, as_of: date) -> DataFrame:
    """The attributes that held on a day.

    Args:
        customers: `customers`.
        as_of: attributes that are valid from a later day are ignored.

    Returns:
        One row per customer with attributes by then: of the latest `valid_from`, then of the
        newest delivery. Attributes without a day count as older than any with one.
    """
    by_then = F.coalesce(F.col("valid_from") <= F.lit(as_of), F.lit(True))
    latest = [F.desc_nulls_last("valid_from"), F.desc("delivery")]
    return _first(customers.where(by_then), ["customer_id"], latest)


def _first(rows: DataFrame, of_each: Sequence[str], order: Sequence[Column]) -> DataFrame:
    place = F.row_number().over(Window.partitionBy(*of_each).orderBy(*order))
    return rows.withColumn("place", place).where(F.col("place") == 1).drop("place")
