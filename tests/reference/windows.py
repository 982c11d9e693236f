"""Days: windows back from as_of, and calendar periods."""

from __future__ import annotations

from datetime import date, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def day_before_window(as_of: date, window_days: int | None) -> date:
    """The last day before the window `(as_of - n, as_of]`; long ago for all history."""
    return date.min if window_days is None else as_of - timedelta(days=window_days)


def period_number(day: date, grain: str, week_start: str = "monday") -> int:
    """Running number of the calendar day, week, month or year that holds the day."""
    if grain == "day":
        return day.toordinal()
    if grain == "year":
        return day.year
    if grain == "month":
        return day.year * 12 + day.month - 1
    if grain == "week":
        # Ordinal 1 (0001-01-01) is a Monday.
        return (day.toordinal() - 1 - WEEKDAYS.index(week_start)) // 7
    raise ValueError(f"grain {grain!r} has no reference: expected day, week, month or year")


def first_day(period: int, grain: str, week_start: str = "monday") -> date:
    """First day of the period with that running number."""
    if grain == "day":
        return date.fromordinal(period)
    if grain == "year":
        return date(period, 1, 1)
    if grain == "month":
        return date(period // 12, period % 12 + 1, 1)
    return date.fromordinal(period * 7 + 1 + WEEKDAYS.index(week_start))


def last_day(period: int, grain: str, week_start: str = "monday") -> date:
    """Last day of the period: the day before the next one begins."""
    return first_day(period + 1, grain, week_start) - timedelta(days=1)
