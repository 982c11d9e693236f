"""Queries: SQL over the tables of a warehouse, by their names.

By Spark, which is always here, reads Delta's own log wherever the other commands do, and so gives
the same rows on a laptop and a cluster. DuckDB is no dependency, and reads Delta only by an
extension that it loads from the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.core.panel import Panel, PanelColumn
from rfm_spark.core.table import Table
from rfm_spark.core.written_conditions import ATTRIBUTES
from rfm_spark.results.registry import CUSTOMER_360
from rfm_spark.run import Run
from rfm_spark.storage.spark_errors import FAILED, first_line
from rfm_spark.storage.warehouse import as_of_slice

LATEST = "_latest"
"""Ends the name of a view of a table's newest day."""

_NOT_FOUND = re.compile(r"\[TABLE_OR_VIEW_NOT_FOUND\].*?`([^`]+)`")


def query_panel(run: Run, text: str, limit: int) -> Panel:
    """What a query gives.

    Args:
        run: session, settings and warehouse.
        text: a SELECT of Spark SQL. Tables are named as in docs/tables.md; NAME_latest has the rows
            of a table's newest day, and customer_360_latest each attribute as a column.
        limit: rows to show.

    Raises:
        UserError: if it is no query, or names what is not there.
    """
    with _views(run, text):
        try:
            # In brackets a statement that is no query is a mistake of syntax.
            rows = run.spark.sql(f"SELECT * FROM (\n{text.strip().rstrip(';')}\n)")
            found = rows.limit(limit + 1).toArrow()
        except FAILED as error:
            raise UserError(f"sql: {_told(run, first_line(error))}") from None
    return _panel(found, limit)


def _told(run: Run, message: str) -> str:
    unknown = _NOT_FOUND.search(message)
    if unknown is None:
        return message
    return f"{unknown[1]}: there is no such table; {did_you_mean(unknown[1], _names(run))}"


def _names(run: Run) -> list[str]:
    there = [table for table in ALL_TABLES if run.warehouse.is_there(table)]
    return [name for table in there for name in view_names(table)]


def view_names(table: Table) -> list[str]:
    """What queries call a table, and its newest day."""
    return [table.name, *([f"{table.name}{LATEST}"] if "as_of" in table.key else [])]


def views(run: Run, table: Table) -> dict[str, DataFrame]:
    """The rows that a query finds under each name of a table.

    Raises:
        UserError: if the table has not been made yet, or was written by a newer version.
    """
    rows = run.read(table)
    return {
        name: rows if name == table.name else _latest(run, table, rows)
        for name in view_names(table)
    }


@contextmanager
def _views(run: Run, text: str) -> Iterator[None]:
    """Views of the tables that a text names, until the context ends."""
    words = set(re.findall(r"\w+", text.lower()))
    names = words.intersection(_names(run))
    tables = [table for table in ALL_TABLES if names.intersection(view_names(table))]
    try:
        for table in tables:
            for name, rows in views(run, table).items():
                if name in names:
                    rows.createOrReplaceTempView(name)
        yield
    finally:
        for name in names:
            run.spark.catalog.dropTempView(name)


def _latest(run: Run, table: Table, rows: DataFrame) -> DataFrame:
    """Of the rows of a table those of its newest day; of customers with attributes as columns."""
    newest = run.warehouse.bounds(table, "as_of")[1]
    rows = rows if newest is None else rows.where(as_of_slice(newest))
    if table.name != CUSTOMER_360.name or run.settings.customers is None:
        return rows
    held = run.settings.customers.columns.attributes
    return rows.select(
        *[column for column in rows.columns if column != ATTRIBUTES],
        *[
            F.col(ATTRIBUTES)[name].alias(f"attribute_{name}" if name in rows.columns else name)
            for name in held
        ],
    )


def _panel(found: pa.Table, limit: int) -> Panel:
    shown = found.slice(0, limit)
    columns = [PanelColumn(one.name, is_number=_is_number(one.type)) for one in found.schema]
    # By position: two columns of a query can have one name.
    values = [one.to_pylist(maps_as_pydicts="strict") for one in shown.columns]
    rows = [
        ["" if value is None else str(value) for value in row] for row in zip(*values, strict=True)
    ]
    noun = "row" if shown.num_rows == 1 else "rows"
    more = ", and there are more: --limit shows them" if found.num_rows > limit else ""
    return Panel(f"{shown.num_rows:,} {noun}", more, columns, rows)


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )
