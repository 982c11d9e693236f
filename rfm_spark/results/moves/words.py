"""Moves in words: what became of whom, and why, of profiles of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rfm_spark.results.moves.causes import (
    ACTIVITY,
    BOTH,
    BOUNDARY,
    CORRECTION,
    FIRST,
    INACTIVITY,
    LEFT,
    MERGED,
    RETURNED,
    RULES,
    STAYED,
)
from rfm_spark.results.rfm.values import Basis

# Who came can have fallen as well as risen: the words of activity fit both.
_OF_VISITS = {
    ACTIVITY: "by their visits",
    INACTIVITY: "they did not come",
    CORRECTION: "receipts were corrected",
    FIRST: "came for the first time",
    RETURNED: "came back",
}
_OF_EVENTS = {
    ACTIVITY: "by what they did",
    INACTIVITY: "they were not active",
    CORRECTION: "records were corrected",
    FIRST: "active for the first time",
    RETURNED: "active again",
}
_OF_ANY = {
    BOUNDARY: "boundaries moved",
    BOTH: "they changed, and boundaries moved",
    RULES: "rules changed",
}


def move_words(move: Mapping[str, Any], basis: Basis) -> str:
    """A move as a person reads it.

    Args:
        move: `segment_before`, `segment_after` and `cause`, as in `segment_moves`.
        basis: what the profile counts, and of whom.
    """
    before, after, cause = (move[one] for one in ("segment_before", "segment_after", "cause"))
    if cause == STAYED:
        return f"stayed {after}"
    if cause == MERGED:
        return f"took over from who was merged: {after}" if before is None else f"{before} merged"
    if cause == LEFT:
        return f"{before} left: {_why_left(basis)}"
    if cause in (FIRST, RETURNED):
        return f"{_why_in(cause, basis)}: {after}"
    why = {**_OF_ANY, **_of_profile(basis)}
    return f"{before} became {after}: {why[cause]}"


def _of_profile(basis: Basis) -> Mapping[str, str]:
    return _OF_EVENTS if basis.interactions else _OF_VISITS


def _why_in(cause: str, basis: Basis) -> str:
    """Who acted for the first time is new, whatever the filter; others may have begun to meet it.

    Of all known customers, who acted before and was not known can only have been delivered late.
    """
    has_filter = basis.filter is not None
    if not basis.has_all_known:
        told = _of_profile(basis)[cause]
        return f"{told}, or meets the filter now" if has_filter and cause == RETURNED else told
    if cause == FIRST:
        return "became known" + (", or meets the filter now" if has_filter else "")
    return "meets the filter now" if has_filter else "known by what was delivered late"


def _why_left(basis: Basis) -> str:
    no_filter = "no longer meets the filter"
    told = "no longer known" if basis.has_all_known else "no longer in the window"
    if basis.filter is None:
        return told
    return no_filter if basis.has_all_known else f"{told}, or {no_filter}"
