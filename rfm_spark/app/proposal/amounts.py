"""Amounts: money and quantities as fields, from one column or several."""

from __future__ import annotations

from dataclasses import dataclass

from rfm_spark.app.proposal.fields import Column, Row
from rfm_spark.app.proposal.numbers import NumberFormat

Number = tuple[Column, NumberFormat]


@dataclass(frozen=True)
class Amount:
    """Money or a quantity: one column, or some less others.

    Attributes:
        plus: columns with their formats.
        minus: columns that are subtracted, blank for 0.
        per_unit: of what is written, how much makes one unit; 100 of cents.
        foreign: of what `minus` has in the money of `plus`, a column in other money: where it is
            not 0 and `minus` tells nothing, the amount is not known.
    """

    plus: tuple[Number, ...]
    minus: tuple[Number, ...] = ()
    per_unit: int = 1
    foreign: Number | None = None

    def written(self) -> str:
        """The plain name where nothing has to be done."""
        [(column, numbers), *others] = self.plus
        is_one = not others and not self.minus and self.foreign is None
        if is_one and self.per_unit != 1:
            return f"{_decimal(column, numbers)} / {self.per_unit}"
        if is_one:
            return column.written() if numbers.is_plain else numbers.sql(column.sql)
        told = [_decimal(*one) for one in self.plus]
        taken = [_decimal_or_zero(*one) for one in self.minus]
        amount = " - ".join([" + ".join(told), *taken])
        if self.foreign is None:
            return amount
        known = [f"{_decimal_or_zero(*self.foreign)} = 0", *[f"{one} <> 0" for one in taken]]
        return f"CASE WHEN {' OR '.join(known)} THEN {amount} END"

    def read(self, row: Row) -> str:
        """The number."""
        found = [numbers.read(row.get(column.name)) for column, numbers in self.plus]
        if any(number is None for number in found):
            return ""
        taken = [numbers.read(row.get(column.name)) or 0 for column, numbers in self.minus]
        if self.foreign is not None and not any(taken):
            column, numbers = self.foreign
            if numbers.read(row.get(column.name)):
                return ""
        total = sum(number or 0 for number in found) - sum(taken)
        return str(total if self.per_unit == 1 else total / self.per_unit)

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        foreign = () if self.foreign is None else (self.foreign,)
        return tuple(column.name for column, _ in (*self.plus, *self.minus, *foreign))


def _decimal(column: Column, numbers: NumberFormat) -> str:
    # 18 digits behind the point are what an amount is read to.
    return f"try_cast({numbers.sql(column.sql)} AS DECIMAL(30,6))"


def _decimal_or_zero(column: Column, numbers: NumberFormat) -> str:
    return f"coalesce({_decimal(column, numbers)}, 0)"
