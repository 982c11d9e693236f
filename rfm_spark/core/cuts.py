"""Cut points from a histogram of whole numbers, on the driver, in integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Cut = int | None


@dataclass(frozen=True)
class Histogram:
    """How often each value occurs.

    Attributes:
        values: ascending; where values were put into buckets, the smallest of each bucket.
        counts: occurrences, at least 1 each.
        rank_error: largest share of all occurrences that one bucket of several values holds; 0
            where every value stands for itself.
        last: the largest value of each bucket; None where every value stands for itself.
    """

    values: Integers
    counts: Integers
    rank_error: float = 0.0
    last: Integers | None = None

    @property
    def total(self) -> int:
        """All occurrences."""
        return int(self.counts.sum())


def quantile_cuts(histogram: Histogram, scores: int) -> list[Cut]:
    """Cut k is the smallest observed v with scores * count(x < v) >= k * total.

    The inverse of the empirical distribution (type 1 of Hyndman and Fan 1996), for the quintiles of
    Hughes, Strategic Database Marketing. Ties are never split; a cut that no value reaches is None.

    >>> visits = Histogram(np.array([1, 2, 3, 4, 5]), np.array([2, 2, 2, 2, 2]))
    >>> quantile_cuts(visits, 5)
    [2, 3, 4, 5]
    >>> quantile_cuts(Histogram(np.array([1, 7]), np.array([6, 4])), 5)
    [7, 7, 7, None]
    """
    below = np.concatenate(([0], np.cumsum(histogram.counts)[:-1]))
    cuts: list[Cut] = []
    for k in range(1, scores):
        place = int(np.searchsorted(below * scores, k * histogram.total, side="left"))
        cuts.append(int(histogram.values[place]) if place < len(below) else None)
    return cuts


def balanced_cuts(histogram: Histogram, scores: int) -> list[Cut]:
    """The cuts of min(scores, D) non-empty bins whose sizes are nearest to equal.

    Least sum of (size / total - 1 / scores)^2, which is least sum of size^2 since the sizes add
    up to the total; of equal optima the lexicographically smallest cuts. With D < scores
    distinct values every value is a bin, and bin i scores floor(i (scores - 1) / (D - 1)) above
    the lowest. A partition of ordered values by dynamic programming, after Fisher 1958.

    >>> balanced_cuts(Histogram(np.array([1, 2, 3, 9]), np.array([60, 20, 10, 10])), 3)
    [2, 3]
    >>> balanced_cuts(Histogram(np.array([1, 7]), np.array([6, 4])), 5)
    [7, 7, 7, 7]
    """
    if len(histogram.values) <= scores:
        return spread_cuts(histogram.values, scores)
    starts = _least_squares_starts(histogram.counts, scores)
    return [int(histogram.values[start]) for start in starts]


def spread_cuts(values: Integers, scores: int) -> list[Cut]:
    """Cuts that spread at most as many values as there are scores over the whole range of scores.

    Args:
        values: D of them, ascending, all different.
        scores: at least D.

    >>> spread_cuts(np.array([1, 2, 3]), 5)
    [2, 2, 3, 3]
    """
    distinct = len(values)
    steps = [_step(i, distinct, scores) for i in range(distinct)]
    firsts = [next((i for i in range(distinct) if steps[i] >= k), None) for k in _ks(scores)]
    return [None if first is None else int(values[first]) for first in firsts]


def bin_shares(histogram: Histogram, cuts: Sequence[Cut]) -> list[float]:
    """Share of all occurrences in each of the len(cuts) + 1 bins.

    Every cut is lower-inclusive, as in Spark ML's Bucketizer.

    >>> bin_shares(Histogram(np.array([1, 2, 3]), np.array([5, 3, 2])), [2, 3])
    [0.5, 0.3, 0.2]
    """
    passed = np.zeros(len(histogram.values), dtype=np.int64)
    for cut in cuts:
        if cut is not None:
            passed += histogram.values >= cut
    sizes = np.bincount(passed, weights=histogram.counts, minlength=len(cuts) + 1)
    return [float(size) / histogram.total for size in sizes]


def _ks(scores: int) -> range:
    return range(1, scores)


def _step(i: int, distinct: int, scores: int) -> int:
    return 0 if distinct == 1 else i * (scores - 1) // (distinct - 1)


def _least_squares_starts(counts: Integers, bins: int) -> list[int]:
    """First indexes of bins 2..bins of the split with the least sum of squared bin sizes.

    Dynamic programming from the right: least[b][i] is the least cost of cutting what begins at i
    into b bins. Costs stay below 2^63 for up to 3 billion occurrences.
    """
    size = len(counts)
    total = int(counts.sum())
    if total > 3_000_000_000:
        raise OverflowError(f"{total} customers: squared bin sizes would pass 64 bits")
    ends = np.concatenate(([0], np.cumsum(counts)))
    never = np.iinfo(np.int64).max
    least = np.full((bins + 1, size + 1), never, dtype=np.int64)
    least[1, :size] = (total - ends[:size]) ** 2
    for b in range(2, bins + 1):
        for i in range(size - b + 1):
            last = size - b + 2
            first_bin = (ends[i + 1 : last] - ends[i]) ** 2
            least[b, i] = (first_bin + least[b - 1, i + 1 : last]).min()
    starts: list[int] = []
    at = 0
    for b in range(bins, 1, -1):
        last = size - b + 2
        costs = (ends[at + 1 : last] - ends[at]) ** 2 + least[b - 1, at + 1 : last]
        at = at + 1 + int(np.argmin(costs))  # argmin gives the first: the smallest cut
        starts.append(at)
    return starts
