"""Choices of columns that receipts and interactions share: who, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rfm_spark.app.proposal.facts import ColumnFacts, best_named
from rfm_spark.app.proposal.fields import Moment, as_text
from rfm_spark.app.proposal.names import CERTAIN, points
from rfm_spark.app.proposal.times import TimeFormat, time_format

Facts = Mapping[str, ColumnFacts]

_REPEATED = (0.0005, 0.95)
"""Distinct values by rows of a column that can be the customer, where no name tells."""

_DAYS_THAT_TELL, _FAR_DAYS = 10, 366
"""Of so many days and more, one that is so far from the others is odd."""


@dataclass(frozen=True)
class Chosen:
    """A column for a field.

    Attributes:
        facts: of the column.
        doubt: why it may be another one; empty where it is certain.
    """

    facts: ColumnFacts
    doubt: str = ""


def chosen_customer(facts: Facts) -> Chosen | None:
    """The column that tells who; None where none can."""
    named = [one for one in best_named(facts, "customer_id") if one.can_be_id]
    if named and points("customer_id", named[0].name) >= CERTAIN:
        best, rivals = named[0], named[1:]
        worth = points("customer_id", best.name)
        as_good = [one.name for one in rivals if points("customer_id", one.name) == worth]
        doubt = f"{best.name} is taken for the customer; {as_good[0]} may be it as well" if (
            as_good) else ""  # fmt: skip
        return Chosen(best, doubt)
    if named:
        return Chosen(named[0], f"{named[0].name} is taken for the customer: no name tells better")
    return None


def customer_by_values(facts: Facts, taken: set[str]) -> Chosen | None:
    """A column whose values come again and again, where no name tells the customer."""
    found = [
        one
        for one in facts.values()
        if one.can_be_id
        and one.name not in taken
        and _REPEATED[0] < one.distinct / len(one.values) < _REPEATED[1]
    ]
    if not found:
        return None
    best = max(found, key=lambda one: one.distinct)
    return Chosen(best, f"{best.name} is taken for the customer, as its values come again: no "
                        "column's name tells who")  # fmt: skip


def chosen_time(facts: Facts) -> tuple[Moment, TimeFormat, list[str]] | None:
    """The time of a row, with its format and what is not certain; None where there is none."""
    named = [one for one in best_named(facts, "time") if one.times is not None]
    times = named or [one for one in facts.values() if one.times is not None]
    if not times:
        return None
    best, *others = times
    assert best.times is not None
    doubts = []
    if not points("time", best.name):
        doubts.append(f"{best.name} is taken for the time, as its values are times")
    elif others and points("time", others[0].name) == points("time", best.name):
        doubts.append(f"{best.name} is taken for the time; {others[0].name} is one as well")
    found = best.times
    hours = next((one for one in facts.values() if one.is_hour), None)
    moment = Moment(best.column, found)
    if hours is not None and not found.has_time:
        joined = time_format(_joined(best.values, hours.values), is_named=True)
        if joined is not None:
            found, moment = joined, Moment(best.column, joined, hours.column)
    doubts += [f"{best.name}: {doubt}" for doubt in [*found.doubts, *_odd_days(best)]]
    return moment, found, doubts


def _odd_days(times: ColumnFacts) -> Iterator[str]:
    """What to say of a day that lies far from all others, as of a till with a wrong clock."""
    assert times.times is not None
    read = {
        time[: len("2026-01-31")] for value in times.values if (time := times.times.read(value))
    }
    days = sorted(map(date.fromisoformat, read))
    if len(days) < _DAYS_THAT_TELL:
        return
    for odd, next_one, side in ((days[0], days[1], "before"), (days[-1], days[-2], "after")):
        if abs(odd - next_one).days > _FAR_DAYS:
            yield (
                f"{odd} lies far {side} all other days: if a clock was wrong, earliest_date and "
                "latest_date in [business] turn such rows away"
            )


def _joined(days: Sequence[Any], hours: Sequence[Any]) -> list[Any]:
    pairs = zip(days, hours, strict=True)
    return [
        f"{as_text(day).strip()} {as_text(hour).strip()}"
        for day, hour in pairs
        if day is not None and hour is not None
    ]
