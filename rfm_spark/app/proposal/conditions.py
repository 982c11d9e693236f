"""Conditions of a proposal: which rows count, and what is true of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rfm_spark.app.proposal.fields import Column, Row
from rfm_spark.app.proposal.numbers import sql_text


@dataclass(frozen=True)
class IsOneOf:
    """Whether a column has one of some values, in any letter case; true where there are none.

    Attributes:
        column: the column.
        values: in lower case.
        is_opposite: whether all other values are meant, blank ones among them.
        is_text: whether the column is text, and not a number or a flag.
    """

    column: Column
    values: tuple[str, ...]
    is_opposite: bool = False
    is_text: bool = True

    def written(self) -> str:
        """NULL and blank are one value."""
        if self.values == ("",):
            return f"trim(coalesce({self.column.sql}, '')) {'<>' if self.is_opposite else '='} ''"
        value = self.column.sql if self.is_text else f"CAST({self.column.sql} AS STRING)"
        text = f"lower(trim(coalesce({value}, '')))"
        listed = ", ".join(map(sql_text, self.values))
        return f"{text} {'NOT IN' if self.is_opposite else 'IN'} ({listed})"

    def holds(self, row: Row) -> bool:
        """Whether it is so for a row."""
        found = self.column.read(row).strip().lower() in self.values
        return found is not self.is_opposite

    def read(self, row: Row) -> str:
        """Yes or nothing."""
        return "yes" if self.holds(row) else ""

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        return (self.column.name,)


@dataclass(frozen=True)
class AnyOf:
    """Whether any of some conditions holds.

    Attributes:
        conditions: the conditions.
    """

    conditions: Sequence[IsOneOf]

    def written(self) -> str:
        """One after the other."""
        return " OR ".join(one.written() for one in self.conditions)

    def holds(self, row: Row) -> bool:
        """Whether it is so for a row."""
        return any(one.holds(row) for one in self.conditions)

    def read(self, row: Row) -> str:
        """Yes or nothing."""
        return "yes" if self.holds(row) else ""

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        return tuple(one.column.name for one in self.conditions)


@dataclass(frozen=True)
class IsThere:
    """Whether a column has a value.

    Attributes:
        column: the column.
    """

    column: Column

    def written(self) -> str:
        """Of any type; an empty field of CSV is NULL."""
        return f"{self.column.sql} IS NOT NULL"

    def holds(self, row: Row) -> bool:
        """Whether it is so for a row."""
        return bool(self.column.read(row))

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        return (self.column.name,)
