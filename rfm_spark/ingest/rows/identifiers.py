"""Identifiers: one text for each id, whether it came as text, a whole number or a decimal one.

Tools that know no missing whole number write 12 as 12.0 wherever a column has a gap, and
spreadsheets write long numbers as 1.23457E+11. The first is the same id; the second lost digits.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType, DoubleType, FloatType, NumericType, StringType

from rfm_spark.ingest.rows.rules import trimmed

_EXACT_UNTIL = {FloatType: 2**24, DoubleType: 2**53}
"""Whole numbers from which on a floating-point type skips some (IEEE 754)."""

_DECIMAL_ZEROS = r"^(-?[0-9]+)\.0+$"
_SCIENTIFIC = r"^\d(\.\d+)?[eE]\+\d+$"
_NOT_A_NUMBER = ("NaN", "nan")
"""What tools write for a missing number."""


def number_text(number: Column, data_type: NumericType) -> Column:
    """Text of a number, a whole one of floating point without a point; NULL for NaN."""
    text = number.cast("string")
    if type(data_type) not in _EXACT_UNTIL:
        return text
    whole = F.when(_is_whole(number, data_type), number.try_cast("bigint").cast("string"))
    return F.when(~F.isnan(number), F.coalesce(whole, text))


def trimmed_text(value: Column, data_type: DataType) -> Column:
    """Delivered label as trimmed text; NULL where blank, or no number.

    Args:
        value: the delivered column.
        data_type: type of the column; numbers need no trimming.
    """
    if isinstance(data_type, NumericType):
        return number_text(value, data_type)
    return F.nullif(trimmed(value.cast("string")), F.lit(""))


def key_text(value: Column, data_type: DataType) -> Column:
    """Text by which rows are matched: 12, 12.0 and `12.0` are the same key."""
    if isinstance(data_type, DecimalType) and data_type.scale > 0:
        whole = F.when(_is_whole(value, data_type), F.floor(value).cast("string"))
        return F.coalesce(whole, value.cast("string"))
    if isinstance(data_type, NumericType):
        return number_text(value, data_type)
    text = value.cast("string")
    has_point = F.contains(text, F.lit("."))  # hardly any id has one: the others need no pattern
    return F.when(has_point, F.regexp_replace(text, _DECIMAL_ZEROS, "$1")).otherwise(text)


def id_text(value: Column, data_type: DataType) -> Column:
    """Delivered id as trimmed text; NULL where blank, or no number.

    Args:
        value: the delivered column.
        data_type: type of the column.
    """
    if isinstance(data_type, NumericType):
        return key_text(value, data_type)
    text = key_text(trimmed(value.cast("string")), StringType())
    return F.when(~text.isin("", *_NOT_A_NUMBER), text)


def is_inexact_id(value: Column, data_type: DataType) -> Column:
    """True for an id that has lost digits or never was one: 12.5, or 1.23457E+11."""
    if isinstance(data_type, StringType):
        may_be = F.contains(value, F.lit("+"))
        return may_be & trimmed(value).rlike(_SCIENTIFIC)
    if type(data_type) in _EXACT_UNTIL:
        return ~F.isnan(value) & ~_is_whole(value, data_type)
    if isinstance(data_type, DecimalType):
        return ~_is_whole(value, data_type)
    return F.lit(False)


def identified_customer_id(
    delivered: Column, data_type: DataType, guest_ids: Collection[str]
) -> Column:
    """Customer id as `id_text`; NULL for a guest: not delivered, blank, or in `guest_ids`."""
    customer_id = id_text(delivered, data_type)
    guests = {re.sub(_DECIMAL_ZEROS, r"\1", guest.strip()) for guest in guest_ids}
    return F.when(~customer_id.isin(*guests), customer_id) if guests else customer_id


def _is_whole(number: Column, data_type: DataType) -> Column:
    is_whole = number == F.floor(number)
    bound = _EXACT_UNTIL.get(type(data_type))  # type: ignore[arg-type]
    return is_whole if bound is None else is_whole & (F.abs(number) < F.lit(float(bound)))
