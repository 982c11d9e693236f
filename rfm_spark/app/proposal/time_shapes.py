"""Shapes of written times: their parts, and Spark's datetime pattern of a column of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Order = Literal["ymd", "dmy", "mdy"]
Form = Literal["iso", "numbers", "day_name", "name_day", "digits"]

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_DATES: dict[Form, re.Pattern[str]] = {
    "iso": re.compile(r"(\d{4})(?P<mark>[-/.])(\d{1,2})(?P=mark)(\d{1,2})", re.ASCII),
    "numbers": re.compile(
        r"(\d{1,2})(?P<mark>[-/.])(\d{1,2})(?P=mark)(\d{4}|\d{2})(?!\d)", re.ASCII
    ),
    "day_name": re.compile(
        r"(\d{1,2})(?P<mark>[-/. ])([A-Za-z]{3,9})(?P=mark)(\d{4}|\d{2})(?!\d)", re.ASCII
    ),
    "name_day": re.compile(r"([A-Za-z]{3,9}) (\d{1,2})(?P<mark>,? )(\d{4})", re.ASCII),
    "digits": re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?P<mark>)(?!\d)", re.ASCII),
}
_TIME = re.compile(
    r"(?P<between>T| |, )(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})"
    r"(?:\.(?P<fraction>\d{1,9}))?)?(?P<half> ?[AaPp][Mm])?",
    re.ASCII,
)
_ZONE = re.compile(r"(?P<gap> ?)(?P<zone>Z|UTC|GMT|[+-]\d{2}:\d{2}|[+-]\d{4}|[+-]\d{2})", re.ASCII)


@dataclass(frozen=True)
class TimeShape:
    """One written time in its parts.

    Attributes:
        form: how the date is written.
        mark: between the parts of the date.
        parts: of the date, as they stand.
        between: what separates date and time; empty without a time.
        hour: with minute, second and fraction, text as it stands; None where it is not told.
        minute: as `hour`.
        second: as `hour`.
        fraction: of a second, as `hour`.
        half: AM or PM with the gap before it; empty without.
        zone: with the gap before it; empty without.
    """

    form: Form
    mark: str
    parts: tuple[str, str, str]
    between: str = ""
    hour: str | None = None
    minute: str | None = None
    second: str | None = None
    fraction: str | None = None
    half: str = ""
    zone: str = ""


def shape_of(text: str) -> TimeShape | None:
    """The parts of a written time; None of other text."""
    text = text.strip()
    for form, pattern in _DATES.items():
        if (found := pattern.match(text)) is None:
            continue
        parts = [part for part in found.groups() if part is not None]
        parts = [found[place] for place in _places(found)]
        rest = text[found.end() :]
        time = _TIME.match(rest)
        rest = rest[time.end() :] if time else rest
        zone = _ZONE.fullmatch(rest) if rest and time else None
        if rest and zone is None:
            return None
        told = time.groupdict() if time else {}
        return TimeShape(
            form,
            found["mark"],
            (parts[0], parts[1], parts[2]),
            told.get("between") or "",
            told.get("hour"),
            told.get("minute"),
            told.get("second"),
            told.get("fraction"),
            told.get("half") or "",
            rest,
        )
    return None


def read_shape(shape: TimeShape, order: Order) -> str | None:
    """A time as ISO text in its own zone; None where there is no such time."""
    if shape.form == "numbers":
        day, month = shape.parts[:2] if order == "dmy" else shape.parts[1::-1]
        year = shape.parts[2]
    elif shape.form == "day_name":
        day, month, year = shape.parts
    elif shape.form == "name_day":
        month, day, year = shape.parts
    else:
        year, month, day = shape.parts
    number = int(month) if month.isdigit() else _month_number(month)
    try:
        on = date(int(year) + (2000 if len(year) == 2 else 0), number, int(day))
    except ValueError:
        return None
    if shape.hour is None:
        return f"{on}"
    hour, minute, second = int(shape.hour), int(shape.minute or 0), int(shape.second or 0)
    if shape.half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if "p" in shape.half.lower() else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return f"{on} {hour:02}:{minute:02}:{second:02}{shape.zone}"


def spark_pattern(shapes: Sequence[TimeShape], order: Order) -> str | None:
    """The pattern of a column's times; None where Spark reads them without one."""
    first = shapes[0]
    timed = [shape for shape in shapes if shape.hour is not None]
    is_read_anyway = (
        first.form == "iso"
        and first.mark == "-"
        and all(shape.between in ("", "T", " ") and not shape.half for shape in shapes)
    )
    if is_read_anyway:
        return None
    pattern = _date_pattern(shapes, order)
    if not timed:
        return pattern
    told = _time_pattern(timed)
    return pattern + (told if len(timed) == len(shapes) else f"[{told}]")


def _places(found: re.Match[str]) -> list[int]:
    """Numbers of the groups that are parts of the date."""
    mark = found.re.groupindex["mark"]
    return [place for place in range(1, found.re.groups + 1) if place != mark]


def _month_number(name: str) -> int:
    """1 to 12 of an English name or its first letters; 0 of another word."""
    lower = name.lower()
    named = (number for number, month in enumerate(_MONTHS, 1) if lower in (month, month[:3]))
    return next(named, 0)


def _date_pattern(shapes: Sequence[TimeShape], order: Order) -> str:
    first = shapes[0]
    years = "yy" if all(len(shape.parts[2]) == 2 for shape in shapes) else "yyyy"
    names = {shape.parts[0 if first.form == "name_day" else 1] for shape in shapes}
    month = "MMM" if all(len(name) == 3 for name in names) else "MMMM"
    if first.form == "numbers":
        return first.mark.join(["d", "M", years] if order == "dmy" else ["M", "d", years])
    if first.form == "day_name":
        return first.mark.join(["d", month, years])
    if first.form == "name_day":
        return f"{month} d{first.mark}yyyy"
    return "yyyyMMdd" if first.form == "digits" else first.mark.join(["yyyy", "M", "d"])


def _time_pattern(timed: Sequence[TimeShape]) -> str:
    """From what stands before the hour to the zone; what some have and others lack in brackets."""
    between = "'T'" if timed[0].between == "T" else timed[0].between
    halves = [shape.half for shape in timed]
    pattern = between + ("h:mm" if any(halves) else "H:mm")
    fraction = _told(".SSSSSSSSS", [shape.fraction for shape in timed if shape.second])
    pattern += _told(":ss" + fraction, [shape.second for shape in timed])
    if any(halves):
        pattern += " a" if halves[0].startswith(" ") else "a"
    zones = [shape.zone for shape in timed]
    if any(zones):
        zone = next(one for one in zones if one)
        pattern += _told(" " * zone.startswith(" ") + _zone_letters(zone.strip()), zones)
    return pattern


def _told(pattern: str, values: Iterable[str | None]) -> str:
    found = list(values)
    if not any(found):
        return ""
    return pattern if all(found) else f"[{pattern}]"


def _zone_letters(zone: str) -> str:
    if zone in ("UTC", "GMT"):
        return "z"
    if zone == "Z" or ":" in zone:
        return "XXX"
    return "xx" if len(zone) == 5 else "x"
