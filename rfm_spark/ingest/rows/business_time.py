"""Business days: every delivered time becomes an instant and a calendar day, once."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType, StringType, TimestampNTZType, TimestampType

_UTC = "UTC"
_DAY_SECONDS = 86_400
_FULL_DATE = r"^\s*\d{4}-\d{1,2}-\d{1,2}"
_DATE_ONLY = _FULL_DATE + r"\s*$"
# Text with more than this names a zone in one of Spark's forms: Z, +00, +1:00, GMT, Europe/Paris.
_LOCAL = _FULL_DATE + r"([T ]\d{1,2}(:\d{1,2}(:\d{1,2}(\.\d*)?)?)?)?\s*$"


@dataclass(frozen=True)
class Calendar:
    """The shop's calendar.

    Attributes:
        time_zone: zone whose calendar day is the business day.
        day_start_hour: hour at which a business day begins, for shops open past midnight.
        source_time_zone: zone of delivered times that name none.
    """

    time_zone: str
    day_start_hour: int
    source_time_zone: str


def can_be_time(kind: DataType) -> bool:
    """Whether a column of this type can be read as a time."""
    return isinstance(kind, DateType | StringType | TimestampNTZType | TimestampType)


def instant_and_day(
    time: Column, kind: DataType, pattern: str | None, calendar: Calendar
) -> tuple[Column, Column]:
    """The instant (TIMESTAMP) and business day (DATE) of a delivered time; NULL if unreadable.

    A plain date is that business day whatever the day's start. Text needs a full date first:
    Spark would complete a bare hour with the clock's date. The session's time zone must be UTC.

    Args:
        time: the delivered column.
        kind: its type: DATE, TIMESTAMP, TIMESTAMP_NTZ or STRING.
        pattern: Spark datetime pattern of text; None for ISO 8601.
        calendar: the zones and the start of the day.
    """
    if isinstance(kind, DateType):
        return _instant(time.cast("timestamp"), calendar), time
    if isinstance(kind, TimestampType):
        return time, _day(time, calendar)
    if isinstance(kind, TimestampNTZType):
        instant = _instant(time.cast("timestamp"), calendar)
        return instant, _day(instant, calendar)
    if pattern is not None:
        parsed = F.try_to_timestamp(time, F.lit(pattern))
        if _pattern_names_zone(pattern):
            return parsed, _day(parsed, calendar)
        instant = _instant(parsed, calendar)
        if not _pattern_has_hour(pattern):
            return instant, parsed.cast("date")
        return instant, _day(instant, calendar)
    parsed = F.when(time.rlike(_FULL_DATE), F.trim(time).try_cast("timestamp"))
    instant = F.when(time.rlike(_LOCAL), _instant(parsed, calendar)).otherwise(parsed)
    day = F.when(time.rlike(_DATE_ONLY), parsed.cast("date")).otherwise(_day(instant, calendar))
    return instant, day


def month_name(day: Column) -> Column:
    """The month of a business day, as `2026-01`.

    Put together of numbers: formatting a date goes through objects for every row.
    """
    months = F.array(*[F.lit(f"-{month:02}") for month in range(1, 13)])
    return F.concat(F.year(day).cast("string"), F.element_at(months, F.month(day)))


def _instant(local: Column, calendar: Calendar) -> Column:
    zone = calendar.source_time_zone
    return local if zone == _UTC else F.to_utc_timestamp(local, zone)


def _day(instant: Column, calendar: Calendar) -> Column:
    """In whole seconds: dates and intervals go through objects for every row, numbers do not."""
    zone = calendar.time_zone
    local = instant if zone == _UTC else F.from_utc_timestamp(instant, zone)
    seconds = F.unix_seconds(local) - calendar.day_start_hour * 3600
    return F.date_from_unix_date(F.floor(seconds / _DAY_SECONDS).cast("int"))


def _pattern_names_zone(pattern: str) -> bool:
    return any(letter in pattern for letter in "VzOXxZ")


def _pattern_has_hour(pattern: str) -> bool:
    return any(letter in pattern for letter in "HhKk")
