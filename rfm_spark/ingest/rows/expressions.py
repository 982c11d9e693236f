"""Configured fields: what their text means over the columns of a source."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.identifiers import key_text

FieldExpression = str | Sequence[str]
"""Column name or Spark SQL expression; a sequence of them makes a composite id."""


def quoted_column(name: str) -> Column:
    """Column by its literal name, which may contain dots or backticks."""
    return F.col(f"`{name.replace('`', '``')}`")


def column_named(text: str, columns: Collection[str]) -> str | None:
    """The column that a text names, in any letter case; None where there is no such column."""
    wanted = text.strip().casefold()
    return next((name for name in columns if name.casefold() == wanted), None)


def expression_column(text: str, columns: Collection[str]) -> Column:
    """Column of a configured text: the column so named, else the value of an expression.

    Args:
        text: a column's name as it is, whatever signs are in it, or a Spark SQL expression.
        columns: names of the source's columns and look-ups.

    Raises:
        ParseException: if the text is neither.
    """
    name = column_named(text, columns)
    # In parentheses, as Spark would take `Customer ID` for the column Customer, named ID.
    return F.expr(f"({text}\n)") if name is None else quoted_column(name)


def field_column(rows: DataFrame, field: FieldExpression | None) -> Column:
    """Column of a configured field; the parts of a composite id are separated by `|`.

    Args:
        rows: one row per raw row, with the source's columns and look-ups.
        field: text of the field, or of the parts of an id; None gives an untyped NULL.
    """
    if field is None:
        return F.lit(None)
    if isinstance(field, str):
        return expression_column(field, rows.columns)
    parts = [expression_column(part, rows.columns) for part in field]
    types = [part.dataType for part in rows.select(*parts).schema]
    texts = [key_text(part, data_type) for part, data_type in zip(parts, types, strict=True)]
    escaped = [F.regexp_replace(text, r"([|\\])", r"\\$1") for text in texts]
    return F.concat(*[piece for text in escaped for piece in (F.lit("|"), text)][1:])
