"""Segments: lifecycle stages as a grid over the scores, checked to be whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

FirstVisit = Literal["inside", "before"]
LAPSED = "Lapsed"
PROSPECT = "Prospect"


@dataclass(frozen=True)
class SegmentRule:
    """One segment: the scores it takes.

    Attributes:
        name: what the business calls it.
        action: one line on what to do with it.
        recency: scores it takes; the same for frequency and monetary; None takes all.
        first_visit: only customers whose first visit ever lies inside, or before, the window.
    """

    name: str
    action: str
    recency: frozenset[int] | None = None
    frequency: frozenset[int] | None = None
    monetary: frozenset[int] | None = None
    first_visit: FirstVisit | None = None

    def takes(self, r: int, f: int, m: int, first_visit: FirstVisit) -> bool:
        """Whether the rule takes a cell."""
        taken = (
            wanted is None or have in wanted
            for wanted, have in ((self.recency, r), (self.frequency, f), (self.monetary, m))
        )
        return all(taken) and self.first_visit in (None, first_visit)


def _scores(*scores: int) -> frozenset[int]:
    return frozenset(scores)


DEFAULT_GRID = (
    SegmentRule("Champions", "Reward them, ask for reviews, show new products first",
                _scores(5), _scores(4, 5)),
    SegmentRule("Loyal", "Offer a loyalty tier and higher-value products",
                _scores(3, 4), _scores(4, 5)),
    SegmentRule("Potential Loyalist", "Invite into the loyalty programme, recommend next products",
                _scores(4, 5), _scores(2, 3)),
    SegmentRule("New", "Welcome them, show what else there is, win the second visit early",
                _scores(5), _scores(1), None, "inside"),
    SegmentRule("Returned", "Welcome them back, find out what brought them, make it a habit",
                _scores(5), _scores(1), None, "before"),
    SegmentRule("Promising", "Give a small reason to come again soon",
                _scores(4), _scores(1)),
    SegmentRule("Need Attention", "Make a limited offer on what they bought before",
                _scores(3), _scores(3)),
    SegmentRule("About to Sleep", "Remind them of what they liked before they are gone",
                _scores(3), _scores(1, 2)),
    SegmentRule("At Risk", "Write personally, offer a reason to renew",
                _scores(1, 2), _scores(3, 4)),
    SegmentRule("Can't Lose", "Call or win back with the best offer: they came most often",
                _scores(1, 2), _scores(5)),
    SegmentRule("Hibernating", "Spend little: a cheap reminder or a clearance offer",
                _scores(1, 2), _scores(1, 2)),
)  # fmt: skip
"""Lifecycle stages for five scores, after the segment grid of the R package rfm."""


def grid_problems(grid: Sequence[SegmentRule], scores: int) -> list[str]:
    """What is wrong with a grid: cells without a segment, with two, and names never reached.

    >>> grid_problems(DEFAULT_GRID, 5)
    []
    >>> grid_problems([SegmentRule("All", "Greet them")], 3)
    []
    """
    gaps: list[str] = []
    overlaps: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    reached: set[str] = set()
    sides: tuple[FirstVisit, ...] = ("inside", "before")
    axis = range(1, scores + 1)
    for r, f, m, side in product(axis, axis, axis, sides):
        names = [rule.name for rule in grid if rule.takes(r, f, m, side)]
        reached.update(names)
        here = f"{r}{f}{m} (first visit {side} the window)"
        if not names:
            gaps.append(here)
        elif len(names) > 1:
            overlaps[tuple(names)].append(here)
    problems = [f"no segment takes {_some(gaps)}"] if gaps else []
    problems += [f"{' and '.join(names)} both take {_some(at)}" for names, at in overlaps.items()]
    unreached = sorted({rule.name for rule in grid} - reached)
    problems += [f"no cell can reach '{name}'" for name in unreached]
    reserved = sorted({rule.name for rule in grid} & {LAPSED, PROSPECT})
    return problems + [f"'{name}' names customers outside the population" for name in reserved]


def segment(grid: Sequence[SegmentRule], first_visit_inside: Column) -> Column:
    """The segment of `r_score`, `f_score`, `m_score`.

    Args:
        grid: rules without gaps or overlaps, so that their order does not matter.
        first_visit_inside: whether the customer's first visit ever lies inside the window.
    """
    chosen: Column | None = None
    for rule in grid:
        takes = (
            _in("r_score", rule.recency)
            & _in("f_score", rule.frequency)
            & _in("m_score", rule.monetary)
        )
        if rule.first_visit is not None:
            inside = first_visit_inside
            takes = takes & (inside if rule.first_visit == "inside" else ~inside)
        chosen = F.when(takes, rule.name) if chosen is None else chosen.when(takes, rule.name)
    return F.lit(None).cast("string") if chosen is None else chosen


def _in(column: str, wanted: Collection[int] | None) -> Column:
    return F.lit(True) if wanted is None else F.col(column).isin(*sorted(wanted))


def _some(cells: Sequence[str]) -> str:
    shown = ", ".join(cells[:5])
    return shown if len(cells) <= 5 else f"{shown} and {len(cells) - 5} more"
