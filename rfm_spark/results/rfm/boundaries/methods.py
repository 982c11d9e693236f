"""Methods of cutting a dimension: a new one is an entry here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rfm_spark.core.cuts import Cut, Histogram, balanced_cuts, quantile_cuts
from rfm_spark.results.rfm.boundaries.natural import TRANSFORMS, natural_cuts


@dataclass(frozen=True)
class Given:
    """What the configuration gives a method.

    Attributes:
        cuts: of a method that is given them, ascending, as tables hold them.
        transform: one of TRANSFORMS, of a method that takes one.
    """

    cuts: Sequence[int] = ()
    transform: str = TRANSFORMS[0]


@dataclass(frozen=True)
class BoundaryMethod:
    """A way to find the cut points of a dimension.

    Attributes:
        cut_points: ascending, of a histogram for a number of scores.
        is_by_rank: whether the cuts are at given ranks: histograms are then refined around these,
            and are exact there; otherwise they are as fine as `max_rank_error` asks for.
        is_given: whether the configuration has to give the cuts.
        takes_transform: whether the configuration may give a transform.
    """

    cut_points: Callable[[Histogram, int, Given], list[Cut]]
    is_by_rank: bool = False
    is_given: bool = False
    takes_transform: bool = False


METHODS = {
    "quantile": BoundaryMethod(
        lambda histogram, scores, _: quantile_cuts(histogram, scores), is_by_rank=True
    ),
    "balanced": BoundaryMethod(lambda histogram, scores, _: balanced_cuts(histogram, scores)),
    "natural": BoundaryMethod(
        lambda histogram, scores, given: natural_cuts(histogram, scores, given.transform),
        takes_transform=True,
    ),
    "fixed": BoundaryMethod(lambda _, __, given: list(given.cuts), is_given=True),
}
"""By the name that the configuration and `rfm_boundaries` use."""
