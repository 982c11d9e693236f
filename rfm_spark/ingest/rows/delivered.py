"""Delivered rows: the source's own columns become this project's fields, still unchecked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NumericType, StringType

from rfm_spark.ingest.rows.rules import reasons, trimmed, unreadable

Field = str | Sequence[str]
"""A Spark SQL expression over the source's columns, or several that make one id."""

BESIDE = DELIVERY, FILE, RAW, MALFORMED = "_delivery", "_file", "_raw", "_malformed"
"""Columns beside the source's own: underscored, so that a source may have one called `file`."""

ATTRIBUTE = "attribute."
"""Before the field of an attribute: it may be called `customer_id`."""

UNREADABLE_TEXT = "_malformed_record"
"""Column in which Spark's readers keep the text of a row they cannot read."""


def typed_rows(rows: DataFrame, types: Mapping[str, str]) -> DataFrame:
    """Raw rows with their text kept, and textual columns read as the types that were declared.

    Args:
        rows: the source's columns, `_delivery` and `_file`.
        types: column to Spark type; a value that cannot be read as it is NULL and the column
            named in `_malformed`.

    Returns:
        One row per row: `_delivery`, `_file`, `_raw` (JSON text), `_malformed` (reasons), and
        the source's columns.
    """
    own = [name for name in rows.columns if name not in (DELIVERY, FILE, UNREADABLE_TEXT)]
    have_text = UNREADABLE_TEXT in rows.columns
    raw = F.to_json(F.struct(*[column(name) for name in own]), {"ignoreNullFields": "false"})
    broken = F.col(UNREADABLE_TEXT).isNotNull() if have_text else F.lit(False)
    checks = {"row_malformed": broken}
    values = []
    for name in own:
        declared = types.get(name)
        value = column(name) if declared is None else F.trim(column(name)).try_cast(declared)
        values.append(value.alias(name))
        if declared is not None:
            checks[f"{name}_is_not_{declared.lower()}"] = unreadable(
                column(name), StringType(), value
            )
    text = F.when(broken, F.to_json(F.struct(F.col(UNREADABLE_TEXT).alias("row")))).otherwise(raw)
    return rows.select(
        DELIVERY,
        FILE,
        (text if have_text else raw).alias(RAW),
        reasons(checks).alias(MALFORMED),
        *values,
    )


def delivered_fields(
    rows: DataFrame, fields: Mapping[str, Field | None], reject: Mapping[str, str]
) -> DataFrame:
    """The configured fields of every raw row.

    Args:
        rows: from `typed_rows`, lookups beside them.
        fields: field name to expression; None gives a NULL of no type.
        reject: rule name to a predicate that is true for rows to turn away.

    Returns:
        One row per raw row: `delivery`, `file`, `raw` (the row as JSON text), `turned_away`
        (names of the configured rules it breaks), and every field as delivered.
    """
    rules = {name: F.expr(rule) for name, rule in reject.items()}
    return rows.select(
        F.col(DELIVERY).alias("delivery"),
        F.col(FILE).alias("file"),
        F.col(RAW).alias("raw"),
        reasons(rules, F.col(MALFORMED)).alias("turned_away"),
        *[field_column(expression).alias(name) for name, expression in fields.items()],
    )


def field_column(field: Field | None) -> Column:
    """The column of a configured field; an id of several parts keeps them apart with `|`."""
    if field is None:
        return F.lit(None)
    if isinstance(field, str):
        return F.expr(field)
    parts = [F.expr(part).cast("string") for part in field]
    escaped = [F.regexp_replace(part, r"([|\\])", r"\\$1") for part in parts]
    return F.concat(*[piece for part in escaped for piece in (F.lit("|"), part)][1:])


def trimmed_text(value: Column, kind: DataType) -> Column:
    """An id or label as delivered, trimmed; NULL where blank. Nothing else is changed.

    Args:
        value: the delivered column.
        kind: its type: a number has nothing to trim.
    """
    text = value.cast("string")
    return text if isinstance(kind, NumericType) else F.nullif(trimmed(text), F.lit(""))


def known_customer(delivered: Column, kind: DataType, guest_ids: Collection[str]) -> Column:
    """A customer id, trimmed; NULL for a guest: not delivered, blank, or one of the guests' ids."""
    customer = trimmed_text(delivered, kind)
    return F.when(~customer.isin(*guest_ids), customer) if guest_ids else customer


def with_row_digest(rows: DataFrame, *of: str) -> DataFrame:
    """Adds `row`: a name for each raw row that is the same whenever the delivery comes again.

    It is a digest of the row's text and its place among equal rows of the delivery, which are
    interchangeable, so that the order of rows in a file does not matter.

    Args:
        rows: `delivery` and `raw`.
        of: columns beside the delivery within which names are told apart.
    """
    digest = F.md5("raw")
    return rows.withColumn("row", F.concat_ws("-", digest, _place(digest, *of)))


def with_dropped(rows: DataFrame, drop_equal: bool) -> DataFrame:
    """Adds `is_dropped`: whether an equal row of the delivery counts in place of this one."""
    equal_before = _place(F.md5("raw")) > 1 if drop_equal else F.lit(False)
    return rows.withColumn("is_dropped", equal_before)


def _place(digest: Column, *of: str) -> Column:
    """1, 2, ... among the equal rows of a delivery."""
    return F.row_number().over(Window.partitionBy("delivery", *of, digest).orderBy(F.lit(0)))


def column(name: str) -> Column:
    """A column by its whole name, whatever is in it."""
    return F.col(f"`{name.replace('`', '``')}`")
