"""Score ranges: between which cuts a value lies, and where the next better score begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Cut = int | None


@dataclass(frozen=True)
class ScoreRange:
    """The values that share a value's score, and the way out of it.

    Attributes:
        score: of the value.
        least: of the values with this score; None where it has no lower end.
        most: of them; None where it has no upper end.
        better_score: the next one that a better value has; None where there is none.
        better_from: the value nearest to this one that has it.
        worse_score: the next one that a worse value has; None where there is none.
        worse_from: the value nearest to this one that has it.
    """

    score: int
    least: int | None
    most: int | None
    better_score: int | None
    better_from: int | None
    worse_score: int | None
    worse_from: int | None


def score_range(value: int, cuts: Sequence[Cut], scores: int, low_is_best: bool) -> ScoreRange:
    """Where a value lies among the cuts of a dimension.

    Args:
        value: whole number, in the unit of the cuts.
        cuts: ascending and lower-inclusive; None for one that does not exist.
        scores: 5 for scores 1 to 5.
        low_is_best: whether low values are best, as of recency.

    >>> score_range(3, [2, 3, 3, 9], 5, low_is_best=False)
    ScoreRange(score=4, least=3, most=8, better_score=5, better_from=9, worse_score=2, worse_from=2)
    >>> score_range(40, [7, 30, 90, None], 5, low_is_best=True)
    ScoreRange(score=3, least=30, most=89, better_score=4, better_from=29, worse_score=2, \
worse_from=90)
    """
    there = [cut for cut in cuts if cut is not None]

    def score_of(one: int) -> int:
        passed = sum(cut <= one for cut in there)
        return scores - passed if low_is_best else 1 + passed

    least = max((cut for cut in there if cut <= value), default=None)
    above = min((cut for cut in there if cut > value), default=None)
    below = None if least is None else least - 1
    better, worse = (below, above) if low_is_best else (above, below)
    return ScoreRange(
        score=score_of(value),
        least=least,
        most=None if above is None else above - 1,
        better_score=None if better is None else score_of(better),
        better_from=better,
        worse_score=None if worse is None else score_of(worse),
        worse_from=worse,
    )
