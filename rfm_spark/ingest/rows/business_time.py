"""Business time: parses delivered times into an instant (UTC) and a business day."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType, StringType, TimestampNTZType, TimestampType

_UTC = "UTC"
_DAY_SECONDS = 86_400
_FULL_DATE = r"^\s*\d{4}-\d{1,2}-\d{1,2}"
_DATE_ONLY = _FULL_DATE + r"\s*$"
# Longer text names a zone in one of Spark's forms: Z, +00, +1:00, GMT, Europe/Paris.
_LOCAL_TIME = _FULL_DATE + r"([T ]\d{1,2}(:\d{1,2}(:\d{1,2}(\.\d*)?)?)?)?\s*$"
_LETTERS_AT_END = r"[\d ](?!(?:Z|UTC|GMT|UT)\s*$)[A-Za-z]{2,5}\s*$"
_LETTERS = (
    r"\b(?!(?:UTC|GMT|UT|AM|PM|MON|TUE|WED|THU|FRI|SAT|SUN"
    r"|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b)[A-Z]{2,5}\b"
)
_QUOTED = re.compile(r"'[^']*'")


@dataclass(frozen=True)
class Calendar:
    """Time zones and day start by which delivered times become business days.

    Attributes:
        time_zone: time zone whose calendar day is the business day.
        day_start_hour: hour at which a business day begins, for shops open past midnight.
        source_time_zone: time zone of delivered times that name none.
    """

    time_zone: str
    day_start_hour: int
    source_time_zone: str


def is_time_type(data_type: DataType) -> bool:
    """Whether a column of this type can be parsed as a time."""
    return isinstance(data_type, DateType | StringType | TimestampNTZType | TimestampType)


def instant_and_day(
    time: Column, data_type: DataType, pattern: str | None, calendar: Calendar
) -> tuple[Column, Column]:
    """Instant (TIMESTAMP) and business day (DATE) of a delivered time; NULL where unreadable.

    A plain date is that business day whatever the day's start. Text needs a full date first:
    Spark would complete a bare hour with the clock's date. A zone by its letters alone, such as
    BST or CST, is unreadable: several zones share it. The session's time zone must be UTC.

    Args:
        time: the delivered column.
        data_type: type of the column: DATE, TIMESTAMP, TIMESTAMP_NTZ or STRING.
        pattern: Spark datetime pattern of text; None for ISO 8601.
        calendar: time zones and start of the business day.

    Returns:
        The instant and the business day, as two Columns.
    """
    if isinstance(data_type, DateType):
        return _to_instant(time.cast("timestamp"), calendar), time
    if isinstance(data_type, TimestampType):
        return time, _to_business_day(time, calendar)
    if isinstance(data_type, TimestampNTZType):
        instant = _to_instant(time.cast("timestamp"), calendar)
        return instant, _to_business_day(instant, calendar)
    if pattern is not None:
        parsed = F.try_to_timestamp(time, F.lit(pattern))
        if _has_letter(pattern, "z"):
            parsed = F.when(~time.rlike(_LETTERS), parsed)
        if _has_letter(pattern, "VzOXxZ"):
            return parsed, _to_business_day(parsed, calendar)
        instant = _to_instant(parsed, calendar)
        if not _has_letter(pattern, "HhKk"):
            return instant, parsed.cast("date")
        return instant, _to_business_day(instant, calendar)
    is_local = time.rlike(_LOCAL_TIME)
    has_zone = time.rlike(_FULL_DATE) & ~has_abbreviated_zone(time)
    parsed = F.when(is_local | has_zone, F.trim(time).try_cast("timestamp"))
    instant = F.when(is_local, _to_instant(parsed, calendar)).otherwise(parsed)
    day = F.when(time.rlike(_DATE_ONLY), parsed.cast("date")).otherwise(
        _to_business_day(instant, calendar)
    )
    return instant, day


def has_abbreviated_zone(time: Column) -> Column:
    """True for text that ends with a zone by its letters: BST is Britain's summer, and Dhaka."""
    return time.rlike(_LETTERS_AT_END)


def year_month(day: Column) -> Column:
    """Year and month of a business day, as `2026-01`.

    Concatenated from numbers: formatting a date allocates objects for every row.
    """
    month_suffixes = F.array(*[F.lit(f"-{month:02}") for month in range(1, 13)])
    return F.concat(F.year(day).cast("string"), F.element_at(month_suffixes, F.month(day)))


def _to_instant(local: Column, calendar: Calendar) -> Column:
    time_zone = calendar.source_time_zone
    return local if time_zone == _UTC else F.to_utc_timestamp(local, time_zone)


def _to_business_day(instant: Column, calendar: Calendar) -> Column:
    """Business day (DATE) of an instant, computed in whole seconds.

    Date and interval arithmetic allocates objects for every row, integer arithmetic does not.
    """
    time_zone = calendar.time_zone
    local = instant if time_zone == _UTC else F.from_utc_timestamp(instant, time_zone)
    seconds = F.unix_seconds(local) - calendar.day_start_hour * 3600
    return F.date_from_unix_date(F.floor(seconds / _DAY_SECONDS).cast("int"))


def _has_letter(pattern: str, letters: str) -> bool:
    """Whether a pattern has one of these letters, outside of quoted words."""
    unquoted = _QUOTED.sub("", pattern)
    return any(letter in unquoted for letter in letters)
