"""Interactions: delivered fields become typed, checked rows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import NullType

from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day, month_name
from rfm_spark.ingest.rows.delivered import known_customer, trimmed_text
from rfm_spark.ingest.rows.money import decimal
from rfm_spark.ingest.rows.rules import missing, outside_dates, reasons, unreadable

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
    typed = rows.withColumns(
        {
            "customer_key": known_customer(F.col("customer_id"), kinds["customer_id"], guest_ids),
            "kind_name": trimmed_text(F.col("kind"), kinds["kind"]),
            "interaction_ts": instant,
            "business_date": day,
            "number": decimal(F.col("value")),
        }
    )
    fields = F.struct("customer_key", "kind_name", "interaction_ts", "number")
    id_kind = kinds["interaction_id"]
    by_itself = isinstance(id_kind, NullType)
    delivered_id = trimmed_text(F.col("interaction_id"), id_kind)
    own_id = F.md5(F.to_json(fields)) if by_itself else delivered_id
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
        month_name(F.col("business_date")).alias("month"),
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
