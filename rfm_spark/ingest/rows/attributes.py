"""Customer attributes: parses and validates delivered rows, and tells which hold on a day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NullType

from rfm_spark.core.natural_order import natural_order
from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day
from rfm_spark.ingest.rows.delivered import ATTRIBUTE_PREFIX
from rfm_spark.ingest.rows.identifiers import (
    identified_customer_id,
    is_inexact_id,
    trimmed_text,
)
from rfm_spark.ingest.rows.repeats import with_repeats_rejected
from rfm_spark.ingest.rows.rules import is_unreadable, rejection_reasons


def customer_rows(
    rows: DataFrame,
    names: Sequence[str],
    time_zone: str,
    time_format: str | None,
    guest_ids: Collection[str] = (),
) -> DataFrame:
    """Typed customer attributes with all rejection reasons, those of repeated customers too.

    Args:
        rows: one row per raw row: `delivered_fields` with `customer_id`, `valid_from` and
            `attribute.<name>` for each name.
        names: attribute names.
        time_zone: business time zone, whose calendar day an instant falls on.
        time_format: Spark datetime pattern of a text `valid_from`; None for ISO 8601.
        guest_ids: customer ids that stand for guests.

    Returns:
        One row per raw row: `delivery`, `file`, `raw`, `reasons`, `customer_id`, `valid_from`,
        `attributes` (only those that were delivered).
    """
    data_types = {field.name: field.dataType for field in rows.schema}
    valid_from_type = data_types["valid_from"]
    valid_from = first_valid_day(valid_from_type, time_zone, time_format)
    value_columns = [ATTRIBUTE_PREFIX + name for name in names]
    texts = [trimmed_text(F.col(f"`{name}`"), data_types[name]) for name in value_columns]
    entries = [F.struct(F.lit(name), text) for name, text in zip(names, texts, strict=True)]
    delivered_entries = F.filter(F.array(*entries), lambda entry: entry["col2"].isNotNull())
    customer_id = identified_customer_id(F.col("customer_id"), data_types["customer_id"], guest_ids)
    rules = {
        "customer_missing": customer_id.isNull(),
        "customer_id_inexact": is_inexact_id(F.col("customer_id"), data_types["customer_id"]),
        "valid_from_unreadable": is_unreadable(F.col("valid_from"), valid_from_type, valid_from),
    }
    typed = rows.select(
        "delivery",
        "file",
        "raw",
        rejection_reasons(rules, F.col("turned_away")).alias("reasons"),
        customer_id.alias("customer_id"),
        valid_from.alias("valid_from"),
        F.map_from_entries(delivered_entries).alias("attributes"),
    )
    # Maps have no order; as text, in that of the configuration, they have.
    return with_repeats_rejected(typed, ("customer_id", "valid_from"), F.to_json("attributes"))


def first_valid_day(data_type: DataType, time_zone: str, time_format: str | None) -> Column:
    """The day that `valid_from` is of; NULL where it was not delivered, or cannot be read.

    Args:
        data_type: of the delivered column.
        time_zone: business time zone, whose calendar day an instant falls on.
        time_format: Spark datetime pattern of text; None for ISO 8601.
    """
    delivered = F.col("valid_from")
    if isinstance(data_type, NullType):
        return delivered.cast("date")
    # A change of address has no business hours; without a zone it is the day as written.
    _, day = instant_and_day(delivered, data_type, time_format, Calendar(time_zone, 0, time_zone))
    return day


def accepted_attributes(rows: DataFrame) -> DataFrame:
    """The columns of `customers`.

    Args:
        rows: valid rows of `customer_rows`.

    Returns:
        One row per customer, delivery and `valid_from`.
    """
    return rows.select("customer_id", "delivery", "valid_from", "attributes")


def latest_attributes(customers: DataFrame, as_of: date) -> DataFrame:
    """Customer attributes as of a day.

    Args:
        customers: the `customers` table: one row per customer, delivery and `valid_from`.
        as_of: attributes that are valid from a later day are ignored.

    Returns:
        One row per customer with attributes by then: those of the latest `valid_from`, then of
        the newest delivery. A NULL `valid_from` counts as older than any day.
    """
    is_valid_by_then = F.coalesce(F.col("valid_from") <= F.lit(as_of), F.lit(True))
    return latest_of_customers(customers.where(is_valid_by_then))


def latest_of_customers(rows: DataFrame) -> DataFrame:
    """Of each `customer_id` the row of the latest `valid_from`, then of the newest delivery.

    A NULL `valid_from` counts as older than any day.
    """
    latest_first = Window.partitionBy("customer_id").orderBy(
        F.desc_nulls_last("valid_from"), F.desc(natural_order(F.col("delivery")))
    )
    ranked = rows.withColumn("place", F.row_number().over(latest_first))
    return ranked.where(F.col("place") == 1).drop("place")
