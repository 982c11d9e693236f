"""Delivered rows: maps the columns of a source to the configured fields, before validation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NumericType, StringType

from rfm_spark.ingest.rows.rules import is_unreadable, rejection_reasons, trimmed

FieldExpression = str | Sequence[str]
"""Spark SQL expression over the source's columns; a sequence of them makes a composite id."""

METADATA_COLUMNS = DELIVERY, FILE, RAW, MALFORMED = "_delivery", "_file", "_raw", "_malformed"
"""Names of metadata columns: underscored, so that a source may have a column `file`."""

ATTRIBUTE_PREFIX = "attribute."
"""Prefix of attribute fields: an attribute may itself be called `customer_id`."""

CORRUPT_RECORD = "_malformed_record"
"""Column in which Spark's readers keep the text of a corrupt record."""


def typed_rows(rows: DataFrame, types: Mapping[str, str]) -> DataFrame:
    """Raw rows with text columns cast to their declared types, and the row kept as JSON text.

    Args:
        rows: one row per raw row: the source's columns, `_delivery` and `_file`.
        types: column name to declared Spark type; a value that cannot be cast becomes NULL, and
            `_malformed` names the column.

    Returns:
        One row per raw row: `_delivery`, `_file`, `_raw` (JSON text), `_malformed` (rejection
        reasons), and the source's columns.
    """
    source_columns = [name for name in rows.columns if name not in (DELIVERY, FILE, CORRUPT_RECORD)]
    has_corrupt_records = CORRUPT_RECORD in rows.columns
    row_json = F.to_json(
        F.struct(*[quoted_column(name) for name in source_columns]), {"ignoreNullFields": "false"}
    )
    is_corrupt = F.col(CORRUPT_RECORD).isNotNull() if has_corrupt_records else F.lit(False)
    rules = {"row_malformed": is_corrupt}
    values = []
    for name in source_columns:
        declared = types.get(name)
        value = (
            quoted_column(name)
            if declared is None
            else F.trim(quoted_column(name)).try_cast(declared)
        )
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


def delivered_fields(
    rows: DataFrame, fields: Mapping[str, FieldExpression | None], reject: Mapping[str, str]
) -> DataFrame:
    """Configured fields of every raw row, as delivered.

    Args:
        rows: one row per raw row: `typed_rows`, joined with the source's lookups.
        fields: field name to expression; None gives an untyped NULL.
        reject: rule name to a SQL predicate that is true for rows to reject.

    Returns:
        One row per raw row: `delivery`, `file`, `raw` (the row as JSON text), `turned_away`
        (names of the configured rules that it breaks), and every field as delivered.
    """
    rules = {name: F.expr(rule) for name, rule in reject.items()}
    return rows.select(
        F.col(DELIVERY).alias("delivery"),
        F.col(FILE).alias("file"),
        F.col(RAW).alias("raw"),
        rejection_reasons(rules, F.col(MALFORMED)).alias("turned_away"),
        *[field_column(expression).alias(name) for name, expression in fields.items()],
    )


def field_column(field: FieldExpression | None) -> Column:
    """Column of a configured field; the parts of a composite id are separated by `|`."""
    if field is None:
        return F.lit(None)
    if isinstance(field, str):
        return F.expr(field)
    parts = [F.expr(part).cast("string") for part in field]
    escaped = [F.regexp_replace(part, r"([|\\])", r"\\$1") for part in parts]
    return F.concat(*[piece for part in escaped for piece in (F.lit("|"), part)][1:])


def trimmed_text(value: Column, data_type: DataType) -> Column:
    """Delivered id or label as trimmed text; NULL where blank.

    Args:
        value: the delivered column.
        data_type: type of the column; numbers need no trimming.
    """
    text = value.cast("string")
    return text if isinstance(data_type, NumericType) else F.nullif(trimmed(text), F.lit(""))


def identified_customer_id(
    delivered: Column, data_type: DataType, guest_ids: Collection[str]
) -> Column:
    """Trimmed customer id; NULL for a guest: not delivered, blank, or listed in `guest_ids`."""
    customer_id = trimmed_text(delivered, data_type)
    return F.when(~customer_id.isin(*guest_ids), customer_id) if guest_ids else customer_id


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


def quoted_column(name: str) -> Column:
    """Column by its literal name, which may contain dots or backticks."""
    return F.col(f"`{name.replace('`', '``')}`")
