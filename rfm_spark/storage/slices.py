"""Slices: the part of a table that one commit replaces."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.conditions import any_of
from rfm_spark.core.table import Table

MAX_SPANS = 31
"""More runs of days than this are widened to whole months: a filter stays short and prunes well."""

DaySpan = tuple[date, date]
"""The first and the last of consecutive days."""


@dataclass(frozen=True)
class DaySlice:
    """Some business days, by the partitions of a table.

    Attributes:
        partition_column: `month` or `year`.
        runs: of consecutive days, by partition; None for a whole partition.
    """

    partition_column: str
    spans: dict[str | int, tuple[DaySpan, ...] | None]

    def condition(self, table: Table) -> Column:
        """True for the rows of the slice in this table, which may be partitioned more finely.

        Runs are compared one by one and joined by OR: an IN over far days would make Delta read
        every file between them.
        """
        same = table.partition_by[0] == self.partition_column
        return any_of(
            _partition_condition(table, partition, spans)
            if same
            else _months_condition(table, int(partition), spans)
            for partition, spans in self.spans.items()
        )

    def whole(self) -> DaySlice:
        """The same partitions, each as a whole."""
        return DaySlice(self.partition_column, dict.fromkeys(self.spans))


def day_slice(table: Table, days: Iterable[date]) -> DaySlice:
    """The slice of a table that holds the days, widened to whole months for many runs of them."""
    column = table.partition_by[0]
    asked = set(days)
    spans = _spans(asked, column)
    if len(spans) > MAX_SPANS:
        months = {_month_of(day) for day in asked}
        spans = _spans({day for month in months for day in _days_of(*month)}, column)
    by_partition: dict[str | int, tuple[DaySpan, ...] | None] = {}
    for span in spans:
        name = _partition(span[0], column)
        is_whole = span == (_year_of if column == "year" else _month_of)(span[0])
        by_partition[name] = None if is_whole else (*(by_partition.get(name) or ()), span)
    return DaySlice(column, by_partition)


def since(day: date | None) -> Column:
    """True for rows from a business day on, in a table partitioned by month; None for all rows."""
    if day is None:
        return F.lit(True)
    return (F.col("month") >= _month(day)) & (F.col("business_date") >= F.lit(day))


def day_column(table: Table) -> str:
    """The table's column of business days."""
    return "day" if "day" in table.column_names else "business_date"


def _partition_condition(
    table: Table, partition: str | int, spans: tuple[DaySpan, ...] | None
) -> Column:
    inside = F.col(table.partition_by[0]) == partition
    return inside if spans is None else inside & any_of(_in_span(table, span) for span in spans)


def _months_condition(table: Table, year: int, spans: tuple[DaySpan, ...] | None) -> Column:
    month = F.col("month")
    if spans is None:
        return (month >= f"{year}-01") & (month <= f"{year}-12")
    return any_of(
        (month >= _month(first)) & (month <= _month(last)) & _in_span(table, (first, last))
        for first, last in spans
    )


def _in_span(table: Table, span: DaySpan) -> Column:
    day, (first, last) = F.col(day_column(table)), span
    return day == F.lit(first) if first == last else day.between(F.lit(first), F.lit(last))


def _spans(days: Iterable[date], column: str) -> list[DaySpan]:
    """Consecutive days of one partition are a run."""
    spans: list[DaySpan] = []
    for day in sorted(days):
        last = spans[-1][1] if spans else None
        if last == day - timedelta(days=1) and _partition(last, column) == _partition(day, column):
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans


def _days_of(first: date, last: date) -> list[date]:
    return [first + timedelta(days=place) for place in range((last - first).days + 1)]


def _month_of(day: date) -> DaySpan:
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


def _year_of(day: date) -> DaySpan:
    return date(day.year, 1, 1), date(day.year, 12, 31)


def _partition(day: date, column: str) -> str | int:
    return day.year if column == "year" else _month(day)


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
