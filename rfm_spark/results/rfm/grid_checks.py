"""What is wrong with a grid: cells without a segment, with two, and names never reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from rfm_spark.results.rfm.segments import PROSPECT, Cell, Grid, cells


def grid_problems(grid: Grid, scores: int, total_weights: Sequence[float]) -> list[str]:
    """What is wrong with a grid, in short lines: of many cells the first is named.

    Args:
        grid: at least one rule.
        scores: 5 for scores 1..5.
        total_weights: of R, F and M in `rfm_total`.

    >>> from rfm_spark.results.rfm.segments import SegmentRule
    >>> grid_problems(Grid((SegmentRule("All", "Greet them"),)), 3, (100, 10, 1))
    []
    >>> recent = Grid((SegmentRule("Recent", "Thank them", frozenset({3})),))
    >>> grid_problems(recent, 3, (100, 10, 1))
    ['no segment takes 111, nor 17 other cells']
    """
    found = list(_reached_or_not(grid, _distinct(grid, cells(scores, total_weights))))
    actions = {(rule.name, rule.action) for rule in grid.rules}
    for name, times in Counter(name for name, _ in sorted(actions)).items():
        if times > 1:
            found.append(f"'{name}' has {times} different actions: give it the same everywhere")
    reserved = sorted(grid.actions.keys() & {grid.lapsed, PROSPECT})
    return found + [f"'{name}' names customers outside the population" for name in reserved]


def _distinct(grid: Grid, every: Sequence[Cell]) -> dict[Cell, str]:
    """Cells that the grid can tell apart, with their names."""
    if any(rule.first_visit is not None for rule in grid.rules):
        return {
            cell: f"{cell.digits} (first visit {cell.first_visit} the window)" for cell in every
        }
    return {cell: cell.digits for cell in every if cell.first_visit == "inside"}


def _reached_or_not(grid: Grid, names: dict[Cell, str]) -> Iterator[str]:
    takers = {cell: grid.takers(cell) for cell in names}
    if grid.first_match_wins:
        last = grid.rules[-1]
        if not last.takes_all:
            yield (
                f"the last segment, '{last.name}', must take all others where the first match "
                "wins: leave out its conditions"
            )
        takers = {cell: taking[:1] for cell, taking in takers.items()}
    else:
        gaps = [names[cell] for cell, taking in takers.items() if not taking]
        if gaps:
            yield f"no segment takes {gaps[0]}{_others('nor', len(gaps) - 1)}"
        yield from _overlaps({names[cell]: taking for cell, taking in takers.items()})
    reached = {name for taking in takers.values() for name in taking}
    for name in grid.actions:
        if name not in reached:
            yield f"no cell can reach '{name}'"


def _overlaps(takers: dict[str, list[str]]) -> Iterator[str]:
    """One line: the first pair of segments with the first cell that both take."""
    shared: dict[tuple[str, str], list[str]] = {}
    for cell, taking in takers.items():
        for pair in combinations(taking, 2):
            shared.setdefault(pair, []).append(cell)
    if not shared:
        return
    (one, other), at = next(iter(shared.items()))
    more = len(shared) - 1
    pairs = f"; {more} more {'pair overlaps' if more == 1 else 'pairs overlap'}" if more else ""
    yield f"{one} and {other} both take {at[0]}{_others('and', len(at) - 1)}{pairs}"


def _others(joined_by: str, cells_more: int) -> str:
    if not cells_more:
        return ""
    return f", {joined_by} {cells_more} other {'cell' if cells_more == 1 else 'cells'}"
