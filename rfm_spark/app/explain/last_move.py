"""The last move of a customer: between which stored days its segment changed, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from rfm_spark.app.explain.stored import StoredCustomer
from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.panel import Panel
from rfm_spark.results.moves.one_customer import cause_of
from rfm_spark.results.moves.rules import two_days
from rfm_spark.results.moves.words import move_words
from rfm_spark.results.rfm.settings import Profile


@dataclass(frozen=True)
class Move:
    """From one segment to another; None for a side on which it was not in the population.

    Attributes:
        since: the earlier day.
        as_of: the later day.
        segment_before: of the earlier day.
        segment_after: of the later day.
    """

    since: date
    as_of: date
    segment_before: str | None
    segment_after: str | None


def last_move(stored: StoredCustomer, name: str, day: date) -> Move | None:
    """The last one up to a day, between days that are next to each other among those stored."""
    days = [one for one in stored.scored_days.get(name, ()) if one <= day]
    for since, as_of in reversed(list(pairwise(days))):
        before, after = (stored.segment(name, one) for one in (since, as_of))
        if before != after:
            return Move(since, as_of, before, after)
    return None


def cause_between(
    stored: StoredCustomer, name: str, rules: Profile, since: date, as_of: date
) -> str:
    """The cause that `segment_moves` counts the customer under.

    Args:
        stored: the customer, in the population of one of the days at least.
        name: of the profile.
        rules: of it, by which the later day was scored.
        since: the earlier day.
        as_of: the later day.
    """
    before, after = (stored.scores.get((name, day)) for day in (since, as_of))
    # Who is on one side only needs no cuts: any set will do.
    set_of = {day: stored.scores.get((name, day), before or after) for day in (since, as_of)}
    versions = {
        day: DayVersion.of_columns(row["boundary_version"], row["boundary_edition"])
        for day, row in set_of.items()
        if row is not None
    }
    days = two_days(stored.run, name, rules, stored.rules_on_record(name, since), versions)
    today = stored.values_now(rules, since) if stored.have_facts_changed(since) else None
    is_merged = (before is None or after is None) and stored.has_taken_over(name, since)
    return cause_of(before, after, days, today, is_merged)


def last_move_panel(stored: StoredCustomer, name: str, day: date) -> Panel | None:
    """The last move in words; None where the days that are stored do not tell."""
    days = [one for one in stored.scored_days.get(name, ()) if one <= day]
    if len(days) < 2:
        return None
    move = last_move(stored, name, day)
    if move is None:
        return Panel(f"No move in {name}", f": the same on all stored days since {days[0]}")
    title, when = f"Last move in {name}", f", {move.since} to {move.as_of}"
    rules = stored.rules(name, move.as_of)
    if rules is None:
        told = f"from {move.segment_before or 'nowhere'} to {move.segment_after or 'nowhere'}"
        return Panel(title, f"{when}: {told}")
    cause = cause_between(stored, name, rules, move.since, move.as_of)
    sides = {"segment_before": move.segment_before, "segment_after": move.segment_after}
    return Panel(title, f"{when}: {move_words({**sides, 'cause': cause}, rules.basis)}")
