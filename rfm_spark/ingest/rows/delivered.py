"""Delivered rows: maps the columns of a source to the configured fields, before validation."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from rfm_spark.ingest.rows.business_time import has_abbreviated_zone
from rfm_spark.ingest.rows.expressions import (
    FieldExpression,
    expression_column,
    field_column,
    quoted_column,
)
from rfm_spark.ingest.rows.rules import ROW_MALFORMED, is_unreadable, rejection_reasons

METADATA_COLUMNS = DELIVERY, FILE, RAW, MALFORMED = (
    "_rfm_delivery",
    "_rfm_file",
    "_rfm_raw",
    "_rfm_malformed",
)
"""Names of metadata columns: a source may have a column `file`, and loaders add a `_file`."""

ATTRIBUTE_PREFIX = "attribute."
"""Prefix of attribute fields: an attribute may itself be called `customer_id`."""

CORRUPT_RECORD = "_rfm_malformed_record"
"""Column in which Spark's readers keep the text of a corrupt record."""


def typed_rows(rows: DataFrame, types: Mapping[str, str]) -> DataFrame:
    """Raw rows with text columns cast to their declared types, and the row kept as JSON text.

    Args:
        rows: one row per raw row: the source's columns, DELIVERY and FILE.
        types: column name to declared Spark type; a value that cannot be cast becomes NULL, and
            MALFORMED names the column.

    Returns:
        One row per raw row: DELIVERY, FILE, RAW (JSON text), MALFORMED (rejection reasons), and
        the source's columns.
    """
    source_columns = [name for name in rows.columns if name not in (DELIVERY, FILE, CORRUPT_RECORD)]
    has_corrupt_records = CORRUPT_RECORD in rows.columns
    row_json = F.to_json(
        F.struct(*[quoted_column(name) for name in source_columns]), {"ignoreNullFields": "false"}
    )
    is_corrupt = F.col(CORRUPT_RECORD).isNotNull() if has_corrupt_records else F.lit(False)
    rules = {ROW_MALFORMED: is_corrupt}
    values = []
    for name in source_columns:
        declared = types.get(name)
        value = quoted_column(name)
        if declared is not None:
            value = _cast_text(value, declared)
        values.append(value.alias(name))
        if declared is not None:
            rules[f"{name}_is_not_{declared.lower()}"] = is_unreadable(
                quoted_column(name), StringType(), value
            )
    row_text = F.when(
        is_corrupt, F.to_json(F.struct(F.col(CORRUPT_RECORD).alias("row")))
    ).otherwise(row_json)
    return rows.select(
        DELIVERY,
        FILE,
        (row_text if has_corrupt_records else row_json).alias(RAW),
        rejection_reasons(rules).alias(MALFORMED),
        *values,
    )


def _cast_text(text: Column, declared: str) -> Column:
    value = F.trim(text).try_cast(declared)
    if declared.strip().upper().startswith("TIMESTAMP"):
        return F.when(~has_abbreviated_zone(text), value)
    return value


def delivered_fields(
    rows: DataFrame,
    fields: Mapping[str, FieldExpression | None],
    reject: Mapping[str, str],
    further: Mapping[str, Column] | None = None,
) -> DataFrame:
    """Configured fields of every raw row, as delivered.

    Args:
        rows: one row per raw row: `typed_rows`, joined with the source's lookups.
        fields: field name to column name or expression; None gives an untyped NULL.
        reject: rule name to a SQL predicate that is true for rows to reject.
        further: rule name to a Column of the same.

    Returns:
        One row per raw row: `delivery`, `file`, `raw` (the row as JSON text), `turned_away`
        (names of the rules that it breaks), and every field as delivered.
    """
    rules = {name: expression_column(rule, rows.columns) for name, rule in reject.items()}
    rules |= further or {}
    return rows.select(
        F.col(DELIVERY).alias("delivery"),
        F.col(FILE).alias("file"),
        F.col(RAW).alias("raw"),
        rejection_reasons(rules, F.col(MALFORMED)).alias("turned_away"),
        *[field_column(rows, field).alias(name) for name, field in fields.items()],
    )


def with_row_digest(rows: DataFrame, *partition_columns: str) -> DataFrame:
    """Adds `row`: an id of each raw row that is stable when its delivery is loaded again.

    The id is a digest of the row's text and its number among equal rows of the delivery, which
    are interchangeable, so that the order of rows in a file does not matter.

    Args:
        rows: one row per raw row, with `delivery` and `raw`.
        partition_columns: columns that, with the delivery, make the ids unique.

    Returns:
        One row per raw row: all columns of `rows`, and `row`.
    """
    digest = F.md5("raw")
    return rows.withColumn(
        "row", F.concat_ws("-", digest, _duplicate_number(digest, *partition_columns))
    )


def with_is_dropped(rows: DataFrame, drop_equal: bool) -> DataFrame:
    """Adds `is_dropped`: true for all but one of the equal rows of a delivery, if `drop_equal`."""
    is_repeat = _duplicate_number(F.md5("raw")) > 1 if drop_equal else F.lit(False)
    return rows.withColumn("is_dropped", is_repeat)


def _duplicate_number(digest: Column, *partition_columns: str) -> Column:
    """Row number (from 1) of each row among the equal rows of its delivery."""
    return F.row_number().over(
        Window.partitionBy("delivery", *partition_columns, digest).orderBy(F.lit(0))
    )
