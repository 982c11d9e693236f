"""Lines: delivered fields become typed, checked lines of receipts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NullType

from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day
from rfm_spark.ingest.rows.delivered import known_customer, trimmed_text
from rfm_spark.ingest.rows.money import decimal, minor_units
from rfm_spark.ingest.rows.rules import missing, outside_dates, reasons, unreadable

UNKNOWN_CATEGORY = "unknown"


@dataclass(frozen=True)
class ReceiptRules:
    """How delivered rows are read as receipts.

    Attributes:
        calendar: where and when a business day begins.
        time_format: Spark pattern of textual times; None for ISO 8601.
        minor_unit_digits: 2 for cents.
        guest_ids: customer ids that stand for nobody.
        one_row_per_receipt: receipts are given as one row, not as lines.
        zero_is_visit: whether an amount of exactly 0 makes a visit.
        earliest_date: business days before it are errors.
        latest_date: business days after it are errors.
    """

    calendar: Calendar
    time_format: str | None
    minor_unit_digits: int
    guest_ids: Collection[str]
    one_row_per_receipt: bool
    zero_is_visit: bool
    earliest_date: date
    latest_date: date


def receipt_lines(rows: DataFrame, rules: ReceiptRules) -> DataFrame:
    """Typed lines with every reason why one cannot be used.

    Args:
        rows: delivered fields `receipt_id`, `customer_id`, `time`, `quantity`, `unit_price`,
            `amount`, `items`, `category`, `promotion`, `store_id`, `channel`, `is_return` and
            `is_void`, NULL of no type where not mapped; with `delivery`, `file`, `raw`,
            `turned_away` and `is_dropped`.
        rules: how to read them.

    Returns:
        One row per row: `delivery`, `file`, `raw`, `is_dropped`, `reasons` (empty for a good
        line) and the typed fields of a line: `cents` (BIGINT minor units, 0 where unreadable), ...
    """
    kinds = {field.name: field.dataType for field in rows.schema}
    mapped = {name: not isinstance(kind, NullType) for name, kind in kinds.items()}
    instant, day = instant_and_day(F.col("time"), kinds["time"], rules.time_format, rules.calendar)
    quantity = decimal(F.col("quantity"))
    typed = rows.withColumns(
        {
            "receipt_key": trimmed_text(F.col("receipt_id"), kinds["receipt_id"]),
            "customer_key": known_customer(
                F.col("customer_id"), kinds["customer_id"], rules.guest_ids
            ),
            "receipt_ts": instant,
            "business_date": day,
            "units": quantity,
            "money": decimal(F.col("amount"))
            if mapped["amount"]
            else quantity * decimal(F.col("unit_price")),
        }
    )
    signed = typed.withColumns(
        {
            "signed_cents": minor_units(F.col("money"), rules.minor_unit_digits),
            "returned": F.coalesce(_is_return(mapped, rules), F.lit(False)),
        }
    )
    # An amount can come without its sign; a price times a negative quantity has it already.
    lowered = F.col("signed_cents")
    if mapped["amount"] or mapped["is_return"]:
        lowered = F.when(F.col("returned"), -F.abs(lowered)).otherwise(lowered)
    return signed.select(
        "delivery",
        "file",
        "raw",
        "is_dropped",
        reasons(_rules(kinds, mapped, rules), F.col("turned_away")).alias("reasons"),
        F.col("receipt_key").alias("receipt_id"),
        F.col("customer_key").alias("customer_id"),
        "receipt_ts",
        "business_date",
        F.coalesce(lowered, F.lit(0)).alias("cents"),
        _items(mapped, rules).alias("items"),
        F.coalesce(
            trimmed_text(F.col("category"), kinds["category"]), F.lit(UNKNOWN_CATEGORY)
        ).alias("category"),
        F.col("returned").alias("is_return"),
        _is_visit(rules).alias("is_visit"),
        F.coalesce(F.col("promotion").cast("boolean"), F.lit(False)).alias("has_promotion"),
        F.coalesce(F.col("is_void").cast("boolean"), F.lit(False)).alias("is_void"),
        trimmed_text(F.col("store_id"), kinds["store_id"]).alias("store_id"),
        trimmed_text(F.col("channel"), kinds["channel"]).alias("channel"),
    )


def _is_return(mapped: dict[str, bool], rules: ReceiptRules) -> Column:
    if mapped["is_return"]:
        return F.col("is_return").cast("boolean")
    if rules.one_row_per_receipt or not mapped["quantity"]:
        return F.col("signed_cents") < 0
    return F.col("units") < 0


def _is_visit(rules: ReceiptRules) -> Column:
    paid = F.col("signed_cents") >= 0 if rules.zero_is_visit else F.col("signed_cents") > 0
    some = F.coalesce(F.col("units"), F.lit(0)) >= 0
    return F.coalesce(paid & some & ~F.col("returned"), F.lit(False))


def _items(mapped: dict[str, bool], rules: ReceiptRules) -> Column:
    """Whole pieces; a weighed or measured line (a fractional quantity) is one item."""
    if mapped["items"]:
        count = decimal(F.col("items")).try_cast("bigint")
    elif mapped["quantity"]:
        whole = F.col("units").try_cast("bigint")
        count = F.when(whole == F.col("units"), whole).otherwise(F.signum("units").cast("bigint"))
    else:
        count = F.lit(0 if rules.one_row_per_receipt else 1).cast("bigint")
    return F.coalesce(F.when(F.col("returned"), -F.abs(count)).otherwise(count), F.lit(0))


def _rules(
    kinds: dict[str, DataType], mapped: dict[str, bool], rules: ReceiptRules
) -> dict[str, Column]:
    checks = {
        "receipt_id_missing": F.col("receipt_key").isNull(),
        "time_missing": missing(F.col("time"), kinds["time"]),
        "time_unreadable": unreadable(F.col("time"), kinds["time"], F.col("receipt_ts")),
        "date_out_of_range": outside_dates(
            F.col("business_date"), rules.earliest_date, rules.latest_date
        ),
    }
    needed = ["amount"] if mapped["amount"] else ["quantity", "unit_price"]
    # A row that cancels a receipt need not say how much it was.
    counts = ~F.coalesce(F.col("is_void").cast("boolean"), F.lit(False))
    for name in needed:
        checks[f"{name}_missing"] = counts & missing(F.col(name), kinds[name])
    for name in ("amount", "quantity", "unit_price", "items"):
        if mapped[name]:
            checks[f"{name}_not_a_number"] = unreadable(
                F.col(name), kinds[name], decimal(F.col(name))
            )
    checks["amount_out_of_range"] = F.col("money").isNotNull() & F.col("signed_cents").isNull()
    return checks
