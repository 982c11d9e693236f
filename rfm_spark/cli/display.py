"""What a person sees: progress on standard error, results on standard output."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

from pyspark.sql import Row
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rfm_spark.pipeline.context import Step
from rfm_spark.pipeline.summary import Summary, TableFacts
from rfm_spark.settings import Settings

_errors = Console(stderr=True, highlight=False, soft_wrap=True)
_results = Console(highlight=False)
_WIDE = 120
"""Columns of a screen from which there is room for what to do about a segment."""


class _ScreenStep:
    def __init__(self) -> None:
        self.result = ""

    def says(self, result: str) -> None:
        """Keeps what to show when the step is done."""
        self.result = result


class ScreenProgress:
    """One line a step: a spinner while it runs, its time and result when it is done."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Shows a piece of work from now until the context ends."""
        began = time.monotonic()
        shown = _ScreenStep()
        try:
            with _errors.status(f"{title} ..."):
                yield shown
        except BaseException:
            _errors.print(f"[red]✗[/] {title}")
            raise
        seconds = time.monotonic() - began
        _errors.print(f"[green]✓[/] {title:<38}{seconds:6.1f} s  {escape(shown.result)}")


def show_problems(problems: Sequence[str]) -> None:
    """One line per problem, on standard error."""
    for problem in problems:
        _errors.print(f"[red]rfm-spark:[/] {escape(problem)}")


def show_tables(facts: Sequence[TableFacts], last: Row | None) -> None:
    """The tables of a warehouse, and the record of its last run."""
    table = _table("table", ">rows", ">files", ">size", "last written")
    for one in facts:
        size = f"{one.bytes / 1e6:,.1f} MB"
        table.add_row(one.name, f"{one.rows:,}", f"{one.files:,}", size, f"{one.written:%F %T}")
    _results.print(table)
    if last is not None:
        of_day = f" as of {last['as_of']}" if last["as_of"] else ""
        began = f"{last['started_at']:%F %T}"
        told = f"\nThe last run: {last['job']}{of_day}, {began}, {last['seconds']:,.0f} s: "
        _results.print(told + escape(last["outcome"]), soft_wrap=True)


def show_summary(found: Summary, settings: Settings, place: str) -> None:
    """What a run found: segments, clusters, cohorts, and where to look further."""
    money = _Money(settings)
    if found.segments:
        customers = sum(row["customers"] for row in found.segments)
        revenue = sum(row["revenue_cents"] for row in found.segments)
        _results.print(
            f"\n[bold]{customers:,} customers scored as of {found.as_of}[/], "
            f"{money.whole(revenue)} {money.currency} in the window"
        )
        _results.print(f"\n[bold]Segments[/], revenue in {money.currency}")
        _results.print(_segments(found.segments, money))
    if found.reconciliation:
        _results.print(f"\n[bold]Where every receipt and every {money.currency} went[/]")
        _results.print(_reconciliation(found.reconciliation, money))
    if found.clusters:
        _results.print(f"\n[bold]Largest clusters[/], revenue in {money.currency}")
        _results.print(_clusters(found.clusters, money))
    if found.cohorts:
        _results.print("\n[bold]First cohorts[/], share that came again in month 1, 2, ...")
        _results.print(_cohorts(found.cohorts))
    if found.segments and found.clusters:
        told = f"\nThe tables are in {escape(place)}. Three queries to try:\n"
        _results.print(told, soft_wrap=True)
        for query in _queries(place, found.as_of, next(iter(settings.rfm))):
            _results.print(escape(query), soft_wrap=True)


class _Money:
    def __init__(self, settings: Settings) -> None:
        self._digits = settings.business.minor_unit_digits
        self.currency = escape(settings.business.currency)

    def whole(self, minor_units: float) -> str:
        """An amount to the nearest unit."""
        return f"{minor_units / 10**self._digits:,.0f}"

    def exact(self, minor_units: int) -> str:
        """An amount to the last minor unit."""
        return f"{Decimal(minor_units).scaleb(-self._digits):,.{self._digits}f}"


def _segments(rows: Sequence[Row], money: _Money) -> Table:
    shown = ["segment", ">customers", ">share", ">revenue", ">share"]
    is_wide = _results.width >= _WIDE
    table = _table(*shown, *(["what to do"] if is_wide else []))
    for row in rows:
        table.add_row(
            escape(row["segment"]),
            f"{row['customers']:,}",
            _percent(row["customer_share"]),
            money.whole(row["revenue_cents"]),
            _percent(row["revenue_share"]),
            *([escape(row["suggested_action"])] if is_wide else []),
        )
    return table


def _reconciliation(rows: Sequence[Row], money: _Money) -> Table:
    table = _table("term", ">receipts", ">money")
    for sign, row in zip(("", "=", *"+" * len(rows)), rows, strict=False):
        told = f"{sign:<2}{row['term'].replace('_', ' ')}"
        table.add_row(told, f"{row['receipts']:,}", money.exact(row["net_cents"]))
    return table


def _clusters(rows: Sequence[Row], money: _Money) -> Table:
    table = _table(">cluster", ">customers", ">share", ">revenue", ">a customer", "persona")
    for row in rows:
        table.add_row(
            str(row["cluster"]),
            f"{row['customers']:,}",
            _percent(row["customer_share"]),
            money.whole(row["revenue_cents"]),
            money.whole(row["revenue_per_customer_cents"]),
            row["persona"],
        )
    return table


def _cohorts(rows: Sequence[Row]) -> Table:
    """The first cohorts as a triangle: retention by month."""
    last = max(row["period_index"] for row in rows)
    table = _table("cohort", ">customers", *[f">{k}" for k in range(last + 1)])
    for cohort in sorted({row["cohort"] for row in rows}):
        of_cohort = {row["period_index"]: row for row in rows if row["cohort"] == cohort}
        shares = [
            _percent(of_cohort[k]["retention"]) if k in of_cohort else "" for k in range(last + 1)
        ]
        table.add_row(f"{cohort:%Y-%m}", f"{of_cohort[0]['cohort_size']:,}", *shares)
    return table


def _queries(place: str, as_of: date | None, profile: str) -> list[str]:
    """Of the day described: the tables hold all days, and scores all profiles."""
    customers, cohorts = (repr(f"{place}/{name}") for name in ("customer_360", "cohorts"))
    return [
        f"  Spark SQL  SELECT segment, customers, revenue_cents FROM delta.`{place}/segments`\n"
        f"             WHERE as_of = DATE '{as_of}' AND profile = '{profile}'",
        # Not to_pyarrow_dataset(): with a filter on a large table it ends Python by SIGABRT.
        "  DuckDB     import duckdb, deltalake, urllib.parse\n"
        f"             table = deltalake.DeltaTable({customers})\n"
        "             files = [urllib.parse.unquote(file) for file in table.file_uris()]\n"
        f"             c = duckdb.read_parquet(files).filter(\"as_of = DATE '{as_of}'\")\n"
        '             duckdb.sql("SELECT segment, avg(lifetime_visits) FROM c GROUP BY ALL")',
        "  Polars     import datetime, polars as pl\n"
        f"             day = datetime.date.fromisoformat('{as_of}')\n"
        f"             pl.read_delta({cohorts}).filter(grain='month', as_of=day)",
    ]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _table(*columns: str) -> Table:
    """A plain table; a column whose title begins with > is aligned to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.removeprefix(">"), justify="right" if column[0] == ">" else "left")
    return table
