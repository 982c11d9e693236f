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
_EPOCH, _MONDAY = date(1970, 1, 1), date(1970, 1, 5)


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


EVER = Window(days=None)


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


def period_number(day: Column, grain: Grain, week_start: Weekday) -> Column:
    """Which period holds a business day, counted from the one that begins at or after 1970-01-01.

    Numbers of periods are compared, subtracted and grouped by at a fraction of the cost of dates.
    """
    if grain == "day":
        return F.unix_date(day)
    if grain == "week":
        days = F.unix_date(day) - F.unix_date(F.lit(_first_week(week_start)))
        return F.floor(days / 7).cast("int")
    years = F.year(day) - _EPOCH.year
    return years * 12 + F.month(day) - 1 if grain == "month" else years


def period_start(number: Column, grain: Grain, week_start: Weekday) -> Column:
    """First day of the period of a `period_number`."""
    if grain == "day":
        return F.date_from_unix_date(number)
    if grain == "week":
        return F.date_add(F.lit(_first_week(week_start)), number * 7)
    return F.add_months(F.lit(_EPOCH), number if grain == "month" else number * 12)


def first_day_of_period(day: date, grain: Grain, week_start: Weekday) -> date:
    """First day of the period that holds a day."""
    if grain == "week":
        return day - timedelta(days=(day.weekday() - WEEKDAYS.index(week_start)) % 7)
    if grain == "day":
        return day
    return day.replace(day=1) if grain == "month" else day.replace(month=1, day=1)


def any_of(conditions: Iterable[Column]) -> Column:
    """True where one of the conditions holds; false for none at all."""
    whole: Column | None = None
    for condition in conditions:
        whole = condition if whole is None else whole | condition
    return F.lit(False) if whole is None else whole


def _first_week(week_start: Weekday) -> date:
    return _MONDAY + timedelta(days=WEEKDAYS.index(week_start))
