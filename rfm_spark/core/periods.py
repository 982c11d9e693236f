"""Periods of business days: days, weeks, months and years, by number or by first day."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

Grain = Literal["day", "week", "month", "year"]


Step = Literal["week", "month"]


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


_EPOCH, _MONDAY = date(1970, 1, 1), date(1970, 1, 5)


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
    """First day of the period that holds a day; weeks begin on `week_start` (ISO 8601: Monday).

    >>> first_day_of_period(date(2024, 2, 29), "month", "monday")
    datetime.date(2024, 2, 1)
    >>> first_day_of_period(date(2021, 1, 3), "week", "monday")
    datetime.date(2020, 12, 28)
    >>> first_day_of_period(date(2021, 1, 3), "week", "sunday")
    datetime.date(2021, 1, 3)
    """
    if grain == "week":
        return day - timedelta(days=(day.weekday() - WEEKDAYS.index(week_start)) % 7)
    if grain == "day":
        return day
    return day.replace(day=1) if grain == "month" else day.replace(month=1, day=1)


def every(step: Step, first: date, last: date) -> list[date]:
    """Days a week or a month apart, from one to another that is the last at most.

    Weeks keep the weekday of the first. Months keep its day, or have their last day where they are
    shorter; where the first is the end of its month, all days are ends of months.

    >>> [str(day) for day in every("week", date(2024, 2, 20), date(2024, 3, 4))]
    ['2024-02-20', '2024-02-27']
    >>> [str(day) for day in every("month", date(2024, 1, 30), date(2024, 3, 30))]
    ['2024-01-30', '2024-02-29', '2024-03-30']
    >>> [str(day) for day in every("month", date(2024, 2, 29), date(2024, 4, 30))]
    ['2024-02-29', '2024-03-31', '2024-04-30']
    """
    if step == "week":
        return [first + timedelta(days=7 * n) for n in range((last - first).days // 7 + 1)]
    wanted = 31 if first.day == monthrange(first.year, first.month)[1] else first.day
    months = (last.year - first.year) * 12 + last.month - first.month
    days = []
    for number in range(months + 1):
        years, month = divmod(first.month - 1 + number, 12)
        year, month = first.year + years, month + 1
        days.append(date(year, month, min(wanted, monthrange(year, month)[1])))
    return [day for day in days if day <= last]


def _first_week(week_start: Weekday) -> date:
    return _MONDAY + timedelta(days=WEEKDAYS.index(week_start))
