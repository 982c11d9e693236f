"""Periods since the origin: of the calendar, spans of the customer's own days, or brackets of them.

All of them are told by two numbers: the cohort, and the index of the period that holds a day. What
has begun and what has ended by a day follows from the index of that day and of the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import add

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.periods import Grain, Weekday, first_day_of_period, period_number, period_start

CALENDAR, ROLLING, BRACKETS = "calendar", "rolling", "brackets"
BEFORE_ORIGIN = -1
"""Index of what a member did before its own first day."""
_LONGEST = {"day": 1, "week": 7, "month": 31, "year": 366}


@dataclass(frozen=True)
class Periods:
    """How the time since the origin is divided.

    Attributes:
        grain: length of the period that makes a cohort, and of periods of the calendar.
        week_start: first day of a week.
        span_days: of rolling periods: each has so many days from the member's own first day on.
        last_days: of brackets: the last day of each, counted from the member's own first day, 0.
    """

    grain: Grain
    week_start: Weekday
    span_days: int | None = None
    last_days: tuple[int, ...] = ()

    @property
    def kind(self) -> str:
        """How tables name the division.

        >>> Periods("month", "monday").kind, Periods("month", "monday", span_days=28).kind
        ('calendar', 'rolling_28')
        """
        if self.last_days:
            return BRACKETS
        return CALENDAR if self.span_days is None else f"{ROLLING}_{self.span_days}"

    @property
    def is_own(self) -> Column:
        """Whether a row with `grain` and `kind` is of these."""
        return (F.col("grain") == self.grain) & (F.col("kind") == self.kind)

    def cohort(self, origin: Column) -> Column:
        """The cohort of a member whose first day is `origin`, a `period_number`."""
        return period_number(origin, self.grain, self.week_start)

    def cohort_start(self, cohort: Column) -> Column:
        """First day of a cohort's period."""
        return period_start(cohort, self.grain, self.week_start)

    def index(self, origin: Column, day: Column) -> Column:
        """Which period holds a day that is not before the origin; after the last bracket, one more.

        It never falls from one day to the next.
        """
        if self.kind == CALENDAR:
            return self.cohort(day) - self.cohort(origin)
        elapsed = F.datediff(day, origin)
        if self.span_days is not None:
            return F.floor(elapsed / self.span_days).cast("int")
        return reduce(add, [(elapsed > last).cast("int") for last in self.last_days])

    def index_or_before(self, origin: Column, day: Column) -> Column:
        """The same of any day; BEFORE_ORIGIN of earlier ones, NULL without an origin."""
        return F.when(day < origin, F.lit(BEFORE_ORIGIN)).otherwise(self.index(origin, day))

    def last_ended(self, origin: Column, as_of: date) -> Column:
        """The last period that has ended by a day; BEFORE_ORIGIN where none has."""
        return self.index(origin, F.lit(as_of + timedelta(days=1))) - 1

    def is_shown(self, index: Column) -> Column:
        """Whether it is a period, and not what lies before the first one or after the last."""
        shown = index > BEFORE_ORIGIN
        return shown & (index < len(self.last_days)) if self.last_days else shown

    def first_day(self, index: Column) -> Column:
        """Days from a member's own first day to the first one of a period; NULL of the calendar."""
        if self.kind == CALENDAR:
            return F.lit(None).cast("int")
        if self.span_days is not None:
            return index * self.span_days
        firsts = [0, *[last + 1 for last in self.last_days[:-1]]]
        return F.get(F.array(*map(F.lit, firsts)), index)

    def last_day(self, index: Column) -> Column:
        """The same to the last one."""
        if self.kind == CALENDAR:
            return F.lit(None).cast("int")
        if self.span_days is not None:
            return (index + 1) * self.span_days - 1
        return F.get(F.array(*map(F.lit, self.last_days)), index)

    def ends_before(self, cohort: Column, index: Column, day: date) -> Column:
        """Whether a period is over for every member before a day; not of brackets."""
        if self.span_days is None:
            return cohort + index < self.cohort(F.lit(day))
        last_member = F.date_sub(self.cohort_start(cohort + 1), 1)
        return F.date_add(last_member, (index + 1) * self.span_days - 1) < F.lit(day)

    def reaches_back_to(self, day: date) -> date:
        """The first day of all periods that are not over before a day, and of those before them."""
        if self.span_days is not None:
            return day - timedelta(days=2 * self.span_days + _LONGEST[self.grain])
        last = first_day_of_period(day, self.grain, self.week_start) - timedelta(days=1)
        return first_day_of_period(last, self.grain, self.week_start)


def periods_of(
    grains: list[Grain], week_start: Weekday, rolling_days: list[int], last_days: list[int]
) -> Iterator[Periods]:
    """All divisions that are asked for, each by every grain of cohorts."""
    for grain in grains:
        yield Periods(grain, week_start)
        for span in rolling_days:
            yield Periods(grain, week_start, span_days=span)
        if last_days:
            yield Periods(grain, week_start, last_days=tuple(last_days))
