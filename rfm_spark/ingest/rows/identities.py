"""Merges of customers: parses and validates delivered rows."""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.attributes import first_valid_day
from rfm_spark.ingest.rows.identifiers import identified_customer_id, is_inexact_id
from rfm_spark.ingest.rows.repeats import with_repeats_rejected
from rfm_spark.ingest.rows.rules import is_unreadable, rejection_reasons
from rfm_spark.ingest.tables.identities import MERGED_INTO


def identity_rows(
    rows: DataFrame, time_zone: str, time_format: str | None, guest_ids: Collection[str] = ()
) -> DataFrame:
    """Typed merges with all rejection reasons, those of ids that became two others too.

    Args:
        rows: one row per raw row: `delivered_fields` with `old_id`, `new_id` and `valid_from`.
        time_zone: business time zone, whose calendar day an instant falls on.
        time_format: Spark datetime pattern of a text `valid_from`; None for ISO 8601.
        guest_ids: customer ids that stand for guests: none of these is merged, or merged into.

    Returns:
        One row per raw row: `delivery`, `file`, `raw`, `reasons`, `customer_id` (the old one),
        `merged_into`, `valid_from`.
    """
    data_types = {field.name: field.dataType for field in rows.schema}
    valid_from_type = data_types["valid_from"]
    valid_from = first_valid_day(valid_from_type, time_zone, time_format)
    old, new = (
        identified_customer_id(F.col(name), data_types[name], guest_ids)
        for name in ("old_id", "new_id")
    )
    is_inexact = [is_inexact_id(F.col(name), data_types[name]) for name in ("old_id", "new_id")]
    rules = {
        "customer_missing": old.isNull() | new.isNull(),
        "customer_id_inexact": F.coalesce(is_inexact[0], F.lit(False)) | is_inexact[1],
        "valid_from_unreadable": is_unreadable(F.col("valid_from"), valid_from_type, valid_from),
    }
    typed = rows.select(
        "delivery",
        "file",
        "raw",
        rejection_reasons(rules, F.col("turned_away")).alias("reasons"),
        old.alias("customer_id"),
        new.alias(MERGED_INTO),
        valid_from.alias("valid_from"),
    )
    return with_repeats_rejected(typed, ("customer_id", "valid_from"), F.col(MERGED_INTO))


def accepted_identities(rows: DataFrame) -> DataFrame:
    """The columns of `identities`.

    Args:
        rows: valid rows of `identity_rows`.

    Returns:
        One row per old id, delivery and `valid_from`.
    """
    return rows.select("customer_id", MERGED_INTO, "delivery", "valid_from")
