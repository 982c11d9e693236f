"""Segments: lifecycle stages as a grid over the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import and_
from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.results.rfm.scores import weighted_total

FirstVisit = Literal["inside", "before"]
Ends = tuple[float, float]
LAPSED = "Lapsed"
PROSPECT = "Prospect"


@dataclass(frozen=True)
class Cell:
    """All that a segment can ask of a customer.

    Attributes:
        r: recency score; f and m are those of frequency and monetary.
        total: `rfm_total`.
        first_visit: whether the first visit ever lies inside, or before, the window.
    """

    r: int
    f: int
    m: int
    total: float
    first_visit: FirstVisit

    @property
    def digits(self) -> str:
        """`rfm_cell`."""
        return f"{self.r}{self.f}{self.m}"

    @property
    def fm(self) -> float:
        """(F + M) / 2."""
        return (self.f + self.m) / 2


def cells(scores: int, total_weights: Sequence[float]) -> list[Cell]:
    """Every cell, once for each side of the window that the first visit can lie on."""
    axis = range(1, scores + 1)
    sides: tuple[FirstVisit, ...] = ("inside", "before")
    return [
        Cell(r, f, m, weighted_total(r, f, m, total_weights), side)
        for r, f, m, side in product(axis, axis, axis, sides)
    ]


@dataclass(frozen=True)
class SegmentRule:
    """The cells of one segment, or some of them: a name may have several rules.

    Attributes:
        name: what the business calls it.
        action: one line on what to do with it; the same in all rules of a name.
        recency: scores it takes; the same for frequency and monetary; None takes all.
        first_visit: only customers whose first visit ever lies inside, or before, the window.
        fm: least and greatest (F + M) / 2 it takes; the same for total, of `rfm_total`.
    """

    name: str
    action: str
    recency: frozenset[int] | None = None
    frequency: frozenset[int] | None = None
    monetary: frozenset[int] | None = None
    first_visit: FirstVisit | None = None
    fm: Ends | None = None
    total: Ends | None = None

    @property
    def takes_all(self) -> bool:
        """Whether it has no condition."""
        return self == SegmentRule(self.name, self.action)

    def takes(self, cell: Cell) -> bool:
        """Whether the rule takes a cell."""
        scores = ((self.recency, cell.r), (self.frequency, cell.f), (self.monetary, cell.m))
        ranges = ((self.fm, cell.fm), (self.total, cell.total))
        return (
            all(wanted is None or have in wanted for wanted, have in scores)
            and all(ends is None or ends[0] <= have <= ends[1] for ends, have in ranges)
            and self.first_visit in (None, cell.first_visit)
        )


@dataclass(frozen=True)
class Grid:
    """The segments of a profile.

    Attributes:
        rules: in the order they are written.
        first_match_wins: the first rule that takes a cell has it; else no two names take one.
        lapsed: what `customer_360` calls customers who came, but not in the window: no segment has
            this name.
    """

    rules: tuple[SegmentRule, ...]
    first_match_wins: bool = False
    lapsed: str = LAPSED

    @property
    def actions(self) -> dict[str, str]:
        """What to do with each segment, in their order."""
        return {rule.name: rule.action for rule in self.rules}

    def takers(self, cell: Cell) -> list[str]:
        """Names whose rules take a cell, each once, in the order of the rules."""
        return list(dict.fromkeys(rule.name for rule in self.rules if rule.takes(cell)))

    def segment_of(self, cell: Cell) -> str:
        """The segment of a cell, of a grid that leaves none out."""
        return self.takers(cell)[0]


def segment(grid: Grid, total: Column, first_visit_inside: Column) -> Column:
    """The segment of `r_score`, `f_score`, `m_score`: that of the first rule that takes them.

    Args:
        grid: in which no cell is left out.
        total: `rfm_total` of these scores.
        first_visit_inside: whether the customer's first visit ever lies inside the window.
    """
    first, *others = grid.rules
    chosen = F.when(_takes(first, total, first_visit_inside), first.name)
    for rule in others:
        chosen = chosen.when(_takes(rule, total, first_visit_inside), rule.name)
    return chosen


def _takes(rule: SegmentRule, total: Column, first_visit_inside: Column) -> Column:
    scores = {"r_score": rule.recency, "f_score": rule.frequency, "m_score": rule.monetary}
    conditions = [
        F.col(name).isin(*sorted(wanted)) for name, wanted in scores.items() if wanted is not None
    ]
    fm = (F.col("f_score") + F.col("m_score")) / 2
    ranges = ((fm, rule.fm), (total, rule.total))
    conditions += [value.between(*ends) for value, ends in ranges if ends is not None]
    if rule.first_visit is not None:
        is_inside = rule.first_visit == "inside"
        conditions.append(first_visit_inside if is_inside else ~first_visit_inside)
    return reduce(and_, conditions, F.lit(True))
