"""Natural breaks: bins whose values are alike, by dynamic programming over a histogram."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rfm_spark.results.rfm.boundaries.cuts import Cut, Histogram, Integers, spread_cuts

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
