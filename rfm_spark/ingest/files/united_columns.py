"""United columns: rows of files with other columns, and one type for each column."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ByteType,
    DataType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    IntegralType,
    LongType,
    NullType,
    ShortType,
    StringType,
    StructField,
    StructType,
)

from rfm_spark.ingest.rows.expressions import quoted_column

_MAX_DIGITS = 38
_DIGITS: Mapping[type[DataType], int] = {ByteType: 3, ShortType: 5, IntegerType: 10, LongType: 19}


def united_rows(parts: Mapping[str, DataFrame]) -> tuple[DataFrame, dict[str, str]]:
    """Rows of all parts, by the names of their columns, in whatever case these are.

    Args:
        parts: a name to tell it by, such as that of a file, to rows.

    Returns:
        The rows: each column once, in the order in which they come up, NULL where a part lacks it,
        of a type that holds all values; as text where there is none. And those columns, with their
        types in words.
    """
    found: dict[str, dict[str, StructField]] = {}
    for part, rows in parts.items():
        for field in rows.schema:
            found.setdefault(field.name.casefold(), {})[part] = field
    columns: dict[str, StructField] = {}
    conflicts: dict[str, str] = {}
    for key, fields in found.items():
        first, *others = fields.values()
        data_type: DataType | None = first.dataType
        for other in others:
            data_type = data_type and common_type(data_type, other.dataType)
        if data_type is None:
            conflicts[first.name] = _in_words(fields)
        columns[key] = StructField(first.name, data_type or StringType())
    shaped = [_shaped(rows, columns) for rows in parts.values()]
    return reduce(
        lambda one, two: one.unionByName(two, allowMissingColumns=True), shaped
    ), conflicts


def common_type(first: DataType, second: DataType) -> DataType | None:
    """The type that holds all values of both as they are; None where there is none.

    A whole number is the text of its digits. Times of several types mean several things, and text
    of a time or of a fraction can be written in many ways.
    """
    if first == second or isinstance(second, NullType):
        return first
    if isinstance(first, NullType):
        return second
    kinds = (first, second)
    if all(isinstance(kind, IntegralType) for kind in kinds):
        return max(kinds, key=lambda kind: _DIGITS[type(kind)])
    if all(isinstance(kind, IntegralType | StringType) for kind in kinds):
        return StringType()
    if all(isinstance(kind, IntegralType | DecimalType) for kind in kinds):
        digits, scales = zip(*map(_digits_and_scale, kinds), strict=True)
        precision = max(digits) + max(scales)
        return DecimalType(precision, max(scales)) if precision <= _MAX_DIGITS else None
    if all(isinstance(kind, IntegralType | DecimalType | FloatType | DoubleType) for kind in kinds):
        return DoubleType()
    if isinstance(first, StructType) and isinstance(second, StructType):
        return _common_struct(first, second)
    return None


def _common_struct(first: StructType, second: StructType) -> StructType | None:
    fields = {field.name.casefold(): field for field in first}
    for field in second:
        known = fields.setdefault(field.name.casefold(), field)
        data_type = common_type(known.dataType, field.dataType)
        if data_type is None:
            return None
        fields[field.name.casefold()] = StructField(known.name, data_type)
    return StructType(list(fields.values()))


def _digits_and_scale(kind: DataType) -> tuple[int, int]:
    """Digits before the point, and behind it."""
    if isinstance(kind, DecimalType):
        return kind.precision - kind.scale, kind.scale
    return _DIGITS[type(kind)], 0


def _shaped(rows: DataFrame, columns: Mapping[str, StructField]) -> DataFrame:
    asked = [columns[field.name.casefold()] for field in rows.schema]
    return rows.select(
        *[
            _as_type(quoted_column(given.name), given.dataType, wanted.dataType).alias(wanted.name)
            for given, wanted in zip(rows.schema, asked, strict=True)
        ]
    )


def _as_type(column: Column, given: DataType, wanted: DataType) -> Column:
    if given == wanted:
        return column
    if not isinstance(wanted, StructType) or not isinstance(given, StructType):
        return column.cast(wanted)
    present = {field.name.casefold(): field for field in given}
    fields = []
    for field in wanted:
        known = present.get(field.name.casefold())
        value = (
            F.lit(None).cast(field.dataType)
            if known is None
            else _as_type(column.getField(known.name), known.dataType, field.dataType)
        )
        fields.append(value.alias(field.name))
    return F.when(column.isNotNull(), F.struct(*fields))


def _in_words(fields: Mapping[str, StructField]) -> str:
    """Such as `bigint in a.parquet and string in b.parquet`."""
    first_parts: dict[str, str] = {}
    for part, field in fields.items():
        first_parts.setdefault(field.dataType.simpleString(), part)
    return " and ".join(f"{kind} in {part}" for kind, part in first_parts.items())
