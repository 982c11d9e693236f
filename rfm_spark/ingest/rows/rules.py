"""Rules: what makes a raw row unusable, as named Columns that are true for a bad row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType

_WHITE_SPACE = " \t\r\n"
_FIRST_VISIBLE = "!"

SEPARATOR = "\x1f"
"""Between the names of broken rules: a character no name of a rule or column has."""


def reasons(rules: Mapping[str, Column], *inherited: Column) -> Column:
    """The names of all rules a row breaks, joined by a separator; empty for a good row.

    Text, because building arrays of every row took longer than reading the rows.

    Args:
        rules: name to a Column that is true for a bad row.
        inherited: reasons found earlier.
    """
    named = [F.when(broken, F.lit(name)) for name, broken in rules.items()]
    earlier = [F.nullif(reason, F.lit("")) for reason in inherited]
    return F.concat_ws(SEPARATOR, *named, *earlier)


def is_bad() -> Column:
    """Whether a row breaks a rule."""
    return F.col("reasons") != ""


def trimmed(text: Column) -> Column:
    """Text without white space around it; text that has none is not taken apart to find it."""
    last = F.right(text, F.lit(1))
    is_tidy = (text >= F.lit(_FIRST_VISIBLE)) & (last >= F.lit(_FIRST_VISIBLE))
    return F.when(is_tidy, text).otherwise(F.btrim(text, F.lit(_WHITE_SPACE)))


def blank(text: Column) -> Column:
    """Text of nothing but white space."""
    return trimmed(text) == ""


def missing(raw: Column, kind: DataType) -> Column:
    """Not delivered: NULL or, of text, blank."""
    return raw.isNull() | blank(raw) if isinstance(kind, StringType) else raw.isNull()


def unreadable(raw: Column, kind: DataType, parsed: Column) -> Column:
    """Delivered, but not of the expected type."""
    return ~missing(raw, kind) & parsed.isNull()


def outside_dates(day: Column, earliest: date, latest: date) -> Column:
    """A business day no shop of this configuration can have had."""
    return (day < F.lit(earliest)) | (day > F.lit(latest))
