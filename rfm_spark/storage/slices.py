"""Slices: the part of a table that one commit replaces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.tables import Table
from rfm_spark.transforms.window import any_of

MAX_DAYS = 31
"""More days than this are replaced by whole partitions: a filter stays short and prunes well."""


@dataclass(frozen=True)
class DaySlice:
    """Some business days, by the partitions of a table.

    Attributes:
        partition_column: `month` or `year`.
        days: days by partition; None for a whole partition.
    """

    partition_column: str
    days: dict[str | int, tuple[date, ...] | None]

    def condition(self, table: Table) -> Column:
        """True for the rows of the slice in this table, which may be partitioned more finely.

        Days are compared one by one and joined by OR: an IN over far days would make Delta read
        every file between them.
        """
        same = table.partition_by[0] == self.partition_column
        return any_of(
            _partition_condition(table, partition, days)
            if same
            else _months_condition(table, int(partition), days)
            for partition, days in self.days.items()
        )

    def whole(self) -> DaySlice:
        """The same partitions, each as a whole."""
        return DaySlice(self.partition_column, dict.fromkeys(self.days))


def day_slice(table: Table, days: Iterable[date]) -> DaySlice:
    """The slice of a table that holds the days, widened to whole partitions for many days."""
    column = table.partition_by[0]
    ordered = sorted(set(days))
    by_partition: dict[str | int, tuple[date, ...] | None] = {}
    for day in ordered:
        name = day.year if column == "year" else _month(day)
        by_partition[name] = (*(by_partition.get(name) or ()), day)
    part = DaySlice(column, by_partition)
    return part.whole() if len(ordered) > MAX_DAYS else part


def since(day: date | None) -> Column:
    """True for rows from a business day on, in a table partitioned by month; None for all rows."""
    if day is None:
        return F.lit(True)
    return (F.col("month") >= _month(day)) & (F.col("business_date") >= F.lit(day))


def day_column(table: Table) -> str:
    """The table's column of business days."""
    return "day" if "day" in table.column_names else "business_date"


def _partition_condition(
    table: Table, partition: str | int, days: tuple[date, ...] | None
) -> Column:
    inside = F.col(table.partition_by[0]) == partition
    return inside if days is None else inside & any_of(_is_day(table, day) for day in days)


def _months_condition(table: Table, year: int, days: tuple[date, ...] | None) -> Column:
    month = F.col("month")
    if days is None:
        return (month >= f"{year}-01") & (month <= f"{year}-12")
    return any_of((month == _month(day)) & _is_day(table, day) for day in days)


def _is_day(table: Table, day: date) -> Column:
    return F.col(day_column(table)) == F.lit(day)


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
