"""Validation rules: Column predicates that are true for an invalid row, and rejection reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType

_WHITESPACE = " \t\r\n"
_FIRST_VISIBLE = "!"

SEPARATOR = "\x1f"
"""Separator of rule names in `reasons`: a character that no rule or column name contains."""

EQUAL_LINE = "equal_line_dropped"
"""Reason of a row that is kept out because an equal one of its delivery counts."""

OLDER_VERSION = "older_version_dropped"
"""Reason of a whole receipt that is kept out because its delivery has a newer version of it."""

DROPPED = (EQUAL_LINE, OLDER_VERSION)
"""Reasons of rows that are not wrong: another row of their delivery is there for them."""

REJECTED_BY_ANOTHER = "another_line_of_the_receipt_rejected"
"""Reason of a row that is right itself, and belongs to a receipt with one that is not."""

REPEATED_ID = "receipt_id_repeated"
"""Reason of whole receipts that have one id in one delivery, and differ."""


def rejection_reasons(rules: Mapping[str, Column], *inherited: Column) -> Column:
    """Names of all rules that a row breaks, joined by `SEPARATOR`; empty for a valid row.

    Text, because building arrays of every row took longer than reading the rows.

    Args:
        rules: rule name to a Column that is true for an invalid row.
        inherited: Columns of earlier rejection reasons, joined in the same way.

    Returns:
        A STRING Column, never NULL.
    """
    broken_rules = [F.when(is_broken, F.lit(name)) for name, is_broken in rules.items()]
    earlier_reasons = [F.nullif(reason, F.lit("")) for reason in inherited]
    return F.concat_ws(SEPARATOR, *broken_rules, *earlier_reasons)


def is_invalid() -> Column:
    """True for a row with at least one rejection reason."""
    return F.col("reasons") != ""


def trimmed(text: Column) -> Column:
    """Text without surrounding whitespace; trims only text that has some, which is faster."""
    last_character = F.right(text, F.lit(1))
    is_trimmed = (text >= F.lit(_FIRST_VISIBLE)) & (last_character >= F.lit(_FIRST_VISIBLE))
    return F.when(is_trimmed, text).otherwise(F.btrim(text, F.lit(_WHITESPACE)))


def is_blank(text: Column) -> Column:
    """True for text that is empty or only whitespace."""
    return trimmed(text) == ""


def is_missing(value: Column, data_type: DataType) -> Column:
    """True for a value that was not delivered: NULL or, in a text column, blank."""
    return value.isNull() | is_blank(value) if isinstance(data_type, StringType) else value.isNull()


def is_unreadable(value: Column, data_type: DataType, parsed: Column) -> Column:
    """True for a value that was delivered but could not be parsed as the expected type."""
    return ~is_missing(value, data_type) & parsed.isNull()


def is_date_out_of_range(day: Column, earliest: date, latest: date) -> Column:
    """True for a business day before the earliest or after the latest allowed date."""
    return (day < F.lit(earliest)) | (day > F.lit(latest))
