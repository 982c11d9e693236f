"""Collapsed bins: which scores nobody has, why, and what would fill them, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from rfm_spark.core.cuts import Cut, Histogram, balanced_cuts
from rfm_spark.core.panel import percent
from rfm_spark.results.rfm.boundaries.buckets import MAX_EXACT_VALUES
from rfm_spark.results.rfm.boundaries.methods import METHODS
from rfm_spark.results.rfm.boundaries.units import ValueUnit


def collapsed_bins(shares: Sequence[float]) -> list[int]:
    """The bins that received nobody, by how many cuts a value in them has passed.

    >>> collapsed_bins([0.5, 0.0, 0.2, 0.3])
    [1]
    """
    return [place for place, share in enumerate(shares) if share == 0]


def why_collapsed(
    histogram: Histogram,
    method: str,
    cuts: Sequence[Cut],
    empty: Mapping[int, int],
    unit: ValueUnit,
) -> str:
    """One line about the scores that nobody has.

    Args:
        histogram: that the cuts were fitted to.
        method: by which.
        cuts: of the dimension.
        empty: `collapsed_bins`, at least one, with the score of each.
        unit: that people know the values in.

    >>> visits = Histogram(np.array([1, 2, 3, 4, 5, 9]), np.array([50, 20, 10, 10, 5, 5]))
    >>> why_collapsed(visits, "quantile", [2, 2, 3, 4], {1: 2}, ValueUnit("visit", "visits"))
    'score 2 is empty: 50.0% of customers have 1 visit; `balanced` would give cuts 2, 3, 4, 5'
    """
    *others, last = (str(score) for score in sorted(empty.values()))
    which = f"scores {', '.join(others)} and {last} are" if others else f"score {last} is"
    reason = _reason(histogram, method, cuts, empty, unit)
    return f"{which} empty: {reason}{_remedy(histogram, method, len(cuts) + 1, unit)}"


def _reason(
    histogram: Histogram,
    method: str,
    cuts: Sequence[Cut],
    empty: Collection[int],
    unit: ValueUnit,
) -> str:
    distinct = len(histogram.values)
    if distinct <= len(cuts) and histogram.rank_error == 0:
        few = f"there are only {distinct} different values"
        return few if distinct > 1 else f"all customers have {unit.told(int(histogram.values[0]))}"
    if not METHODS[method].is_at_values:
        return "no customer has a value there"
    # By rank, a bin is empty where the value right below its cut holds more than a whole bin.
    below = [_place(histogram, cuts[place - 1]) - 1 for place in empty]
    most = max(below, key=lambda place: int(histogram.counts[place]))
    share = float(histogram.counts[most]) / histogram.total
    return f"{percent(share)} of customers have {unit.told(int(histogram.values[most]))}"


def _place(histogram: Histogram, cut: Cut) -> int:
    """Of the first value past a cut; past all values where it is not there."""
    return int(np.searchsorted(histogram.values, cut)) if cut is not None else len(histogram.values)


def _remedy(histogram: Histogram, method: str, scores: int, unit: ValueUnit) -> str:
    """What `balanced` would give, where it fills every score and is known exactly."""
    distinct = len(histogram.values)
    is_exact = histogram.rank_error == 0 and distinct <= MAX_EXACT_VALUES
    if method == "balanced" or distinct < scores or not is_exact:
        return ""
    found = balanced_cuts(histogram, scores)
    cuts = ", ".join(unit.number(cut) for cut in found if cut is not None)
    return f"; `balanced` would give cuts {cuts}"
