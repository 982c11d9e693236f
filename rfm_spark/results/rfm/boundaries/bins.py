"""Bins: the cuts of one dimension, for everybody or within one nest, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from rfm_spark.core.cuts import Cut, Histogram, bin_shares
from rfm_spark.results.rfm.boundaries.collapsed import collapsed_bins, why_collapsed
from rfm_spark.results.rfm.boundaries.methods import METHODS, Given
from rfm_spark.results.rfm.boundaries.natural import TRANSFORMS, Explained, explained
from rfm_spark.results.rfm.boundaries.units import ValueUnit
from rfm_spark.results.rfm.cut_points import Nest
from rfm_spark.results.rfm.settings import Dimension, Profile
from rfm_spark.results.rfm.tables import WITHIN


@dataclass(frozen=True)
class Fit:
    """The cuts of one dimension, for everybody or within one nest.

    Attributes:
        cuts: ascending; none there are where nobody is.
        shares: of the customers in each bin; None where nobody is.
        why_collapsed: of bins that nobody is in.
        customers: that they were fitted to.
        rank_error: share that a cut can be away from the exact one.
        explained: of cuts by `natural`, what they explain.
    """

    cuts: Sequence[Cut]
    shares: Sequence[float | None]
    why_collapsed: str | None = None
    customers: int = 0
    rank_error: float = 0.0
    explained: Explained | None = None


def fit(profile: Profile, dimension: str, unit: ValueUnit, histogram: Histogram | None) -> Fit:
    """The cuts that a profile's rules give a dimension.

    Args:
        profile: its rules.
        dimension: recency, frequency or monetary.
        unit: that people know the values in.
        histogram: of the values; None where nobody is.
    """
    if histogram is None:
        return Fit([None] * (profile.scores - 1), [None] * profile.scores)
    rules: Dimension = getattr(profile, dimension)
    method = METHODS[rules.method]
    given = Given(
        [unit.parsed(cut) for cut in rules.cuts or ()],
        rules.transform or TRANSFORMS[0],
        unit.parsed(1),
    )
    cuts = method.cut_points(histogram, profile.scores, given)
    shares = bin_shares(histogram, cuts)
    scores = _scores(profile, dimension)
    empty = {place: scores[place] for place in collapsed_bins(shares)}
    return Fit(
        cuts,
        shares,
        why_collapsed(histogram, rules.method, cuts, empty, unit) if empty else None,
        histogram.total,
        0.0 if method.exact else histogram.rank_error,
        explained(histogram, cuts, given.transform) if method.takes_transform else None,
    )


def _scores(profile: Profile, dimension: str) -> list[int]:
    """Of the bins, by how many cuts a value in them has passed."""
    ascending = list(range(1, profile.scores + 1))
    return ascending[::-1] if dimension == "recency" else ascending


def bins(profile: Profile, dimension: str, nest: Nest, found: Fit) -> Iterator[dict[str, Any]]:
    """Rows of `rfm_boundaries`; of nobody, bins without cuts and shares."""
    within = dict(zip_longest(WITHIN, nest))
    told = found.explained
    for place, score in enumerate(_scores(profile, dimension)):
        share = found.shares[place]
        yield {
            "dimension": dimension,
            **within,
            "cut": place,
            "value": None if place == 0 else found.cuts[place - 1],
            "score": score,
            "method": getattr(profile, dimension).method,
            "share": share,
            "customers": found.customers,
            "rank_error": found.rank_error,
            "collapsed": found.why_collapsed if share == 0 else None,
            "explained": None if told is None else told.share,
            "explained_error": None if told is None else told.error,
        }
