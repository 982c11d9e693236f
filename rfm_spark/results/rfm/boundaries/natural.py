"""Natural breaks: bins whose values are alike, by dynamic programming over a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rfm_spark.core.cuts import Cut, Histogram, Integers, spread_cuts

Reals = npt.NDArray[np.float64]

TRANSFORMS = ("log1p", "none")
"""Of the values whose spread within the bins is made least; the first is the default."""

_TIE = 1e-12
"""Relative difference up to which two sums of squares are the same: rounding is far below it."""


def natural_cuts(histogram: Histogram, scores: int, transform: str = TRANSFORMS[0]) -> list[Cut]:
    """The cuts of `scores` bins with the least sum of squares within the bins, exactly.

    Fisher 1958, On grouping for maximum homogeneity; as natural breaks of maps by Jenks 1967. Every
    value counts as often as it occurs, and ties are never split; a cut is its bin's smallest value.
    Of equal optima the lexicographically smallest cuts. At most `scores` distinct values are
    spread as by `balanced_cuts`.

    Args:
        histogram: of the values; a bucket of several counts as its smallest.
        scores: bins.
        transform: `log1p`: of sign(x) * log1p(|x|); `none`: of x itself.

    >>> sums = Histogram(np.array([1, 2, 3, 50, 51, 90]), np.array([5, 5, 5, 1, 1, 1]))
    >>> natural_cuts(sums, 3, "none")
    [50, 90]
    >>> natural_cuts(sums, 3)
    [2, 50]
    """
    if len(histogram.values) <= scores:
        return spread_cuts(histogram.values, scores)
    places = _transformed(histogram.values, transform)
    starts = _least_scatter_starts(places, histogram.counts.astype(np.float64), scores)
    return [int(histogram.values[start]) for start in starts]


@dataclass(frozen=True)
class Explained:
    """How much of the differences between customers the bins account for.

    Attributes:
        share: of the sum of squares, what lies between bins: 1 less what lies within them.
        error: how much more the best cuts can explain at most; 0 where every value is known.
    """

    share: float
    error: float


def explained(
    histogram: Histogram, cuts: Sequence[Cut], transform: str = TRANSFORMS[0]
) -> Explained:
    """The share of the sum of squares that `natural_cuts` explain, and how near to the best it is.

    A bin's scatter is the squared length of a projection of all values, so moving each of them to
    the smallest of its bucket changes the root of any sum of scatters by at most the length `away`
    of the move; the buckets' own sum is least at these cuts. With h the sum within bins of buckets,
    ours is thus at most (sqrt(h) + away)^2, and the least of all at least (sqrt(h) - away)^2.

    >>> sums = Histogram(np.array([1, 2, 3, 50, 51, 90]), np.array([5, 5, 5, 1, 1, 1]))
    >>> round(explained(sums, [50, 90], "none").share, 6)
    0.999005
    """
    places, weights = _transformed(histogram.values, transform), histogram.counts.astype(np.float64)
    starts = [int(np.searchsorted(histogram.values, cut)) for cut in cuts if cut is not None]
    total = _scatter(places, weights)
    within = sum(
        _scatter(*bins)
        for bins in zip(np.split(places, starts), np.split(weights, starts), strict=True)
    )
    if total == 0:  # one value: there is nothing to explain
        return Explained(1.0, 0.0)
    away = float(np.sqrt((weights * _widths(histogram, transform) ** 2).sum()))
    least, most = max(np.sqrt(within) - away, 0.0) ** 2, (np.sqrt(within) + away) ** 2
    least_total = max(np.sqrt(total) - away, 0.0) ** 2
    error = min((most - least) / least_total, 1.0) if least_total else 1.0
    return Explained(1 - within / total, float(error))


def _scatter(places: Reals, weights: Reals) -> float:
    weight = weights.sum()
    if weight == 0:
        return 0.0
    return float((weights * (places - (weights * places).sum() / weight) ** 2).sum())


def _widths(histogram: Histogram, transform: str) -> Reals:
    """From the smallest to the largest value of each bucket, transformed."""
    if histogram.last is None:
        return np.zeros(len(histogram.values))
    if transform == "log1p":
        return _transformed(histogram.last, transform) - _transformed(histogram.values, transform)
    pairs = zip(histogram.values.tolist(), histogram.last.tolist(), strict=True)
    return np.array([last - first for first, last in pairs], dtype=np.float64)


def _transformed(values: Integers, transform: str) -> Reals:
    if transform == "log1p":
        exact = values.astype(np.float64)
        return np.copysign(np.log1p(np.abs(exact)), exact)
    # As differences, which integers of Python hold exactly: a float64 tells 10^17 from 10^17 + 1
    # no more, and 64 bits do not hold every difference of two BIGINT.
    numbers = values.tolist()
    middle = numbers[len(numbers) // 2]
    return np.array([number - middle for number in numbers], dtype=np.float64)


def _least_scatter_starts(places: Reals, weights: Reals, bins: int) -> list[int]:
    """First indexes of bins 2..bins of the split with the least sum of squares within bins.

    Dynamic programming from the right: least[b - 1, i] is the least cost of cutting what begins at
    i into b bins. The sums of squares of all bins that begin at i follow from those that begin at
    i + 1 by running means (Welford 1962): differences of prefix sums would leave nothing of the
    small ones beside one large value. Of 4,096 values 8 million sums, an array operation for each
    first value.
    """
    size = len(places)
    least = np.full((bins, size + 1), np.inf)
    next_start = np.zeros((bins, size), dtype=np.int64)
    weight, mean, scatter = np.zeros((3, size))
    for i in range(size - 1, -1, -1):
        # Place i joins every bin [i + 1, j]: weight, mean and scatter are those of [i, j], by j.
        new_weight = weight[i:] + weights[i]
        away = places[i] - mean[i:]
        joining = weights[i] / new_weight * away
        scatter[i:] += weight[i:] * joining * away
        mean[i:] += joining
        weight[i:] = new_weight
        least[0, i] = scatter[-1]
        costs = scatter[i:] + least[:-1, i + 1 :]
        least[1:, i] = costs.min(axis=1)
        is_best = costs <= least[1:, i, None] * (1 + _TIE)
        next_start[1:, i] = i + 1 + is_best.argmax(axis=1)  # the first: the smallest cut
    starts = [0]
    for b in range(bins - 1, 0, -1):
        starts.append(int(next_start[b, starts[-1]]))
    return starts[1:]
