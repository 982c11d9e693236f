"""Drift: how far a population has moved from the one that a decision was made on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from rfm_spark.core.periods import first_day_of_period

Calendar = Literal["week", "month", "quarter"]

DRIFTED = 0.2
"""Index above which a population has shifted: Siddiqi, Credit Risk Scorecards."""

_FLOOR = 0.0001
"""Of a share, of which a logarithm is taken."""


def stability_index(at_fit: Sequence[float], today: Sequence[float]) -> float:
    """The population stability index: sum of (today - at_fit) * ln(today / at_fit), >= 0.

    Siddiqi, Credit Risk Scorecards. Shares below 0.0001 count as that.

    Args:
        at_fit: share of the population in each bin when the bins were fitted.
        today: the same of another population, in the same bins.

    >>> round(stability_index([0.5, 0.5], [0.6, 0.4]), 6)
    0.040547
    """
    pairs = zip(at_fit, today, strict=True)
    floored = [(max(before, _FLOOR), max(now, _FLOOR)) for before, now in pairs]
    return sum((now - before) * math.log(now / before) for before, now in floored)


def is_due(as_of: date, version: date, looked_at: Iterable[date], calendar: Calendar) -> bool:
    """Whether a decision is looked at for the first time in a later period than its own.

    Args:
        as_of: the day described.
        version: the day it was made on.
        looked_at: days on which its index has been worked out before, in any order.
        calendar: ISO weeks, calendar months or quarters.

    >>> is_due(date(2026, 2, 3), date(2026, 1, 9), [date(2026, 1, 31)], "month")
    True
    >>> is_due(date(2026, 2, 3), date(2026, 1, 9), [date(2026, 2, 1)], "month")
    False
    """
    begins = _first_day(as_of, calendar)
    return version < begins and not any(begins <= day <= as_of for day in looked_at)


def _first_day(day: date, calendar: Calendar) -> date:
    if calendar == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return first_day_of_period(day, calendar, "monday")
