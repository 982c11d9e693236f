"""Interactions and attributes: delivered fields become typed, checked rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import NullType

from rfm_spark.quality.rules import missing, outside_dates, reasons, unreadable
from rfm_spark.transforms.business_time import Calendar, instant_and_day
from rfm_spark.transforms.delivered import trimmed_text
from rfm_spark.transforms.money import decimal

NOT_STORED = ("file", "raw", "reasons")


def interaction_rows(
    rows: DataFrame,
    source: str,
    calendar: Calendar,
    time_format: str | None,
    dates: tuple[date, date],
    guest_ids: Collection[str] = (),
) -> DataFrame:
    """Typed interactions with every reason why one cannot be used.

    Args:
        rows: delivered fields `interaction_id`, `customer_id`, `kind`, `time`, `value`.
        source: name of the configured source: ids of two sources never meet.
        calendar: where and when a business day begins.
        time_format: Spark pattern of textual times; None for ISO 8601.
        dates: earliest and latest business day that can be true.
        guest_ids: customer ids that stand for nobody.

    Returns:
        One row per row: `delivery`, `file`, `raw`, `reasons` and the columns of `interactions`
        but status. Without an id of its own an interaction is known by all its fields.
    """
    kinds = {field.name: field.dataType for field in rows.schema}
    instant, day = instant_and_day(F.col("time"), kinds["time"], time_format, calendar)
    customer = trimmed_text(F.col("customer_id"))
    typed = rows.withColumns(
        {
            "customer_key": F.when(~customer.isin(*guest_ids), customer) if guest_ids else customer,
            "kind_name": trimmed_text(F.col("kind")),
            "interaction_ts": instant,
            "business_date": day,
            "number": decimal(F.col("value")),
        }
    )
    fields = F.struct("customer_key", "kind_name", "interaction_ts", "number")
    by_itself = isinstance(kinds["interaction_id"], NullType)
    own_id = F.md5(F.to_json(fields)) if by_itself else trimmed_text(F.col("interaction_id"))
    rules = {
        "customer_missing": F.col("customer_key").isNull(),
        "kind_missing": F.col("kind_name").isNull(),
        "interaction_id_missing": own_id.isNull(),
        "time_missing": missing(F.col("time"), kinds["time"]),
        "time_unreadable": unreadable(F.col("time"), kinds["time"], F.col("interaction_ts")),
        "date_out_of_range": outside_dates(F.col("business_date"), *dates),
        "value_not_a_number": unreadable(F.col("value"), kinds["value"], F.col("number")),
    }
    return typed.select(
        "delivery",
        "file",
        "raw",
        reasons(rules, F.col("turned_away")).alias("reasons"),
        F.concat_ws(":", F.lit(source), own_id).alias("interaction_id"),
        F.col("customer_key").alias("customer_id"),
        F.col("kind_name").alias("kind"),
        "interaction_ts",
        "business_date",
        F.date_format("business_date", "yyyy-MM").alias("month"),
        F.col("number").alias("value"),
    )


def one_per_delivery(interactions: DataFrame) -> DataFrame:
    """The same interaction twice in one delivery is one: the last by time, then by its fields.

    Args:
        interactions: good rows of `interaction_rows`, with the `source` they are of.

    Returns:
        One row per `delivery` and `interaction_id`, with the columns of `interactions` but status.
    """
    fields = [name for name in interactions.columns if name not in NOT_STORED]
    order = [F.desc(name) for name in ("interaction_ts", "kind", "customer_id", "value")]
    last = Window.partitionBy("delivery", "interaction_id").orderBy(*order)
    return (
        interactions.withColumn("place", F.row_number().over(last))
        .where(F.col("place") == 1)
        .select(*fields)
    )


def customer_rows(rows: DataFrame, names: Sequence[str], time_format: str | None) -> DataFrame:
    """Typed attributes with every reason why a row cannot be used.

    Args:
        rows: delivered fields `customer_id`, `valid_from` and one per attribute, named in `names`.
        names: attribute names.
        time_format: Spark pattern of a textual `valid_from`; None for ISO 8601.

    Returns:
        One row per row: `delivery`, `file`, `raw`, `reasons`, `customer_id`, `valid_from`,
        `attributes` (only those that were delivered).
    """
    kind = rows.schema["valid_from"].dataType
    if isinstance(kind, NullType):
        valid_from = F.col("valid_from").cast("date")
    else:
        # A change of address has no business hours: the calendar day as written.
        _, valid_from = instant_and_day(
            F.col("valid_from"), kind, time_format, Calendar("UTC", 0, "UTC")
        )
    entries = [F.struct(F.lit(name), trimmed_text(F.col(name))) for name in names]
    known = F.filter(F.array(*entries), lambda entry: entry["col2"].isNotNull())
    rules = {
        "customer_missing": trimmed_text(F.col("customer_id")).isNull(),
        "valid_from_unreadable": unreadable(F.col("valid_from"), kind, valid_from),
    }
    return rows.select(
        "delivery",
        "file",
        "raw",
        reasons(rules, F.col("turned_away")).alias("reasons"),
        trimmed_text(F.col("customer_id")).alias("customer_id"),
        valid_from.alias("valid_from"),
        F.map_from_entries(known).alias("attributes"),
    )


def latest_attributes(rows: DataFrame) -> DataFrame:
    """The attributes that hold now: the latest `valid_from`, then the newest delivery, wins.

    Args:
        rows: good rows with the columns of `customers`.

    Returns:
        One row per customer.
    """
    as_text = F.to_json("attributes")
    latest = Window.partitionBy("customer_id").orderBy(
        F.desc_nulls_last("valid_from"), F.desc("delivery"), F.desc(as_text)
    )
    return (
        rows.withColumn("place", F.row_number().over(latest))
        .where(F.col("place") == 1)
        .drop("place")
    )
