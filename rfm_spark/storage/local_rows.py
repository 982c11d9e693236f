"""Local rows: a few rows of the driver as a DataFrame, without Python on the executors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

_UTC: dict[str, Any] = (
    {"timezone": "UTC"}
    if "timezone" in signature(to_arrow_schema).parameters
    else {"timestamp_utc": True}  # Spark 4.1
)


def arrow_schema(schema: StructType) -> pa.Schema:
    """The same names and types for Arrow; times are of UTC."""
    return to_arrow_schema(schema, **_UTC)


def local_rows(
    spark: SparkSession, rows: Sequence[Mapping[str, Any]], schema: StructType
) -> DataFrame:
    """A DataFrame of the rows, sent as Arrow.

    `createDataFrame` of a list pickles the rows and starts a Python worker on an executor to read
    them, which takes a second and needs the same Python there.

    Args:
        spark: the session.
        rows: column name to value; their number is bounded by settings, or by the files that came,
            never by customers.
        schema: names and types; a column that a row does not name is NULL.
    """
    return spark.createDataFrame(arrow_rows(rows, arrow_schema(schema)), schema)


def arrow_rows(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """The rows as Arrow, whose maps are lists of pairs."""
    maps = [field.name for field in schema if pa.types.is_map(field.type)]
    plain = [{**row, **{name: list(row[name].items()) for name in maps}} for row in rows]
    return pa.Table.from_pylist(plain, schema=schema)
