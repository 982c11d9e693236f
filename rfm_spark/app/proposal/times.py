"""Times in texts: their pattern for Spark, the order of day and month, and what epochs count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, Literal

from rfm_spark.app.proposal.strangers import most_strangers, strangers_doubt
from rfm_spark.app.proposal.time_shapes import (
    Order,
    TimeShape,
    read_shape,
    shape_of,
    spark_pattern,
)

EpochUnit = Literal["seconds", "millis", "micros"]
_EPOCHS: dict[EpochUnit, int] = {"seconds": 1, "millis": 10**3, "micros": 10**6}
_EARLIEST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
_LATEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
_FIRST = 50
"""Values that tell whether it is worth to look at all of them."""
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?")


@dataclass(frozen=True)
class TimeFormat:
    """How the times of a column are written.

    Attributes:
        pattern: Spark's; None where none is needed.
        order: of year, month and day, by which `pattern` was made.
        epoch: unit of numbers since 1970; None for others.
        has_zone: whether values tell their zone, or are instants.
        has_time: whether values have an hour.
        doubts: what is not certain.
    """

    pattern: str | None = None
    order: Order = "ymd"
    epoch: EpochUnit | None = None
    has_zone: bool = False
    has_time: bool = True
    doubts: tuple[str, ...] = ()

    def read(self, value: Any) -> str | None:
        """A time as a person reads it, in the zone it was written in; None where it is none."""
        if value is None or isinstance(value, datetime | date):
            return None if value is None else str(value)
        text = str(value)
        if self.epoch is not None:
            try:
                moment = datetime.fromtimestamp(float(text) / _EPOCHS[self.epoch], UTC)
            except (ValueError, OverflowError):
                return None
            return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
        shape = shape_of(text)
        return None if shape is None else read_shape(shape, self.order)


def time_format(values: Sequence[Any], *, is_named: bool = False) -> TimeFormat | None:
    """The format of a column's times; None where they are none.

    Args:
        values: those that are there, in the file's order.
        is_named: whether the column's name tells that it has times.
    """
    if values and all(isinstance(value, datetime) for value in values):
        return TimeFormat(has_zone=values[0].tzinfo is not None)
    if values and all(isinstance(value, date) for value in values):
        return TimeFormat(has_time=False)
    if not values or not all(isinstance(value, str) for value in values):
        return None
    return _text_format(values, is_named)


def _text_format(values: Sequence[str], is_named: bool) -> TimeFormat | None:
    if sum(shape_of(value) is not None for value in values[:_FIRST]) < min(_FIRST, len(values)) / 2:
        return None
    shapes = _alike([shape for value in values if (shape := shape_of(value)) is not None])
    order, doubt = _order(shapes) if shapes else ("ymd", "")
    real = [shape for shape in shapes if read_shape(shape, order) is not None]
    strangers = len(values) - len(real)
    if not real or strangers > most_strangers(len(values), is_named=is_named):
        return None
    doubts = (doubt, *_doubts_of(real), strangers_doubt(strangers, len(values), "such time"))
    return TimeFormat(
        spark_pattern(real, order),
        order,
        None,
        all(shape.zone for shape in real),
        any(shape.hour is not None for shape in real),
        tuple(one for one in doubts if one),
    )


def _alike(shapes: Sequence[TimeShape]) -> list[TimeShape]:
    """Those that are written as most are: one pattern reads no others."""
    ways = Counter((shape.form, shape.mark) for shape in shapes)
    usual = max(ways, key=lambda way: ways[way], default=None)
    return [one for one in shapes if (one.form, one.mark) == usual]


def epoch_format(values: Sequence[Any], *, is_named: bool = False) -> TimeFormat | None:
    """The unit of numbers since 1970 that lie between 1990 and 2100; None of other values.

    Args:
        values: those that are there.
        is_named: whether the column's name tells that it has times.
    """
    numbers = [_number(value) for value in values]
    for unit, factor in _EPOCHS.items():
        strangers = sum(
            not _EARLIEST * factor <= number < _LATEST * factor
            or (unit != "seconds" and number % 1 != 0)
            for number in numbers
        )
        if numbers and strangers <= most_strangers(len(numbers), is_named=is_named):
            told = strangers_doubt(strangers, len(numbers), "such time")
            return TimeFormat(epoch=unit, has_zone=True, doubts=(told,) if told else ())
    return None


def _number(value: Any) -> float:
    """0, which is no time of a shop, of what is no number."""
    try:
        return 0.0 if isinstance(value, bool) else float(str(value))
    except ValueError:
        return 0.0


def is_time_of_day(values: Sequence[Any]) -> bool:
    """Whether values are hours and minutes without a day."""
    hours = sum(_TIME_OF_DAY.fullmatch(str(value).strip()) is not None for value in values)
    return hours > 0 and len(values) - hours <= most_strangers(len(values))


def _order(shapes: Sequence[TimeShape]) -> tuple[Order, str]:
    """Which of two numbers is the day, and what is not certain of it."""
    if shapes[0].form != "numbers":
        return "ymd", ""
    first, second = (sum(int(shape.parts[at]) > 12 for shape in shapes) for at in (0, 1))
    if first != second:
        return ("dmy" if first > second else "mdy"), ""
    orders: tuple[Order, Order] = ("dmy", "mdy")
    falls = [_falls([read_shape(shape, order) or "" for shape in shapes]) for order in orders]
    written = shapes[0].mark.join(shapes[0].parts)
    if falls[0] != falls[1]:
        order = orders[falls.index(min(falls))]
        reason = "by that order the rows go forward in time"
    elif shapes[0].mark == ".":
        order, reason = "dmy", "dates with points have the day first"
    elif any(shape.half for shape in shapes):
        order, reason = "mdy", "times with AM and PM mostly have the month first"
    else:
        order, reason = "dmy", "nothing tells"
    name = "the day" if order == "dmy" else "the month"
    return order, f"{written}: {name} is taken to come first ({reason}; no value is above 12)"


def _falls(times: Sequence[str]) -> int:
    """How often a time is before the one above it."""
    return sum(later < earlier for earlier, later in pairwise(times))


def _doubts_of(shapes: Sequence[TimeShape]) -> Iterator[str]:
    if len({bool(shape.zone) for shape in shapes}) > 1:
        yield "some times tell their zone and others do not: these are read in the source's zone"
    if shapes[0].form in ("numbers", "day_name") and any(len(one.parts[2]) == 2 for one in shapes):
        yield "years have two digits: they are taken for 2000 to 2099"
