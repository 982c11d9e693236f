"""The rules and the facts that a stored day was scored by, compared with those of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from rfm_spark.core.day_version import DayVersion
from rfm_spark.facts.changes import days_changed_since
from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.results.declaration import Made
from rfm_spark.results.moves.causes import ScoredDay, TwoDays
from rfm_spark.results.rfm.boundaries.stored import stored_set
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.run import ABSENT, Run

_NOT_OF_SCORES = {
    "leads",
    "total_weights",
    "ratio_weights",
    "refit",
    "refit_on",
    "pinned",
    "grid",
    "segments",
    "first_match_wins",
}
"""Keys of a profile that change no score; grids are compared as such."""


def score_alike(one: Profile, other: Profile) -> bool:
    """Whether two sets of rules give the same customer the same scores and segment."""
    return not rules_that_differ(one, other)


def rules_that_differ(one: Profile, other: Profile) -> list[str]:
    """Keys by which two sets of rules give the same customer other scores or segments."""
    own, others = (
        profile.canonical().model_dump(exclude=_NOT_OF_SCORES) for profile in (one, other)
    )
    keys = [key for key in own if own[key] != others[key]]
    return keys if _grid(one) == _grid(other) else [*keys, "segments"]


def two_days(
    run: Run,
    name: str,
    rules: Profile,
    earlier: Profile | None,
    versions: Mapping[date, DayVersion],
) -> TwoDays:
    """What two days of a profile were made by; where no record tells, boundary sets do.

    Args:
        run: the run.
        name: of the profile.
        rules: those of the later day.
        earlier: those of the earlier day; None where no record tells.
        versions: by day, the earlier one first: the boundary set it was scored by.
    """
    old, new = (stored_set(run, name, version) for version in versions.values())
    before, after = versions
    is_alike = old.fitted_by == new.fitted_by if earlier is None else score_alike(earlier, rules)
    return TwoDays(
        before=ScoredDay(before, old.cuts),
        after=ScoredDay(after, new.cuts),
        basis=rules.basis,
        scores=rules.scores,
        total_weights=rules.total_weights,
        grid=rules.segment_grid,
        have_rules_changed=not is_alike,
    )


def have_facts_changed(run: Run, made: Made | None, day: date) -> bool:
    """Whether something up to a day may be another than when that day was scored.

    It is told by the days that commits of facts note; where the log tells no more, or there is no
    record, it may be.
    """
    read = {} if made is None else made.read_versions
    tables = [
        table
        for table in (CUSTOMER_DAYS, CUSTOMER_DAY_EVENTS, CUSTOMER_TOTALS)
        if read.get(table.name, ABSENT) != ABSENT
    ]
    changed = [days_changed_since(run, table, read[table.name]) for table in tables]
    return not tables or any(days is None or min(days, default=date.max) <= day for days in changed)


def _grid(profile: Profile) -> object:
    """What decides a segment: not what to do about it, and totals only where it names them."""
    grid = profile.segment_grid
    rules = [replace(rule, action="") for rule in grid.rules]
    has_totals = any(rule.total is not None for rule in rules)
    weights = profile.total_weights if has_totals else None
    return (rules if grid.first_match_wins else set(rules), grid.first_match_wins, weights)
