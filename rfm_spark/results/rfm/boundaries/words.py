"""Boundary sets in words: what each score takes, and how far cuts lie from those of another set."""

from __future__ import annotations

from collections.abc import Sequence

from rfm_spark.core.cuts import Cut
from rfm_spark.results.rfm.boundaries.units import ValueUnit

NOTHING = "no value"


def score_words(cuts: Sequence[Cut], unit: ValueUnit, low_is_best: bool) -> list[str]:
    """What each score takes, the best first.

    Args:
        cuts: ascending; None for one that does not exist.
        unit: that people know the values in.
        low_is_best: whether low values are best, as of recency.

    >>> visits = ValueUnit("visit", "visits")
    >>> score_words([2, 2, 5, None], visits, low_is_best=False)
    ['no value', '5 visits or more', '2 to 4 visits', 'no value', 'up to 1 visit']
    """
    leasts, ends = [None, *cuts], [*cuts, None]
    told = [
        NOTHING if (place and least is None) or (place and least == end)
        else unit.range_told(least, end)
        for place, (least, end) in enumerate(zip(leasts, ends, strict=True))
    ]  # fmt: skip
    return told if low_is_best else told[::-1]


def bin_customers(
    shares: Sequence[float | None], customers: int, low_is_best: bool
) -> list[int | None]:
    """Customers of each score when the set was fitted, the best first; None where not stored."""
    sizes = [None if share is None else round(share * customers) for share in shares]
    return sizes if low_is_best else sizes[::-1]


def cut_moved(before: Cut, after: Cut, unit: ValueUnit) -> str:
    """How far a cut lies from that of another set.

    >>> days = ValueUnit("day", "days", is_time=True)
    >>> [cut_moved(*cuts, days) for cuts in ((9, 12), (12, 11), (5, 5), (None, 5), (5, None))]
    ['3 days more', '1 day less', 'the same', 'is new', 'is gone']
    """
    if before == after:
        return "the same"
    if before is None or after is None:
        return "is new" if before is None else "is gone"
    return f"{unit.told(abs(after - before))} {'more' if after > before else 'less'}"
