"""Cut points of one dimension, and the scores they give."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Cuts = list[int | None]
Ints = NDArray[np.int64]


def quantile_cuts(values: ArrayLike, n: int) -> Cuts:
    """Cut k = 1..n-1: the smallest observed v with n * count(x < v) >= k * N, in integers.

    Args:
        values: one whole number per customer, in any order.
        n: number of scores.

    Returns:
        n - 1 ascending cuts; None where no observed value passes.
    """
    distinct, sizes = _histogram(values)
    total = int(sizes.sum())
    below = np.cumsum(sizes) - sizes
    return [
        next(
            (
                int(v)
                for v, smaller in zip(distinct, below, strict=True)
                if n * smaller >= k * total
            ),
            None,
        )
        for k in range(1, n)
    ]


def balanced_cuts(values: ArrayLike, n: int) -> Cuts:
    """Cuts of the min(n, D) non-empty bins nearest to equal size, by dynamic programming.

    The least sum of (size/N - 1/n)^2 is the least sum of (n * size - N)^2, which is exact in
    integers. `least[i]` is that sum for the values from i on, in a given number of bins; taking
    the first next start that reaches it, from the left, gives the smallest cuts.

    Args:
        values: one whole number per customer, in any order.
        n: number of scores.

    Returns:
        n - 1 cuts. With D < n values a cut is repeated as often as the score jumps there, so
        that counting the cuts gives 1 + floor(i(n-1)/(D-1)); with D = 1 all are None.
    """
    distinct, sizes = _histogram(values)
    count = len(distinct)
    if count < n:
        return _spread_cuts(distinct, n)
    total = int(sizes.sum())
    before = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    least = (n * (total - before[:count]) - total) ** 2
    next_start: dict[tuple[int, int], int] = {}
    for bins in range(2, n + 1):
        starts = range(count - bins + 1) if bins < n else range(1)
        better = np.zeros(count, dtype=np.int64)
        for start in starts:
            last = count - bins + 2
            first_bin = (n * (before[start + 1 : last] - before[start]) - total) ** 2
            sums = first_bin + least[start + 1 : last]
            chosen = int(np.argmin(sums))
            better[start] = sums[chosen]
            next_start[bins, start] = start + 1 + chosen
        least = better
    cuts: Cuts = []
    start = 0
    for bins in range(n, 1, -1):
        start = next_start[bins, start]
        cuts.append(int(distinct[start]))
    return cuts


def brute_force_balanced_cuts(values: ArrayLike, n: int) -> Cuts:
    """The same as `balanced_cuts` by trying every set of cuts: for a few distinct values only.

    The combinations come in lexicographic order, so the first of equals is the smallest.
    """
    distinct, sizes = _histogram(values)
    if len(distinct) < n:
        return _spread_cuts(distinct, n)
    total = int(sizes.sum())

    def unevenness(starts: tuple[int, ...]) -> int:
        edges = [0, *starts, len(distinct)]
        parts = [int(sizes[a:b].sum()) for a, b in pairwise(edges)]
        return sum((n * part - total) ** 2 for part in parts)

    best = min(combinations(range(1, len(distinct)), n - 1), key=unevenness)
    return [int(distinct[start]) for start in best]


def r_rfm_scores(values: ArrayLike, n: int, low_is_best: bool = False) -> Ints:
    """Scores as R's rfm 0.3.0 gives them, in its own floating point.

    Its source has them so: `bins` of R/utils.R adds 1 to `quantile` (type 7) at
    seq(0, 1, length.out = n + 1), and `rfm_prep_bins` of R/rfm-table-transaction.R gives each of
    the n ranges, which begin at these, its score.

    Args:
        values: one number per customer in the unit that R is given, such as 19.9.
        n: number of scores.
        low_is_best: of recency.
    """
    ascending = np.sort(np.asarray(values, dtype=np.float64))
    index = 1 + (len(ascending) - 1) * np.linspace(0, 1, n + 1)[1:-1]
    low, high = np.floor(index).astype(int) - 1, np.ceil(index).astype(int) - 1
    share = index - np.floor(index)
    quantiles = (1 - share) * ascending[low] + share * ascending[high]
    quantiles = np.where(ascending[low] == ascending[high], ascending[low], quantiles)
    passed = (np.asarray(values)[:, None] >= quantiles + 1).sum(axis=1)
    return n - passed if low_is_best else 1 + passed


def scatter_of_bins(values: ArrayLike, cuts: Sequence[int | None], transform: str) -> Fraction:
    """Sum of squares of the transformed values around the mean of their bin, without rounding."""
    scores = score_ascending(values, cuts)
    places = _places(np.asarray(values), transform)
    total = Fraction(0)
    for score in set(scores.tolist()):
        inside = [place for place, own in zip(places, scores, strict=True) if own == score]
        mean = sum(inside) / len(inside)
        total += sum((place - mean) ** 2 for place in inside)
    return total


def brute_force_natural_cuts(values: ArrayLike, n: int, transform: str) -> Cuts:
    """Fisher-Jenks by trying every set of cuts: for a few distinct values only.

    Sums of squares are fractions; those of logarithms, which are rounded themselves, are the same
    where they differ by a relative 1e-12. The first in lexicographic order is the smallest.
    """
    distinct, sizes = _histogram(values)
    if len(distinct) < n:
        return _spread_cuts(distinct, n)
    places = _places(distinct, transform)
    weights = sizes.tolist()

    def scatter(start: int, end: int) -> Fraction:
        own = list(zip(places[start:end], weights[start:end], strict=True))
        mean = sum(place * weight for place, weight in own) / sum(weights[start:end])
        return sum((weight * (place - mean) ** 2 for place, weight in own), Fraction(0))

    bins = {
        (start, end): scatter(start, end)
        for start, end in combinations(range(len(distinct) + 1), 2)
    }
    choices = list(combinations(range(1, len(distinct)), n - 1))
    costs = [sum(bins[edge] for edge in pairwise((0, *one, len(distinct)))) for one in choices]
    limit = min(costs) * (1 + Fraction(1, 10**12))
    best = next(one for one, cost in zip(choices, costs, strict=True) if cost <= limit)
    return [int(distinct[start]) for start in best]


def _places(values: Ints, transform: str) -> list[Fraction]:
    if transform == "none":
        return [Fraction(value) for value in values.tolist()]
    return [Fraction(math.copysign(math.log1p(abs(value)), value)) for value in values.tolist()]


METHODS: dict[str, Callable[[ArrayLike, int], Cuts]] = {
    "quantile": quantile_cuts,
    "balanced": balanced_cuts,
}


def cut_points(values: ArrayLike, method: str, n: int) -> Cuts:
    """Cuts of one dimension by the named method; no cut exists where nothing was observed."""
    if method not in METHODS:
        raise ValueError(f"method {method!r} has no reference: expected one of {sorted(METHODS)}")
    if np.asarray(values).size == 0:
        return [None] * (n - 1)
    return METHODS[method](values, n)


def score_ascending(values: ArrayLike, cuts: Sequence[int | None]) -> Ints:
    """Score of frequency and money: 1 + number of cuts <= x; a missing cut is never passed."""
    return 1 + _cuts_passed(values, cuts)


def score_descending(values: ArrayLike, cuts: Sequence[int | None]) -> Ints:
    """Score of recency: n - number of cuts <= days, where n is one more than the cuts."""
    return len(cuts) + 1 - _cuts_passed(values, cuts)


def _cuts_passed(values: ArrayLike, cuts: Sequence[int | None]) -> Ints:
    numbers = np.asarray(values, dtype=np.int64)
    passed = np.zeros(numbers.shape, dtype=np.int64)
    for cut in cuts:
        if cut is not None:
            passed += cut <= numbers
    return passed


def _histogram(values: ArrayLike) -> tuple[Ints, Ints]:
    """Distinct values in ascending order and how many customers have each."""
    distinct, sizes = np.unique(np.asarray(values, dtype=np.int64), return_counts=True)
    return distinct, sizes.astype(np.int64)


def _spread_cuts(distinct: Ints, n: int) -> Cuts:
    """Cuts for D < n: value i = 0..D-1 passes floor(i(n-1)/(D-1)) of them."""
    count = len(distinct)
    if count == 1:
        return [None] * (n - 1)
    jumps = [i * (n - 1) // (count - 1) for i in range(count)]
    return [
        int(next(v for v, j in zip(distinct, jumps, strict=True) if j >= k)) for k in range(1, n)
    ]
