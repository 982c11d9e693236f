"""Interactions: parses, validates and deduplicates delivered rows."""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import NullType

from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day, year_month
from rfm_spark.ingest.rows.identifiers import (
    id_text,
    identified_customer_id,
    is_inexact_id,
    trimmed_text,
)
from rfm_spark.ingest.rows.money import to_decimal
from rfm_spark.ingest.rows.rules import (
    AllowedDays,
    is_missing,
    is_unreadable,
    rejection_reasons,
)

_UNSTORED_COLUMNS = ("file", "raw", "reasons")


def interaction_rows(
    rows: DataFrame,
    source: str,
    calendar: Calendar,
    time_format: str | None,
    days: AllowedDays,
    guest_ids: Collection[str] = (),
) -> DataFrame:
    """Typed interactions with all rejection reasons.

    Args:
        rows: one row per raw row: `delivered_fields` with `interaction_id`, `customer_id`,
            `kind`, `time` and `value`.
        source: name of the configured source, which prefixes its ids.
        calendar: time zones and start of the business day.
        time_format: Spark datetime pattern of text times; None for ISO 8601.
        days: on which something can have happened.
        guest_ids: customer ids that stand for guests.

    Returns:
        One row per raw row: `delivery`, `file`, `raw`, `reasons` and the columns of
        `interactions` except `source` and `status`. An interaction without a delivered id gets a
        digest of all its fields.
    """
    data_types = {field.name: field.dataType for field in rows.schema}
    instant, day = instant_and_day(F.col("time"), data_types["time"], time_format, calendar)
    typed = rows.withColumns(
        {
            "customer_key": identified_customer_id(
                F.col("customer_id"), data_types["customer_id"], guest_ids
            ),
            "kind_name": trimmed_text(F.col("kind"), data_types["kind"]),
            "interaction_ts": instant,
            "business_date": day,
            "number": to_decimal(F.col("value")),
        }
    )
    id_fields = F.struct("customer_key", "kind_name", "interaction_ts", "number")
    id_type = data_types["interaction_id"]
    has_no_delivered_id = isinstance(id_type, NullType)
    delivered_id = id_text(F.col("interaction_id"), id_type)
    source_id = F.md5(F.to_json(id_fields)) if has_no_delivered_id else delivered_id
    rules = {
        "customer_missing": F.col("customer_key").isNull(),
        "customer_id_inexact": is_inexact_id(F.col("customer_id"), data_types["customer_id"]),
        "kind_missing": F.col("kind_name").isNull(),
        "interaction_id_missing": source_id.isNull(),
        "interaction_id_inexact": is_inexact_id(F.col("interaction_id"), id_type),
        "time_missing": is_missing(F.col("time"), data_types["time"]),
        "time_unreadable": is_unreadable(
            F.col("time"), data_types["time"], F.col("interaction_ts")
        ),
        **days.rules(F.col("business_date")),
        "value_not_a_number": is_unreadable(F.col("value"), data_types["value"], F.col("number")),
    }
    return typed.select(
        "delivery",
        "file",
        "raw",
        rejection_reasons(rules, F.col("turned_away")).alias("reasons"),
        F.concat_ws(":", F.lit(source), source_id).alias("interaction_id"),
        F.col("customer_key").alias("customer_id"),
        F.col("kind_name").alias("kind"),
        "interaction_ts",
        "business_date",
        year_month(F.col("business_date")).alias("month"),
        F.col("number").alias("value"),
    )


def deduplicated_interactions(interactions: DataFrame) -> DataFrame:
    """Interactions without duplicate ids in a delivery; the last by time, then fields, is kept.

    Args:
        interactions: valid rows of `interaction_rows`, with their `source`.

    Returns:
        One row per `delivery` and `interaction_id`: the columns of `interactions` except `status`.
    """
    stored_columns = [name for name in interactions.columns if name not in _UNSTORED_COLUMNS]
    order = [F.desc(name) for name in ("interaction_ts", "kind", "customer_id", "value")]
    latest_first = Window.partitionBy("delivery", "interaction_id").orderBy(*order)
    return (
        interactions.withColumn("place", F.row_number().over(latest_first))
        .where(F.col("place") == 1)
        .select(*stored_columns)
    )
