"""Values as the reader of a report sees them."""

from __future__ import annotations

from datetime import date
from typing import Any

from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.page import Field, Kind, Withheld

HIDDEN = "hidden"
"""In the place of money of too few customers."""
_LEVELS = 5
_FEW_UNITS = 100
"""Money of less is told to the last minor unit."""


def shown(value: Any, kind: Kind, money: MoneyFormat) -> str:
    """A value as text.

    >>> euro = MoneyFormat("EUR", 2)
    >>> [shown(*one, euro) for one in ((1_234_567, "money"), (995, "money"), (0.1234, "share"))]
    ['12,346', '9.95', '12.3%']
    >>> [shown(*one, euro) for one in ((None, "count"), (Withheld.FEW, "money"), (12.345, "days"))]
    ['', 'hidden', '12.3']
    """
    if value is None:
        return ""
    if value is Withheld.FEW:
        return HIDDEN
    if kind == "money":
        is_small = abs(value) < _FEW_UNITS * 10**money.minor_unit_digits
        return money.exact(round(value)) if is_small else money.rounded(value)
    if kind == "share":
        return f"{value:.1%}"
    return {"count": "{:,}", "number": "{:,.2f}", "days": "{:,.1f}"}.get(kind, "{}").format(value)


def plain(value: Any, kind: Kind, money: MoneyFormat) -> Any:
    """A value as charts take it: money in whole units, days as ISO text."""
    if value is None or value is Withheld.FEW:
        return None
    if kind == "money":
        return value / 10**money.minor_unit_digits
    return value.isoformat() if isinstance(value, date) else value


def title(field: Field, money: MoneyFormat) -> str:
    """The head of a column, with the unit."""
    return f"{field.title}, {money.currency}" if field.kind == "money" else field.title


def change(value: Any, before: Any, kind: Kind, money: MoneyFormat) -> str:
    """How far a value lies from what it was.

    >>> change(110, 100, "count", MoneyFormat("EUR", 2))
    '▲ 10 more (+10.0%)'
    >>> change(90_00, 100_00, "money", MoneyFormat("EUR", 2))
    '▼ 10.00 less (-10.0%)'
    """
    if value is None or before is None or value is Withheld.FEW:
        return ""
    if value == before:
        return "no change"
    by = shown(abs(value - before), kind, money)
    share = f" ({(value - before) / before:+.1%})" if before > 0 else ""
    return f"▲ {by} more{share}" if value > before else f"▼ {by} less{share}"


def level(value: Any, most: float) -> int:
    """How strong the colour of a value is: 0 for none, up to 5 for the most; below 0 the same.

    >>> [level(value, 100) for value in (None, 0, 1, 50, 100, 300, -100)]
    [0, 0, 1, 3, 5, 5, -5]
    """
    if not isinstance(value, (int, float)) or not value or most <= 0:
        return 0
    strength = min(_LEVELS, 1 + int(abs(value) / most * _LEVELS * 0.999))
    return strength if value > 0 else -strength
