"""Receipt lines: parses and validates delivered rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NullType

from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day
from rfm_spark.ingest.rows.identifiers import (
    id_text,
    identified_customer_id,
    is_inexact_id,
    trimmed_text,
)
from rfm_spark.ingest.rows.money import amount_in_minor_units, price_in_minor_units, to_decimal
from rfm_spark.ingest.rows.rules import (
    TIME_MISSING,
    TIME_UNREADABLE,
    AllowedDays,
    is_missing,
    is_unreadable,
    rejection_reasons,
)
from rfm_spark.ingest.rows.version_order import LAST_OF_ALL, version_order

UNKNOWN_CATEGORY = "unknown"


@dataclass(frozen=True)
class ReceiptRules:
    """Settings by which delivered rows are parsed as receipt lines.

    Attributes:
        calendar: time zones and start of the business day.
        time_format: Spark datetime pattern of text times; None for ISO 8601.
        minor_unit_digits: decimal digits of the currency; 2 for cents.
        guest_ids: customer ids that stand for guests.
        one_row_per_receipt: whether a row is a whole receipt, not a line.
        zero_is_visit: whether a receipt of exactly 0 counts as a visit.
        id_prefix: before every id, which keeps those of several feeds apart.
        days: on which something can have been bought.
    """

    calendar: Calendar
    time_format: str | None
    minor_unit_digits: int
    guest_ids: Collection[str]
    one_row_per_receipt: bool
    zero_is_visit: bool
    id_prefix: str
    days: AllowedDays


def receipt_lines(rows: DataFrame, rules: ReceiptRules) -> DataFrame:
    """Typed receipt lines with all rejection reasons.

    Args:
        rows: one row per raw row: `delivered_fields` with `is_dropped` and the fields
            `receipt_id`, `customer_id`, `time`, `quantity`, `unit_price`, `amount`, `items`,
            `category`, `promotion`, `store_id`, `channel`, `is_return`, `is_void` and `version`; an
            untyped NULL where not mapped.
        rules: settings of the parsing.

    Returns:
        One row per raw row: `delivery`, `file`, `raw`, `is_dropped`, `reasons` (empty for a valid
        line) and the typed fields of a line: `cents` (BIGINT minor units, 0 where unreadable), ...
    """
    data_types = {field.name: field.dataType for field in rows.schema}
    mapped = {name: not isinstance(data_type, NullType) for name, data_type in data_types.items()}
    instant, day = instant_and_day(
        F.col("time"), data_types["time"], rules.time_format, rules.calendar
    )
    typed = rows.withColumns(
        {
            "receipt_key": _receipt_key(data_types["receipt_id"], rules.id_prefix),
            "customer_key": identified_customer_id(
                F.col("customer_id"), data_types["customer_id"], rules.guest_ids
            ),
            "receipt_ts": instant,
            "business_date": day,
            "version_order": version_order(
                F.col("version"), data_types["version"], rules.time_format, rules.calendar
            ),
            "units": to_decimal(F.col("quantity")),
            "signed_cents": amount_in_minor_units(F.col("amount"), rules.minor_unit_digits)
            if mapped["amount"]
            else price_in_minor_units(
                F.col("quantity"), F.col("unit_price"), rules.minor_unit_digits
            ),
        }
    )
    with_sign = typed.withColumn("returned", F.coalesce(_is_return(mapped, rules), F.lit(False)))
    # A delivered amount may be unsigned; a price times a negative quantity has its sign already.
    cents = F.col("signed_cents")
    if mapped["amount"] or mapped["is_return"]:
        cents = F.when(F.col("returned"), -F.abs(cents)).otherwise(cents)
    return with_sign.select(
        "delivery",
        "file",
        "raw",
        "is_dropped",
        rejection_reasons(_line_rules(data_types, mapped, rules), F.col("turned_away")).alias(
            "reasons"
        ),
        F.col("receipt_key").alias("receipt_id"),
        F.col("customer_key").alias("customer_id"),
        "receipt_ts",
        "business_date",
        F.coalesce(cents, F.lit(0)).alias("cents"),
        (F.isnull(cents) & ~_is_void()).alias("is_amount_unknown"),
        _items(mapped, rules).alias("items"),
        F.coalesce(
            trimmed_text(F.col("category"), data_types["category"]), F.lit(UNKNOWN_CATEGORY)
        ).alias("category"),
        F.col("returned").alias("is_return"),
        _is_visit(rules).alias("is_visit"),
        F.coalesce(F.col("promotion").cast("boolean"), F.lit(False)).alias("has_promotion"),
        _is_void().alias("is_void"),
        trimmed_text(F.col("store_id"), data_types["store_id"]).alias("store_id"),
        trimmed_text(F.col("channel"), data_types["channel"]).alias("channel"),
        F.when(_is_version_unreadable(data_types), LAST_OF_ALL)
        .otherwise(F.col("version_order"))
        .alias("version"),
    )


def _receipt_key(data_type: DataType, prefix: str) -> Column:
    key = id_text(F.col("receipt_id"), data_type)
    return F.concat(F.lit(prefix), key) if prefix else key


def _is_version_unreadable(data_types: dict[str, DataType]) -> Column:
    """Also of a row that could not be read: a type that does not fit has left NULL there."""
    unreadable = is_unreadable(F.col("version"), data_types["version"], F.col("version_order"))
    if isinstance(data_types["version"], NullType):
        return unreadable
    return unreadable | (F.col("version").isNull() & (F.col("turned_away") != ""))


def _is_void() -> Column:
    return F.coalesce(F.col("is_void").cast("boolean"), F.lit(False))


def _is_return(mapped: dict[str, bool], rules: ReceiptRules) -> Column:
    if mapped["is_return"]:
        return F.col("is_return").cast("boolean")
    if rules.one_row_per_receipt or not mapped["quantity"]:
        return F.col("signed_cents") < 0
    return F.col("units") < 0


def _is_visit(rules: ReceiptRules) -> Column:
    is_amount_counted = (
        F.col("signed_cents") >= 0 if rules.zero_is_visit else F.col("signed_cents") > 0
    )
    is_nonnegative_quantity = F.coalesce(F.col("units"), F.lit(0)) >= 0
    return F.coalesce(
        is_amount_counted & is_nonnegative_quantity & ~F.col("returned"), F.lit(False)
    )


def _items(mapped: dict[str, bool], rules: ReceiptRules) -> Column:
    """Signed item count of a line; a weighed line (a fractional quantity) is one item."""
    if mapped["items"]:
        count = to_decimal(F.col("items")).try_cast("bigint")
    elif mapped["quantity"]:
        whole_units = F.col("units").try_cast("bigint")
        count = F.when(whole_units == F.col("units"), whole_units).otherwise(
            F.signum("units").cast("bigint")
        )
    else:
        count = F.lit(0 if rules.one_row_per_receipt else 1).cast("bigint")
    return F.coalesce(F.when(F.col("returned"), -F.abs(count)).otherwise(count), F.lit(0))


def _line_rules(
    data_types: dict[str, DataType], mapped: dict[str, bool], rules: ReceiptRules
) -> dict[str, Column]:
    line_rules = {
        "receipt_id_missing": F.col("receipt_key").isNull(),
        **{
            f"{name}_inexact": is_inexact_id(F.col(name), data_types[name])
            for name in ("receipt_id", "customer_id")
        },
        TIME_UNREADABLE: is_unreadable(F.col("time"), data_types["time"], F.col("receipt_ts")),
        **rules.days.rules(F.col("business_date")),
        "version_unreadable": _is_version_unreadable(data_types),
    }
    if rules.one_row_per_receipt:  # a line takes the time of its receipt
        line_rules[TIME_MISSING] = is_missing(F.col("time"), data_types["time"])
    required_fields = ["amount"] if mapped["amount"] else ["quantity", "unit_price"]
    # A row that voids a receipt needs no amount.
    for name in required_fields:
        line_rules[f"{name}_missing"] = ~_is_void() & is_missing(F.col(name), data_types[name])
    for name in ("amount", "quantity", "unit_price", "items"):
        if mapped[name]:
            line_rules[f"{name}_not_a_number"] = is_unreadable(
                F.col(name), data_types[name], to_decimal(F.col(name))
            )
    are_numbers = reduce(and_, [to_decimal(F.col(name)).isNotNull() for name in required_fields])
    line_rules["amount_out_of_range"] = are_numbers & F.col("signed_cents").isNull()
    return line_rules
