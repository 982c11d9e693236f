"""Cut points of the three dimensions: for everybody, or nested within the scores before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from rfm_spark.core.cuts import Cut
from rfm_spark.results.rfm.score_ranges import ScoreRange, score_range

Nest = tuple[int, ...]
"""Scores that cuts lie within: () for everybody, (r,) for one R, (r, f) for one R and F."""

EVERYBODY: Nest = ()


def nests(scores: int, depth: int) -> list[Nest]:
    """All nests of so many dimensions, in ascending order.

    >>> nests(3, 0), nests(3, 1)
    ([()], [(1,), (2,), (3,)])
    """
    return list(product(range(1, scores + 1), repeat=depth))


def nest_words(nest: Nest) -> str:
    """The scores that cuts lie within, as one says it.

    >>> nest_words((5, 2))
    'R 5, F 2'
    """
    return ", ".join(f"{letter} {score}" for letter, score in zip("RF", nest, strict=False))


@dataclass(frozen=True)
class CutPoints:
    """The cut points of a boundary set.

    Attributes:
        by_nest: by dimension (in the order of R, F, M), then by nest: ascending cut points.
    """

    by_nest: Mapping[str, Mapping[Nest, Sequence[Cut]]]

    @classmethod
    def plain(cls, cuts: Mapping[str, Sequence[Cut]]) -> CutPoints:
        """The same for everybody, by dimension."""
        return cls({dimension: {EVERYBODY: points} for dimension, points in cuts.items()})

    @property
    def scores(self) -> int:
        """How many scores they give."""
        return 1 + len(self.by_nest["recency"][EVERYBODY])

    def is_nested(self, dimension: str) -> bool:
        """Whether a dimension is cut within the scores before it."""
        return EVERYBODY not in self.by_nest[dimension]

    def within(self, dimension: str, before: Nest) -> Sequence[Cut]:
        """The cuts of a dimension for who has these scores in those before it.

        There are none where a score is none of these cuts': then other rules gave it.
        """
        of_nests = self.by_nest[dimension]
        return of_nests[EVERYBODY] if EVERYBODY in of_nests else of_nests.get(before, ())

    def ranges(self, values: Mapping[str, int], scores: int) -> dict[str, ScoreRange]:
        """The scores of one customer, and between which cuts each value lies.

        Args:
            values: by dimension, in the unit of the cuts.
            scores: 5 for scores 1 to 5.

        >>> nested = {(1,): [2], (2,): [9]}
        >>> cuts = CutPoints({"recency": {(): [30]}, "frequency": nested, "monetary": {(): [50]}})
        >>> late = cuts.ranges({"recency": 40, "frequency": 3, "monetary": 70}, 2)
        >>> soon = cuts.ranges({"recency": 10, "frequency": 3, "monetary": 70}, 2)
        >>> [[one.score for one in found.values()] for found in (late, soon)]
        [[1, 2, 2], [2, 1, 2]]
        """
        found: dict[str, ScoreRange] = {}
        for dimension in self.by_nest:
            before = tuple(one.score for one in found.values())
            cuts = self.within(dimension, before)
            low_is_best = dimension == "recency"
            found[dimension] = score_range(values[dimension], cuts, scores, low_is_best)
        return found
