"""What a person sees on standard output: what results tell of themselves."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rfm_spark.app.publishing import Publication
from rfm_spark.app.summary import TableFacts
from rfm_spark.core.panel import Panel, PanelColumn

_results = Console(highlight=False)
_WIDE = 120
"""Columns of a screen from which there is room for what to do about a segment."""
_MANY_COLUMNS = 10
"""A table of as many is set close, so that names keep some room beside numbers."""
_LEAST_TEXT = 10
"""Width that a column of text keeps, where its words are as long; longer ones are cut."""
_LEAST_COLUMNS = 3
"""That are always shown."""


def show_tables(
    facts: Sequence[TableFacts], last: Mapping[str, Any] | None, published: Publication
) -> None:
    """The tables of a warehouse, the record of its last run, and what readers see."""
    table = _table("table", ">rows", ">files", ">size", "last written")
    for one in facts:
        size = f"{one.bytes / 1e6:,.1f} MB"
        table.add_row(one.name, f"{one.rows:,}", f"{one.files:,}", size, f"{one.written:%F %T}")
    _results.print(table)
    if last is not None:
        of_day = f" as of {last['as_of']}" if last["as_of"] else ""
        began = f"{last['started_at'].astimezone():%F %T}"
        told = f"\nThe last run: {last['job']}{of_day}, {began}, {last['seconds']:,.0f} s: "
        _results.print(told + escape(last["outcome"]), soft_wrap=True)
    if published.published_at is not None:
        of_day = f" as of {published.as_of}" if published.as_of else ""
        told = f"Published{of_day}, {published.published_at.astimezone():%F %T}: what readers see"
        _results.print(told, soft_wrap=True)


def show_panels(panels: Iterable[Panel]) -> None:
    """What results show of themselves."""
    for panel in panels:
        _results.print(f"\n[bold]{escape(panel.title)}[/]{escape(panel.note)}")
        shown = [
            place
            for place, column in enumerate(panel.columns)
            if not column.is_long or _results.width >= _WIDE
        ]
        if shown:
            rows = [[row[place] for place in shown] for row in panel.rows]
            fitting = shown[: _fitting([panel.columns[place] for place in shown], rows)]
            columns = [panel.columns[place] for place in fitting]
            table = _table(*[(">" if one.is_number else "") + one.title for one in columns])
            for row in panel.rows:
                table.add_row(*[escape(row[place]) for place in fitting])
            _results.print(table)
            if left := len(shown) - len(fitting):
                _results.print(f"{left} more columns want a wider screen", soft_wrap=True)


def _fitting(columns: Sequence[PanelColumn], rows: Sequence[Sequence[str]]) -> int:
    """How many columns there is room for: of many, the last ones go, where they are numbers.

    Else names in the first ones would have no room at all.
    """
    if len(columns) < _MANY_COLUMNS:
        return len(columns)
    texts = [[column.title, *(row[place] for row in rows)] for place, column in enumerate(columns)]
    widths = [
        max(map(cell_len, texts[place]))
        if column.is_number
        else min(max(cell_len(word) for text in texts[place] for word in text.split() or [""]),
                 _LEAST_TEXT)
        for place, column in enumerate(columns)
    ]  # fmt: skip
    number = len(columns)
    while number > _LEAST_COLUMNS and columns[number - 1].is_number:
        if sum(widths[:number]) + _between(number) * (number - 1) <= _results.width:
            break
        number -= 1
    return number


def show_queries(
    place: str,
    as_of: date,
    asked: Sequence[Sequence[str]],
    cohorts_by: tuple[str, str] | None,
) -> None:
    """Where the tables are, and how to go on.

    Args:
        place: the warehouse.
        as_of: the day described.
        asked: arguments of commands: one that makes a list, and one that queries.
        cohorts_by: origin and grain of cohorts that are stored, where there are any.
    """
    told = f"\nThe tables are in {escape(place)}. What to try:\n"
    _results.print(told, soft_wrap=True)
    for title, command in zip(("A list", "SQL"), asked, strict=True):
        line = shlex.join(["rfm-spark", *command])
        _results.print(escape(f"  {title:<10} {line}"), soft_wrap=True)
    for query in _queries(place, as_of, cohorts_by):
        _results.print(escape(query), soft_wrap=True)


def _queries(place: str, as_of: date, cohorts_by: tuple[str, str] | None) -> list[str]:
    """Of the day described: the tables hold all days."""
    customers, cohorts = (repr(f"{place}/{name}") for name in ("customer_360", "cohorts"))
    queries = [
        # Not to_pyarrow_dataset(): with a filter on a large table it ends Python by SIGABRT.
        "  DuckDB     import duckdb, deltalake, urllib.parse\n"
        f"             table = deltalake.DeltaTable({customers})\n"
        "             files = [urllib.parse.unquote(file) for file in table.file_uris()]\n"
        f"             c = duckdb.read_parquet(files).filter(\"as_of = DATE '{as_of}'\")\n"
        '             duckdb.sql("SELECT segment, avg(lifetime_visits) FROM c GROUP BY ALL")',
    ]
    if cohorts_by is not None:
        origin, grain = cohorts_by
        queries.append(
            "  Polars     import datetime, polars as pl\n"
            f"             day = datetime.date.fromisoformat('{as_of}')\n"
            f"             c = pl.read_delta({cohorts})\n"
            f"             c.filter(origin='{origin}', grain='{grain}', kind='calendar', as_of=day)"
        )
    return queries


def _between(columns: int) -> int:
    """Blanks between two columns of a table of so many."""
    return 3 if columns < _MANY_COLUMNS else 2


def _table(*columns: str) -> Table:
    """A plain table; a column whose title begins with > is aligned to the right."""
    between = _between(len(columns)) - 1
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, between, 0, 0))
    for column in columns:
        is_number = column[0] == ">"  # a part of a number is another number
        justify: Literal["right", "left"] = "right" if is_number else "left"
        table.add_column(column.removeprefix(">"), justify=justify, no_wrap=is_number)
    return table
