"""Cuts of R's package rfm: quantiles and one more, in R's floating point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from rfm_spark.core.bigint import BIGINT_MAX
from rfm_spark.core.cuts import Cut, Histogram


class _Between(NamedTuple):
    """Where a quantile lies.

    Attributes:
        low: place of the value below it, from 0, of all values in ascending order.
        high: of the value above it; the same where it is a value itself.
        share: of the way from one to the other, below 1.
    """

    low: int
    high: int
    share: float


def r_rfm_cuts(histogram: Histogram, scores: int, one: int) -> list[Cut]:
    """Cut k is quantile k / scores + 1, as R's rfm 0.3.0 takes it (`bins` of R/utils.R).

    The quantile is of type 7 (Hyndman and Fan 1996, R's default). The 1 is one of the unit that R
    is given: a day, a visit, a euro and not a cent, so another unit gives other scores.

    R works in floating point, and so does this: with 11 values the third of five quantiles is one
    of them, and a bit more, since R's 3 / 5 is 0.6000000000000001. Whoever is 1 above that value
    has then not passed the cut.

    Args:
        histogram: exact at `r_rfm_places`.
        scores: one more than there are cuts.
        one: what 1 is in the numbers of the histogram: 100 of amounts in cents.

    Returns:
        The least whole numbers that R would find at or past its cuts; they need not occur. None for
        one that no table can hold.

    >>> tens = Histogram(np.arange(10, 101, 10), np.ones(10, dtype=np.int64))
    >>> r_rfm_cuts(tens, 5, 1), r_rfm_cuts(tens, 5, 100)
    ([29, 47, 65, 83], [128, 146, 165, 182])
    """
    after = np.cumsum(histogram.counts)

    def amount(place: int) -> float:
        number = int(histogram.values[np.searchsorted(after, place, side="right")])
        return number / one

    return [
        _first_past(_quantile(amount(at.low), amount(at.high), at.share) + 1, one)
        for at in _positions(histogram.total, scores)
    ]


def r_rfm_places(total: int, scores: int) -> Sequence[int]:
    """Places, from 0, of the values that `r_rfm_cuts` looks at, of so many in ascending order."""
    return [place for at in _positions(total, scores) for place in (at.low, at.high)]


def _positions(total: int, scores: int) -> list[_Between]:
    step = 1 / scores
    indexes = [1 + (total - 1) * (k * step) for k in range(1, scores)]  # R's, rounded like R's
    return [
        _Between(math.floor(index) - 1, math.ceil(index) - 1, index - math.floor(index))
        for index in indexes
    ]


def _quantile(low: float, high: float, share: float) -> float:
    return low if low == high else (1 - share) * low + share * high


def _first_past(cut: float, one: int) -> Cut:
    """The least whole number whose amount, as R holds it, is at or past a cut."""
    number = math.ceil(Fraction(cut) * one)
    while (number - 1) / one >= cut:  # rounded to the same floating-point number as the cut
        number -= 1
    return number if number <= BIGINT_MAX else None
