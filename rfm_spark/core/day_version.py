"""Versions: which one of several that were made for a day, by other rules or of other facts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, order=True)
class DayVersion:
    """Which one it is: `2011-11-30`, or `2011-11-30.2` for the second that was fitted on that day.

    Of a profile's sets of cut points, or of the models of a clustering.

    Attributes:
        day: it was fitted on.
        edition: 1 for the first of the day. Tables have NULL for it.
    """

    day: date
    edition: int = 1

    @classmethod
    def of_columns(cls, day: date, edition: int | None) -> DayVersion:
        """The version that two columns of a table tell."""
        return cls(day, edition or 1)

    @classmethod
    def parsed(cls, text: str) -> DayVersion:
        """The version that a person writes.

        Raises:
            ValueError: if it is none.

        >>> str(DayVersion.parsed("2011-11-30.2"))
        '2011-11-30.2'
        """
        day, _, edition = text.partition(".")
        with suppress(ValueError):
            found = cls(date.fromisoformat(day), int(edition or 1))
            if str(found) == text and found.edition > 0:
                return found
        raise ValueError("give a version, such as 2011-11-30, or 2011-11-30.2")

    @property
    def stored_edition(self) -> int | None:
        """As tables have it."""
        return None if self.edition == 1 else self.edition

    def __str__(self) -> str:
        return f"{self.day}" if self.edition == 1 else f"{self.day}.{self.edition}"
