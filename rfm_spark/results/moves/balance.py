"""Moves as the books of two days: nobody is in none of them, and nobody in two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rfm_spark.core.errors import RunFailure
from rfm_spark.results.moves.days import StoredDay


def require_balance(
    profile: str, moves: Iterable[Mapping[str, Any]], before: StoredDay, after: StoredDay
) -> None:
    """Makes sure that moves add up to the segments of both days, and to the money of the earlier.

    Args:
        profile: its name.
        moves: rows of `segment_moves`, of these two days.
        before: what is stored of the earlier day.
        after: the same of the later one.

    Raises:
        RunFailure: naming the first segment that does not.
    """
    rows = list(moves)
    for day, side, measure, held in (
        (before, "segment_before", "customers", before.customers),
        (before, "segment_before", "revenue_cents", before.revenue_cents),
        (after, "segment_after", "customers", after.customers),
    ):
        found: Counter[str] = Counter()
        for row in rows:
            if row[side] is not None:
                found[row[side]] += row[measure]
        for segment in sorted(found.keys() | held.keys()):
            if found[segment] != held.get(segment, 0):
                raise RunFailure(
                    f"moves of {profile} from {before.as_of} to {after.as_of} do not add up: "
                    f"{measure} of {segment} as of {day.as_of} are {held.get(segment, 0):,} in "
                    f"segments and {found[segment]:,} in moves. Run `rfm-spark rfm --as-of "
                    f"{day.as_of}`, then this again; if that does not help, report it as a bug"
                )
