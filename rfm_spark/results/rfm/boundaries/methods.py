"""Methods of cutting a dimension: a new one is an entry here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from rfm_spark.core.cuts import Cut, Histogram, balanced_cuts, quantile_cuts
from rfm_spark.results.rfm.boundaries.buckets import ExactCuts, ExactPlaces, Fineness
from rfm_spark.results.rfm.boundaries.natural import TRANSFORMS, natural_cuts
from rfm_spark.results.rfm.boundaries.r_rfm import r_rfm_cuts, r_rfm_places


@dataclass(frozen=True)
class Given:
    """What a method is given beside the values.

    Attributes:
        cuts: of a method whose cuts are configured, ascending, as tables hold them.
        transform: one of TRANSFORMS, of a method that takes one.
        one: what 1 of the unit that people know is, as tables hold it: 100 of amounts in cents.
    """

    cuts: Sequence[int] = ()
    transform: str = TRANSFORMS[0]
    one: int = 1


@dataclass(frozen=True)
class BoundaryMethod:
    """A way to find the cut points of a dimension.

    Attributes:
        cut_points: ascending, of a histogram for a number of scores.
        exact: of cuts at given ranks, how fine histograms have to be for a number of scores: they
            are refined around the ranks, and are exact there. Others are as fine as
            `max_rank_error` asks for.
        is_given: whether the configuration has to give the cuts.
        is_at_values: whether cuts are values that occur.
        takes_transform: whether the configuration may give a transform.
    """

    cut_points: Callable[[Histogram, int, Given], list[Cut]]
    exact: Callable[[int], Fineness] | None = None
    is_given: bool = False
    is_at_values: bool = True
    takes_transform: bool = False


METHODS = {
    "quantile": BoundaryMethod(
        lambda histogram, scores, _: quantile_cuts(histogram, scores), exact=ExactCuts
    ),
    "balanced": BoundaryMethod(lambda histogram, scores, _: balanced_cuts(histogram, scores)),
    "natural": BoundaryMethod(
        lambda histogram, scores, given: natural_cuts(histogram, scores, given.transform),
        takes_transform=True,
    ),
    "fixed": BoundaryMethod(
        lambda _, __, given: list(given.cuts), is_given=True, is_at_values=False
    ),
    "r_rfm": BoundaryMethod(
        lambda histogram, scores, given: r_rfm_cuts(histogram, scores, given.one),
        exact=lambda scores: ExactPlaces(partial(r_rfm_places, scores=scores)),
        is_at_values=False,
    ),
}
"""By the name that the configuration and `rfm_boundaries` use."""
