"""Panels: what a result shows of itself, whatever it is shown on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PanelColumn:
    """One column of a panel.

    Attributes:
        title: at its head.
        is_number: aligned to the right.
        is_long: what only a wide screen has room for.
    """

    title: str
    is_number: bool = False
    is_long: bool = False


@dataclass(frozen=True)
class Panel:
    """A title, and a small table whose cells are text already.

    Attributes:
        title: what is shown.
        note: what follows the title, such as a unit.
        columns: of the table; none for a title alone.
        rows: one text per column.
    """

    title: str
    note: str = ""
    columns: Sequence[PanelColumn] = ()
    rows: Sequence[Sequence[str]] = field(default=())


def percent(share: float | None) -> str:
    """A share as a person reads it; nothing where there is none.

    >>> percent(0.1234)
    '12.3%'
    """
    return "" if share is None else f"{share:.1%}"
