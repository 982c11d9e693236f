"""To score: whom profiles score on some days, and what to say where that is nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import product

from pyspark.sql import Row

from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.facts.tables import CUSTOMER_YEAR_EVENTS
from rfm_spark.results.rfm.populations import (
    GUESTS,
    SCORED,
    Population,
    ProfileDay,
    population_of,
)
from rfm_spark.results.rfm.reconciliation import events_by_kind
from rfm_spark.results.rfm.settings import VISITS, Profile
from rfm_spark.run import Run

Profiles = Mapping[str, Profile]


class NobodyToScore(UserError):
    """On none of some days there is somebody to score in every profile."""


def counted_events(run: Run, profiles: Profiles) -> dict[str, int]:
    """Number of interactions by kind, of profiles that count some.

    Raises:
        UserError: if there is none of a kind that a profile names.
    """
    if not any(profile.basis.interactions for profile in profiles.values()):
        return {}
    found = events_by_kind(run.read_or_empty(CUSTOMER_YEAR_EVENTS))
    problems = [
        f"[rfm.{name}] events: there is no interaction of the kind '{kind}'; "
        f"{did_you_mean(kind, sorted(found))}"
        for name, profile in profiles.items()
        for kind in profile.kinds
        if kind not in found
    ]
    problems += [
        f"[rfm.{name}] events: `{VISITS}` are visits, and there are interactions of a kind "
        f"'{VISITS}' as well, which cannot be meant: give these another `kind` in [interactions]"
        for name, profile in profiles.items()
        if profile.kinds and VISITS in profile.events and VISITS in found
    ]
    if problems:
        raise UserError(problems)
    return found


def scored_populations(
    profiles: Profiles, days: Sequence[date], totals: Sequence[Row]
) -> dict[ProfileDay, Population]:
    """Whom each profile scores on each day on which every profile has somebody to score.

    Args:
        profiles: by name.
        days: in their order.
        totals: rows of `population_totals`.

    Returns:
        By profile, then by day.

    Raises:
        NobodyToScore: if there is no such day.
        UserError: if there is somebody with a value that cannot be counted.
    """
    found = {
        ProfileDay(row["profile"], row["as_of"]): row for row in totals if row["who"] == SCORED
    }
    with_all = [day for day in days if all((name, day) in found for name in profiles)]
    if not with_all:
        raise NobodyToScore(
            [
                _nobody(name, profile, without, days)
                for name, profile in profiles.items()
                if (without := [day for day in days if (name, day) not in found])
            ]
        )
    asked = [ProfileDay(*one) for one in product(profiles, with_all)]
    problems = [
        f"[rfm.{one.profile}] {found[one]['too_large']:,} customers have more points in the window "
        "than can be counted: give `value` of their [interactions] in a larger unit"
        for one in asked
        if found[one]["too_large"]
    ]
    if problems:
        raise UserError(problems)
    return {one: population_of(found[one]) for one in asked}


def _nobody(name: str, profile: Profile, without: Sequence[date], days: Sequence[date]) -> str:
    """What to say of a profile that scores nobody on some of the days, and what could help."""
    has_window = profile.window_days != "all" and not profile.basis.has_all_known
    when = (
        f"in the {profile.window_days} days up to {without[0]}"
        if has_window
        else f"by {without[0]}"
    )
    told = f"[rfm.{name}] nobody {_what_counts(profile)} {when}"
    helps = ["a longer window_days"] if has_window else []
    helps += ["another filter"] if profile.filter is not None else []
    if len(days) == 1:
        return f"{told}: choose {' or '.join(['another --as-of', *helps])}"
    more = f", nor up to {len(without) - 1:,} of the later days" if len(without) > 1 else ""
    later = next((day for day in days if day > without[-1]), None)
    hint = "choose other days" if later is None else f"the first possible day is {later}"
    return f"{told}{more}: {hint}" + (f"; or choose {' or '.join(helps)}" if helps else "")


def _what_counts(profile: Profile) -> str:
    basis = profile.basis
    did = "is known" if basis.has_all_known else "bought" if basis.is_money else "did anything"
    return did if profile.filter is None else f"{did} and meets the filter"


def known_customers(totals: Sequence[Row]) -> int:
    """Number of customers in rows of `population_totals`: each is scored or not, on any day."""
    some = [totals[0][name] for name in ProfileDay._fields]
    known = [
        row
        for row in totals
        if [row[name] for name in ProfileDay._fields] == some and row["who"] != GUESTS
    ]
    return sum(row["customers"] for row in known)
