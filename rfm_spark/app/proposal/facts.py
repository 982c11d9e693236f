"""What the values of a sample's columns tell: how many there are, numbers, times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rfm_spark.app.proposal.fields import Column, as_text
from rfm_spark.app.proposal.names import CERTAIN, points
from rfm_spark.app.proposal.numbers import NumberFormat, has_fraction, number_format
from rfm_spark.app.proposal.sample import Sample
from rfm_spark.app.proposal.strangers import most_strangers
from rfm_spark.app.proposal.times import TimeFormat, epoch_format, is_time_of_day, time_format

_NUMBERS = ("amount", "unit_price", "quantity")
"""Fields that are numbers."""
_MOST_BLANK = 0.05
"""Share of rows in which an id or a kind may be missing."""


@dataclass(frozen=True)
class ColumnFacts:
    """What a column's values tell.

    Attributes:
        column: the column.
        values: one for each row, None where there is none.
        filled: share of rows with a value.
        distinct: number of different values.
        numbers: how its numbers are written; None where they are none.
        times: how its times are written; None where they are none.
        is_hour: whether values are hours of a day.
    """

    column: Column
    values: Sequence[Any]
    filled: float
    distinct: int
    numbers: NumberFormat | None
    times: TimeFormat | None
    is_hour: bool

    @property
    def name(self) -> str:
        """Of the column."""
        return self.column.name

    @property
    def is_amount(self) -> bool:
        """Whether the values can be money or quantities."""
        return self.numbers is not None and self.times is None

    @property
    def doubts(self) -> list[str]:
        """What is not certain of how its values are written."""
        written = self.times or self.numbers
        return [f"{self.name}: {doubt}" for doubt in (written.doubts if written else ())]

    @property
    def is_usually_filled(self) -> bool:
        """Whether blank values are so few that they are odd ones."""
        blank = sum(value is None for value in self.values)
        return blank <= max(most_strangers(len(self.values)), int(_MOST_BLANK * len(self.values)))

    @property
    def is_fractional(self) -> bool:
        """Whether numbers have decimals that are not all 0."""
        if self.numbers is None or not self.numbers.digits:
            return False
        found = [self.numbers.read(value) for value in self.values if value is not None]
        return any(number is not None and has_fraction(number) for number in found)

    @property
    def can_be_id(self) -> bool:
        """Whether the values can tell one thing from another."""
        is_number = self.numbers is not None and not self.numbers.is_plain
        return self.times is None and not self.is_hour and not (self.is_fractional or is_number)


def facts_of(sample: Sample) -> dict[str, ColumnFacts]:
    """Facts of all columns that have a value, by their names."""
    values = {name: [_value(row.get(name)) for row in sample.rows] for name in sample.columns}
    there = {name: [one for one in found if one is not None] for name, found in values.items()}
    numeric = {name for name in values if any(points(role, name) >= CERTAIN for role in _NUMBERS)}
    formats = {
        name: number_format(found, is_named=name in numeric) for name, found in there.items()
    }
    marks = Counter(
        one.decimal for one in formats.values() if one and one.digits and not one.mark_doubt
    )
    usual = marks.most_common(1)[0][0] if marks else ""
    found_facts = {}
    for name, column in sample.columns.items():
        if not there[name]:
            continue
        numbers = formats[name]
        if numbers is not None and numbers.mark_doubt:
            numbers = number_format(there[name], usual, is_named=name in numeric)
        is_time = points("time", name) >= CERTAIN
        times = time_format(there[name], is_named=is_time)
        if times is None and points("time", name):
            times = epoch_format(there[name], is_named=is_time)
        found_facts[name] = ColumnFacts(
            column,
            values[name],
            len(there[name]) / len(values[name]),
            len({as_text(one) for one in there[name]}),
            numbers,
            times,
            is_time_of_day(there[name]),
        )
    return found_facts


def best_named(facts: Mapping[str, ColumnFacts], role: str, least: int = 1) -> list[ColumnFacts]:
    """Columns whose names tell a field, the best first."""
    told = [(points(role, name), one) for name, one in facts.items()]
    return [one for worth, one in sorted(told, key=lambda t: -t[0]) if worth >= least]


def _value(value: Any) -> Any:
    """None for blank text, and for what is no number in a column of numbers."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return None
    return None if isinstance(value, str) and not value.strip() else value
