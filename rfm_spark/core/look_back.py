"""Look-backs: how far back from a day something counts, or ahead; the days inside are a window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F


@dataclass(frozen=True)
class LookBack:
    """The days `(as_of - days, as_of]`; all history where `days` is None.

    Attributes:
        days: how many there are.
        ahead: so many days later: what came after the day that is described, for looking back at it
            alone.

    >>> LookBack(7).first_day(date(2024, 3, 3))
    datetime.date(2024, 2, 26)
    >>> LookBack(365).label, LookBack(None).label
    ('365', 'all')
    >>> after = LookBack(30, ahead=30)
    >>> after.label, str(after.first_day(date(2024, 1, 31))), str(after.last_day(date(2024, 1, 31)))
    ('30_ahead_30', '2024-02-01', '2024-03-01')
    """

    days: int | None = None
    ahead: int = 0

    @property
    def label(self) -> str:
        """How tables name it: the number of days, or `all`."""
        label = "all" if self.days is None else str(self.days)
        return f"{label}_ahead_{self.ahead}" if self.ahead else label

    def first_day(self, as_of: date) -> date | None:
        """The earliest day inside; None where there is none."""
        if self.days is None:
            return None
        return self.last_day(as_of) - timedelta(days=self.days - 1)

    def last_day(self, as_of: date) -> date:
        """The latest day inside."""
        return as_of + timedelta(days=self.ahead)


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
