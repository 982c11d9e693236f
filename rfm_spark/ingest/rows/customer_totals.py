"""Customer totals: parses, validates and deduplicates delivered rows, and tells which count."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NullType

from rfm_spark.core.natural_order import natural_order
from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day
from rfm_spark.ingest.rows.identifiers import identified_customer_id, is_inexact_id
from rfm_spark.ingest.rows.money import amount_in_minor_units, to_decimal
from rfm_spark.ingest.rows.repeats import with_repeats_rejected
from rfm_spark.ingest.rows.rules import (
    AllowedDays,
    is_missing,
    is_unreadable,
    rejection_reasons,
)
from rfm_spark.ingest.tables.receipts import CURRENT, SUPERSEDED

_DAYS = ("as_of", "first_purchase", "last_purchase")
_VALUES = ("orders", "cents", "first_purchase", "last_purchase")

LATER = "later"
"""As of a day, the status of totals of a later one."""


@dataclass(frozen=True)
class TotalsRules:
    """Settings by which delivered rows are parsed as totals.

    Attributes:
        calendar: time zones and start of the business day.
        time_format: Spark datetime pattern of text days; None for ISO 8601.
        minor_unit_digits: decimal digits of the currency; 2 for cents.
        guest_ids: customer ids that stand for guests.
        days: on which customers can have bought.
    """

    calendar: Calendar
    time_format: str | None
    minor_unit_digits: int
    guest_ids: Collection[str]
    days: AllowedDays


def totals_rows(rows: DataFrame, rules: TotalsRules) -> DataFrame:
    """Typed totals with all rejection reasons.

    Of equal totals of a customer in a delivery one counts, and the others are EQUAL_LINE; if they
    differ nobody can say which are right, and all of them are rejected.

    Args:
        rows: one row per raw row: `delivered_fields` with `customer_id`, `as_of`, `orders`,
            `last_purchase`, `amount` and `first_purchase` (an untyped NULL where not mapped).
        rules: settings of the parsing.

    Returns:
        One row per raw row: `delivery`, `file`, `raw`, `reasons`, `customer_id`, `as_of`,
        `orders`, `cents` (BIGINT minor units, 0 where unreadable), `is_amount_unknown`,
        `first_purchase`, `last_purchase`.
    """
    types = {field.name: field.dataType for field in rows.schema}
    typed = rows.withColumns(
        {
            "customer_key": identified_customer_id(
                F.col("customer_id"), types["customer_id"], rules.guest_ids
            ),
            **{f"{name}_day": _day(name, types[name], rules) for name in _DAYS},
            "order_number": to_decimal(F.col("orders")),
            "money": to_decimal(F.col("amount")),
        }
    ).withColumns(
        {
            "whole_orders": F.col("order_number").try_cast("bigint"),
            "money_cents": amount_in_minor_units(F.col("amount"), rules.minor_unit_digits),
        }
    )
    broken = {**_number_rules(types), **_day_rules(types, rules)}
    return with_repeats_rejected(
        typed.select(
            "delivery",
            "file",
            "raw",
            rejection_reasons(broken, F.col("turned_away")).alias("reasons"),
            F.col("customer_key").alias("customer_id"),
            F.col("whole_orders").alias("orders"),
            F.coalesce("money_cents", F.lit(0)).alias("cents"),
            F.isnull("money_cents").alias("is_amount_unknown"),
            *[F.col(f"{name}_day").alias(name) for name in _DAYS],
        ),
        key=("customer_id", "as_of"),
        content=F.struct(*_VALUES),
    )


def accepted_totals(rows: DataFrame) -> DataFrame:
    """The columns of `customer_totals`.

    Args:
        rows: valid rows of `totals_rows`.

    Returns:
        One row per customer, delivery and `as_of`.
    """
    return rows.select(
        "customer_id",
        "delivery",
        "as_of",
        "orders",
        F.col("cents").alias("net_cents"),
        "first_purchase",
        "last_purchase",
    )


def totals_by(totals: DataFrame, as_of: date) -> DataFrame:
    """Totals with their `status` as of a day.

    Args:
        totals: the `customer_totals` table: one row per customer, delivery and `as_of`.
        as_of: the day; totals of later days hold what nobody knew by then.

    Returns:
        One row per customer, delivery and `as_of`: all columns, and `status`: LATER for totals of
        a later day; of the others CURRENT for each customer's of the latest day, then of the
        newest delivery, and SUPERSEDED.
    """
    is_by_then = F.col("as_of") <= F.lit(as_of)
    # By the customer alone, so that sums of customers need no other exchange.
    newest_first = Window.partitionBy("customer_id").orderBy(
        F.desc(is_by_then), F.desc("as_of"), F.desc(natural_order(F.col("delivery")))
    )
    status = (
        F.when(~is_by_then, LATER)
        .when(F.row_number().over(newest_first) == 1, CURRENT)
        .otherwise(SUPERSEDED)
    )
    return totals.withColumn("status", status)


def _day(name: str, data_type: DataType, rules: TotalsRules) -> Column:
    if isinstance(data_type, NullType):
        return F.col(name).cast("date")
    _, day = instant_and_day(F.col(name), data_type, rules.time_format, rules.calendar)
    return day


def _number_rules(types: Mapping[str, DataType]) -> dict[str, Column]:
    orders, amount = F.col("orders"), F.col("amount")
    number, money = F.col("order_number"), F.col("money")
    return {
        "customer_missing": F.col("customer_key").isNull(),
        "customer_id_inexact": is_inexact_id(F.col("customer_id"), types["customer_id"]),
        "orders_missing": is_missing(orders, types["orders"]),
        "orders_not_a_number": is_unreadable(orders, types["orders"], number),
        "orders_not_whole": number != F.floor(number),
        "orders_negative": number < 0,
        "amount_missing": is_missing(amount, types["amount"]),
        "amount_not_a_number": is_unreadable(amount, types["amount"], money),
        "amount_out_of_range": money.isNotNull() & F.col("money_cents").isNull(),
    }


def _day_rules(types: Mapping[str, DataType], rules: TotalsRules) -> dict[str, Column]:
    as_of, first, last = (F.col(f"{name}_day") for name in _DAYS)
    orders = F.col("order_number")
    found = {
        "as_of_missing": is_missing(F.col("as_of"), types["as_of"]),
        **{
            f"{name}_unreadable": is_unreadable(F.col(name), types[name], F.col(f"{name}_day"))
            for name in _DAYS
        },
    }
    return {
        **found,
        **rules.days.rules(as_of, first, last),
        "last_purchase_missing": (orders > 0)
        & is_missing(F.col("last_purchase"), types["last_purchase"]),
        "purchase_without_orders": (orders == 0) & F.coalesce(first, last).isNotNull(),
        "last_purchase_after_as_of": last > as_of,
        "first_purchase_after_last": first > last,
    }
