"""What is shown of moves: from where to where customers went, and the largest moves in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rfm_spark.core.panel import Panel, PanelColumn
from rfm_spark.results.declaration import Request
from rfm_spark.results.moves.causes import FIRST, LEFT, MERGED, RETURNED, STAYED
from rfm_spark.results.moves.days import usual_days
from rfm_spark.results.moves.tables import SEGMENT_MOVES
from rfm_spark.results.moves.words import move_words
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.panels import window_name
from rfm_spark.results.rfm.rules_of_day import profile_of
from rfm_spark.results.rfm.settings import Profile, leading_profile

_SHOWN, _SHOWN_IN_A_RUN = 10, 3

Moves = Sequence[Mapping[str, Any]]


def move_panels(request: Request[Profiles]) -> Iterator[Panel]:
    """The day asked for as a matrix and in words, or the usual days in a few words.

    Of the profile that leads all usual days, of the others the one that is furthest back.
    """
    run, leading = request.run, leading_profile(request.rules)
    how_made = request.how_made("rfm", request.as_of)
    for name in sorted(request.rules, key=lambda one: one != leading):
        rules = profile_of(how_made, name) or request.rules[name]
        rows = run.warehouse.rows(SEGMENT_MOVES, {"profile": name, "as_of": request.as_of})
        days = usual_days(request.as_of) if run.since is None else [run.since]
        stored = [day for day in days if any(row["since"] == day for row in rows)]
        for day in stored if name == leading else stored[-1:]:
            moves = [row for row in rows if row["since"] == day]
            if run.since is not None:
                yield _matrix(moves, name, rules, request, day)
            yield _largest(moves, name, rules, request, day)


def _matrix(
    moves: Moves, name: str, rules: Profile, request: Request[Profiles], since: date
) -> Panel:
    """Rows to columns; columns have the numbers of rows: a screen has no room for their names."""
    known = {row[side] for row in moves for side in ("segment_before", "segment_after")} - {None}
    grid = rules.segment_grid.actions
    names = [*(one for one in grid if one in known), *sorted(known - {*grid})]
    numbered = {one: f"{number} {one}" for number, one in enumerate(names, 1)}
    took_over = any(row["cause"] == MERGED and row["segment_before"] is None for row in moves)
    came = [FIRST, RETURNED, *([MERGED] if took_over else [])]
    starts, ends = [*numbered.values(), *came], [*numbered.values(), LEFT]
    sizes: Counter[tuple[str, str]] = Counter()
    for row in moves:
        before, after = row["segment_before"], row["segment_after"]
        start = row["cause"] if before is None else numbered[before]
        sizes[start, LEFT if after is None else numbered[after]] += row["customers"]
    rows = [(start, *_with_sum([sizes[start, end] for end in ends])) for start in starts]
    down = [sum(sizes[start, end] for start in starts) for end in ends]
    return Panel(
        f"{name}, {window_name(rules)}: customers by segment, {since} to {request.as_of}",
        "",
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


def _largest(
    moves: Moves, name: str, rules: Profile, request: Request[Profiles], since: date
) -> Panel:
    shop = request.run.settings.business
    moved = [row for row in moves if row["cause"] != STAYED]
    told = [(row, move_words(row, rules.basis)) for row in moved]
    told.sort(key=lambda one: (-one[0]["customers"], -one[0]["revenue_cents"], one[1]))
    all_moved = sum(row["customers"] for row in moved)
    of_all = sum(row["customers"] for row in moves)
    return Panel(
        f"{name}: {all_moved:,} of {of_all:,} customers moved since {since}",
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
