"""Buckets: neighbouring values counted together, and how fine they have to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rfm_spark.core.cuts import Integers

MAX_EXACT_VALUES = 4_096
"""Distinct values up to which a histogram for cuts that are not at given ranks is exact."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Buckets:
    """Ranges of neighbouring values that occur, in ascending order; they do not overlap.

    Attributes:
        first: the smallest value seen in each.
        last: the largest value seen in each.
        count: occurrences of all values of each, at least 1.
    """

    first: Integers
    last: Integers
    count: Integers

    @classmethod
    def one(cls, first: int, last: int, count: int) -> Buckets:
        """A single bucket."""
        return cls(*(np.array([number], dtype=np.int64) for number in (first, last, count)))

    def __len__(self) -> int:
        return len(self.count)

    @property
    def total(self) -> int:
        """Occurrences in all of them."""
        return int(self.count.sum())

    @property
    def several(self) -> Mask:
        """Which of them hold more than one value."""
        return self.first < self.last

    def where(self, chosen: Mask) -> Buckets:
        """Some of them."""
        return Buckets(self.first[chosen], self.last[chosen], self.count[chosen])

    def joined(self, others: Buckets) -> Buckets:
        """These and others, in ascending order."""
        pairs = ((self.first, others.first), (self.last, others.last), (self.count, others.count))
        first, last, count = (np.concatenate(pair) for pair in pairs)
        order = np.argsort(first)
        return Buckets(first[order], last[order], count[order])


class Fineness(Protocol):
    """What a histogram is to be good for."""

    def too_coarse(self, buckets: Buckets) -> Mask:
        """Which of these buckets are to be looked into again."""

    def enough(self, buckets: Buckets) -> Buckets:
        """What to keep of buckets of which none is too coarse."""


@dataclass(frozen=True)
class ExactCuts:
    """The exact `quantile` cuts, however many distinct values there are.

    Only the buckets that can hold a cut are looked into again.

    Attributes:
        scores: one more than there are cuts.
    """

    scores: int

    def too_coarse(self, buckets: Buckets) -> Mask:
        """Buckets of several values in which the rank of a cut is passed."""
        after = np.cumsum(buckets.count)
        ranks = np.arange(1, self.scores) * after[-1]
        holding = np.zeros(len(buckets), dtype=np.bool_)
        holding[np.searchsorted(after * self.scores, ranks, side="left")] = True
        return holding & buckets.several

    def enough(self, buckets: Buckets) -> Buckets:
        """All of them."""
        return buckets


@dataclass(frozen=True)
class ExactPlaces:
    """The exact values at given places, however many distinct values there are.

    Attributes:
        places: from 0, of so many occurrences in ascending order.
    """

    places: Callable[[int], Sequence[int]]

    def too_coarse(self, buckets: Buckets) -> Mask:
        """Buckets of several values in which one of the places is."""
        after = np.cumsum(buckets.count)
        holding = np.zeros(len(buckets), dtype=np.bool_)
        holding[np.searchsorted(after, self.places(buckets.total), side="right")] = True
        return holding & buckets.several

    def enough(self, buckets: Buckets) -> Buckets:
        """All of them."""
        return buckets


@dataclass(frozen=True)
class WithinRank:
    """Exact up to a number of distinct values, and within a rank error beyond.

    Attributes:
        max_error: largest share of all occurrences that a bucket of several values may hold.
        exact_values: that number; each bucket that is looked into again is a branch of a query.
    """

    max_error: float
    exact_values: int = MAX_EXACT_VALUES

    def too_coarse(self, buckets: Buckets) -> Mask:
        """All that are not exact while few enough are known, else those that hold too many."""
        if len(buckets) <= self.exact_values:
            return buckets.several
        return buckets.several & (buckets.count > self._most(buckets))

    def enough(self, buckets: Buckets) -> Buckets:
        """Neighbours put together while they hold few enough: about 2 / max_error remain."""
        if len(buckets) <= self.exact_values:
            return buckets
        most = int(self._most(buckets))
        after = np.cumsum(buckets.count)
        starts = [0]
        while True:
            start = starts[-1]
            full = int(after[start] - buckets.count[start]) + most
            end = max(int(np.searchsorted(after, full, side="right")), start + 1)
            if end == len(buckets):
                break
            starts.append(end)
        lasts = [*(start - 1 for start in starts[1:]), len(buckets) - 1]
        count = np.add.reduceat(buckets.count, starts)
        return Buckets(buckets.first[starts], buckets.last[lasts], count)

    def _most(self, buckets: Buckets) -> float:
        return buckets.total * self.max_error
