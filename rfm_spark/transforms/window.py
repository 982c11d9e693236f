"""Windows and periods of business days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

Grain = Literal["day", "week", "month", "year"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONDAY = date(1970, 1, 5)


@dataclass(frozen=True)
class Window:
    """The days `(as_of - days, as_of]`; all history where `days` is None."""

    days: int | None = None

    @property
    def label(self) -> str:
        """How tables name it: the number of days, or `all`."""
        return "all" if self.days is None else str(self.days)

    def first_day(self, as_of: date) -> date | None:
        """The earliest day inside; None where there is none."""
        return None if self.days is None else as_of - timedelta(days=self.days - 1)


def in_window(day: str, as_of: date, window: Window) -> Column:
    """Whether a business day counts."""
    until = F.col(day) <= F.lit(as_of)
    first = window.first_day(as_of)
    return until if first is None else until & (F.col(day) >= F.lit(first))


def in_years(as_of: date, window: Window) -> Column:
    """Whether a partition by `year` can hold days of the window: lets Delta skip the others."""
    until = F.col("year") <= as_of.year
    first = window.first_day(as_of)
    return until if first is None else until & (F.col("year") >= first.year)


def days_before(as_of: date, day: Column) -> Column:
    """Whole days from a business day to as_of."""
    return F.datediff(F.lit(as_of), day)


def period_start(day: Column, grain: Grain, week_start: Weekday) -> Column:
    """First day of the period that holds a business day."""
    if grain == "day":
        return day
    if grain == "week":
        return F.date_sub(day, _days_into_week(day, week_start))
    return F.trunc(day, grain)


def periods_between(start: Column, later: Column, grain: Grain) -> Column:
    """Whole periods from one period's first day to another's: 0 for the same period."""
    days = F.datediff(later, start)
    if grain == "day":
        return days
    if grain == "week":
        return F.floor(days / 7).cast("int")
    months = (F.year(later) - F.year(start)) * 12 + F.month(later) - F.month(start)
    return months if grain == "month" else F.year(later) - F.year(start)


def add_periods(start: Column, count: Column, grain: Grain) -> Column:
    """First day of the period that begins `count` periods after another period's first day."""
    if grain == "day":
        return F.date_add(start, count)
    if grain == "week":
        return F.date_add(start, count * 7)
    return F.add_months(start, count if grain == "month" else count * 12)


def any_of(conditions: Iterable[Column]) -> Column:
    """True where one of the conditions holds; false for none at all."""
    whole: Column | None = None
    for condition in conditions:
        whole = condition if whole is None else whole | condition
    return F.lit(False) if whole is None else whole


def _days_into_week(day: Column, week_start: Weekday) -> Column:
    first = _MONDAY + timedelta(days=WEEKDAYS.index(week_start))
    return F.pmod(F.datediff(day, F.lit(first)), F.lit(7))
