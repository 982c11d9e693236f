"""Versions: which of a profile's boundary sets one is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, order=True)
class SetVersion:
    """Which of a profile's sets it is: `2011-11-30`, or `2011-11-30.2` for the second of that day.

    Attributes:
        day: it was fitted on.
        edition: 1 for the first set of the day. Tables have NULL for it.
    """

    day: date
    edition: int = 1

    @classmethod
    def of_columns(cls, day: date, edition: int | None) -> SetVersion:
        """The version that two columns of a table tell."""
        return cls(day, edition or 1)

    @classmethod
    def parsed(cls, text: str) -> SetVersion:
        """The version that a person writes.

        Raises:
            ValueError: if it is none.

        >>> str(SetVersion.parsed("2011-11-30.2"))
        '2011-11-30.2'
        """
        day, _, edition = text.partition(".")
        with suppress(ValueError):
            found = cls(date.fromisoformat(day), int(edition or 1))
            if str(found) == text and found.edition > 0:
                return found
        raise ValueError("give the version of a set, such as 2011-11-30, or 2011-11-30.2")

    @property
    def stored_edition(self) -> int | None:
        """As tables have it."""
        return None if self.edition == 1 else self.edition

    def __str__(self) -> str:
        return f"{self.day}" if self.edition == 1 else f"{self.day}.{self.edition}"
