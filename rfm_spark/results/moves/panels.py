"""What is shown of moves: from where to where customers went, and the largest moves in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rfm_spark.core.panel import Panel, PanelColumn
from rfm_spark.results.declaration import Request
from rfm_spark.results.moves.causes import FIRST, LEFT, RETURNED, STAYED
from rfm_spark.results.moves.days import usual_days
from rfm_spark.results.moves.rules import profile_of
from rfm_spark.results.moves.tables import SEGMENT_MOVES
from rfm_spark.results.moves.words import move_words
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.settings import leading_profile
from rfm_spark.results.rfm.values import Basis

_SHOWN, _SHOWN_IN_A_RUN = 10, 3

Moves = Sequence[Mapping[str, Any]]


def move_panels(request: Request[Profiles]) -> Iterator[Panel]:
    """Of the leading profile: the day asked for as a matrix, or the usual days in a few words."""
    run, profile = request.run, leading_profile(request.rules)
    rows = run.warehouse.rows(SEGMENT_MOVES, {"profile": profile, "as_of": request.as_of})
    days = usual_days(request.as_of) if run.since is None else [run.since]
    rules = profile_of(request.how_made("rfm", request.as_of), profile) or request.rules[profile]
    for day in days:
        moves = [row for row in rows if row["since"] == day]
        if moves and run.since is not None:
            yield _matrix(moves, list(rules.segment_grid.actions), request, day)
        if moves:
            yield _largest(moves, rules.basis, request, day)


def _matrix(moves: Moves, grid: Sequence[str], request: Request[Profiles], since: date) -> Panel:
    """Rows to columns; columns have the numbers of rows: a screen has no room for their names."""
    known = {row[side] for row in moves for side in ("segment_before", "segment_after")} - {None}
    names = [*dict.fromkeys(name for name in grid if name in known), *sorted(known - {*grid})]
    numbered = {name: f"{number} {name}" for number, name in enumerate(names, 1)}
    starts, ends = [*numbered.values(), FIRST, RETURNED], [*numbered.values(), LEFT]
    sizes: Counter[tuple[str, str]] = Counter()
    for row in moves:
        before, after = row["segment_before"], row["segment_after"]
        start = row["cause"] if before is None else numbered[before]
        sizes[start, LEFT if after is None else numbered[after]] += row["customers"]
    rows = [(start, *_with_sum([sizes[start, end] for end in ends])) for start in starts]
    down = [sum(sizes[start, end] for start in starts) for end in ends]
    return Panel(
        f"From segment to segment, {since} to {request.as_of}",
        ", customers",
        (
            PanelColumn("from"),
            *[PanelColumn(str(number), is_number=True) for number in range(1, len(ends))],
            PanelColumn(LEFT, is_number=True),
            PanelColumn("all", is_number=True),
        ),
        [*rows, ("all", *_with_sum(down))],
    )


def _with_sum(sizes: Sequence[int]) -> list[str]:
    """None is a dot: the eye finds what is there."""
    return [*[f"{size:,}" if size else "." for size in sizes], f"{sum(sizes):,}"]


def _largest(moves: Moves, basis: Basis, request: Request[Profiles], since: date) -> Panel:
    shop = request.run.settings.business
    moved = [row for row in moves if row["cause"] != STAYED]
    told = [(row, move_words(row, basis)) for row in moved]
    told.sort(key=lambda one: (-one[0]["customers"], -one[0]["revenue_cents"], one[1]))
    all_moved = sum(row["customers"] for row in moved)
    of_all = sum(row["customers"] for row in moves)
    return Panel(
        f"{all_moved:,} of {of_all:,} customers moved since {since}",
        f", revenue at stake in {shop.currency}",
        (
            PanelColumn("customers", is_number=True),
            PanelColumn("revenue", is_number=True),
            PanelColumn("largest moves"),
        ),
        [
            (
                f"{row['customers']:,}",
                shop.money_format.rounded(row["revenue_cents"]),
                words,
            )
            for row, words in told[: _SHOWN_IN_A_RUN if request.run.since is None else _SHOWN]
        ],
    )
