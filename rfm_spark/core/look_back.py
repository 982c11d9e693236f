"""Look-backs: how far back from a day something counts, or ahead; the days inside are a window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F


@dataclass(frozen=True)
class LookBack:
    """So many days that end with as_of, or so many days after or before it.

    Attributes:
        days: how many there are; None for all up to the end.
        ends_days_after: days from as_of to the last one: above 0 what came after the day that is
            described, for looking back at it alone; below 0 what was known before it.

    >>> LookBack(7).first_day(date(2024, 3, 3))
    datetime.date(2024, 2, 26)
    >>> LookBack(365).label, LookBack(None).label, LookBack(None, ends_days_after=-90).label
    ('365', 'all', 'all_ends_90_before')
    >>> after = LookBack(30, ends_days_after=30)
    >>> after.label, str(after.first_day(date(2024, 1, 31))), str(after.last_day(date(2024, 1, 31)))
    ('30_ends_30_after', '2024-02-01', '2024-03-01')
    """

    days: int | None = None
    ends_days_after: int = 0

    @property
    def label(self) -> str:
        """How tables name it: the number of days, or `all`; and its end, if that is not as_of."""
        days = "all" if self.days is None else str(self.days)
        if self.ends_days_after == 0:
            return days
        side = "after" if self.ends_days_after > 0 else "before"
        return f"{days}_ends_{abs(self.ends_days_after)}_{side}"

    def first_day(self, as_of: date) -> date | None:
        """The earliest day inside; None where there is none."""
        if self.days is None:
            return None
        return self.last_day(as_of) - timedelta(days=self.days - 1)

    def last_day(self, as_of: date) -> date:
        """The latest day inside."""
        return as_of + timedelta(days=self.ends_days_after)


EVER = LookBack(days=None)


def in_window(day: str, as_of: date, window: LookBack) -> Column:
    """Whether a business day counts."""
    until = F.col(day) <= F.lit(window.last_day(as_of))
    first = window.first_day(as_of)
    return until if first is None else until & (F.col(day) >= F.lit(first))


def in_years(as_of: date, window: LookBack) -> Column:
    """Whether a partition by `year` can hold days of the window: lets Delta skip the others."""
    until = F.col("year") <= window.last_day(as_of).year
    first = window.first_day(as_of)
    return until if first is None else until & (F.col("year") >= first.year)


def days_before(as_of: date, day: Column) -> Column:
    """Whole days from a business day to as_of."""
    return F.datediff(F.lit(as_of), day)
