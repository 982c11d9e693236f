"""Fields of a proposal: what each says in the configuration, and what it reads of a row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rfm_spark.app.proposal.numbers import sql_text
from rfm_spark.app.proposal.times import TimeFormat

Row = Mapping[str, Any]
"""Values of one raw row by the names of its columns."""


class Field(Protocol):
    """One key of a section's `columns`."""

    def written(self) -> str | list[str]:
        """The text of the configuration: a column's name, or Spark SQL."""
        ...

    def read(self, row: Row) -> str:
        """What it gives for a row, for a person to look at."""
        ...

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        ...


@dataclass(frozen=True)
class Column:
    """A column of a file.

    Attributes:
        name: in the file; of JSON, the keys on the way to it, with points between.
        path: Spark SQL of a value inside of a column; empty for a column.
    """

    name: str
    path: str = ""

    @property
    def sql(self) -> str:
        """Inside of an expression."""
        if self.path:
            return self.path
        is_word = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.name)
        return self.name if is_word else "`" + self.name.replace("`", "``") + "`"

    def written(self) -> str:
        """By itself, where a column's name is that column."""
        return self.path or self.name

    def read(self, row: Row) -> str:
        """The value as it stands."""
        return as_text(row.get(self.name))

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        return (self.name,)


@dataclass(frozen=True)
class Columns:
    """Several columns that make one id.

    Attributes:
        parts: the columns.
    """

    parts: tuple[Column, ...]

    def written(self) -> list[str]:
        """A list."""
        return [part.written() for part in self.parts]

    def read(self, row: Row) -> str:
        """With bars between, as the id is."""
        return "|".join(part.read(row) for part in self.parts)

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        return tuple(part.name for part in self.parts)


@dataclass(frozen=True)
class FirstOf:
    """The first of several columns that is not blank.

    Attributes:
        parts: the columns.
    """

    parts: tuple[Column, ...]

    def written(self) -> str:
        """Blank text counts as nothing."""
        told = [f"nullif(trim({part.sql}), '')" for part in self.parts]
        return f"coalesce({', '.join(told)})"

    def read(self, row: Row) -> str:
        """The first that is there."""
        return next((text for part in self.parts if (text := part.read(row))), "")

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        return tuple(part.name for part in self.parts)


@dataclass(frozen=True)
class Unless:
    """A column, of which one value stands for nothing.

    Attributes:
        column: the column.
        nothing: the value.
    """

    column: Column
    nothing: str

    def written(self) -> str:
        """NULL for it."""
        return f"nullif(trim({self.column.sql}), {sql_text(self.nothing)})"

    def read(self, row: Row) -> str:
        """Empty for it."""
        text = self.column.read(row).strip()
        return "" if text == self.nothing else text

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        return (self.column.name,)


@dataclass(frozen=True)
class Moment:
    """A time: one column, or a day and an hour beside it.

    Attributes:
        column: of the time or its day.
        times: how it is written.
        hours: column of the hour; None where `column` has it.
    """

    column: Column
    times: TimeFormat
    hours: Column | None = None

    def written(self) -> str:
        """Epochs as text with their zone."""
        if self.hours is not None:
            return f"concat(trim({self.column.sql}), ' ', trim({self.hours.sql}))"
        if self.times.epoch is not None:
            # Seconds may have a fraction; of text, BIGINT is whole numbers alone.
            whole = "DECIMAL(20,6)" if self.times.epoch == "seconds" else "BIGINT"
            number = f"try_cast({self.column.sql} AS {whole})"
            return f"concat(timestamp_{self.times.epoch}({number}), 'Z')"
        return self.column.written()

    def read(self, row: Row) -> str:
        """The time in its zone."""
        value = row.get(self.column.name)
        if self.hours is not None:
            value = f"{as_text(value).strip()} {self.hours.read(row).strip()}"
        return self.times.read(value) or ""

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        return (self.column.name, *(self.hours.names() if self.hours else ()))


@dataclass(frozen=True)
class Constant:
    """The same for all rows.

    Attributes:
        text: of it.
        type: Spark's name of a type that stands before the text, such as DATE; empty for text.
    """

    text: str
    type: str = ""

    def written(self) -> str:
        """In quotes."""
        return f"{self.type} {sql_text(self.text)}".strip()

    def read(self, row: Row) -> str:  # noqa: ARG002 - any row
        """The text."""
        return self.text

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        return ()


@dataclass(frozen=True)
class LookedUp:
    """The column of a look-up.

    Attributes:
        lookup: its name.
        column: of the look-up's file.
    """

    lookup: str
    column: Column

    def written(self) -> str:
        """As expressions name it."""
        return f"{self.lookup}.{self.column.sql}"

    def read(self, row: Row) -> str:  # noqa: ARG002 - its file is another one
        """It lies in another file."""
        return "(looked up)"

    def names(self) -> tuple[str, ...]:
        """Of the columns it reads."""
        return ()


def as_text(value: Any) -> str:
    """A value as text, whole floating-point numbers without a point, as ids are read."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
