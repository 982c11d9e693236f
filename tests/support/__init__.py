"""Small rows written in a test, and rows compared with rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import BooleanType, DateType, IntegerType, LongType

from rfm_spark.core.table import Table
from rfm_spark.ingest.tables.customers import CUSTOMERS

Values = Mapping[str, Any]


def rows_of(spark: SparkSession, table: Table, rows: Iterable[Values]) -> DataFrame:
    """Rows of a table; what is not named is 0, False or NULL, and ISO text becomes a date."""
    filled = []
    for row in rows:
        unknown = set(row) - set(table.column_names)
        assert not unknown, f"{table.name} has no column {unknown}"
        values = []
        for column in table.columns:
            value = row.get(column.name)
            if isinstance(column.type, DateType) and isinstance(value, str):
                value = date.fromisoformat(value)
            if value is None and column.name == "year" and row.get("day"):
                value = int(str(row["day"])[:4])
            if value is None and column.required:
                value = {LongType: 0, IntegerType: 0, BooleanType: False}.get(type(column.type))
            values.append(value)
        filled.append(tuple(values))
    schema = table.schema
    for field in schema.fields:
        field.nullable = True
    return spark.createDataFrame(filled, schema)


def assert_rows(found: DataFrame | Iterable[Any], expected: Sequence[Values]) -> None:
    """The rows are the expected ones, in any order; only the columns that are named count."""
    if isinstance(found, DataFrame):
        found = found.collect()
    have = [row.asDict(recursive=True) if hasattr(row, "asDict") else dict(row) for row in found]
    names = list(expected[0]) if expected else []
    shown = sorted(({name: _plain(row[name]) for name in names} for row in have), key=repr)
    wanted = sorted(({name: _plain(row[name]) for name in names} for row in expected), key=repr)
    assert len(shown) == len(wanted), f"{len(shown)} rows, not {len(wanted)}: {shown}"
    for one, other in zip(shown, wanted, strict=True):
        for name in names:
            assert _same(one[name], other[name]), f"{name}: {one} is not {other}"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


def people(spark: SparkSession, *names: str) -> DataFrame:
    """Rows of `customers`, one for each name."""
    rows = [{"customer_id": name, "delivery": "d", "attributes": {"x": name}} for name in names]
    return rows_of(spark, CUSTOMERS, rows)
