"""Past scores: those of earlier days as they would have been, to look back at; none is stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame

from rfm_spark.results.rfm.boundaries.boundary_set import BoundarySet, sets_of_rows
from rfm_spark.results.rfm.boundaries.fits import fitted_bins, values_of_profiles
from rfm_spark.results.rfm.boundaries.pins import pinned_set
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.results.rfm.boundaries.stored import sets_of_rules
from rfm_spark.results.rfm.job import Profiles, scoring_of
from rfm_spark.results.rfm.populations import Population, ProfileDay, population_totals
from rfm_spark.results.rfm.scoring import scored_customers
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.to_score import counted_events, scored_populations
from rfm_spark.results.rfm.values import rfm_values
from rfm_spark.run import Run


@dataclass(frozen=True)
class PastScores:
    """The scores of one profile on one day.

    Attributes:
        population: whom it scores.
        rows: one per customer: the columns of `rfm`, and those of the sums that were kept.
        units_per_value: see `Basis`: how many units of the population's spans make 1 of `value`.
    """

    population: Population
    rows: DataFrame
    units_per_value: int


def past_scores(
    run: Run, profiles: Profiles, sums: Mapping[date, DataFrame], kept: Sequence[str]
) -> dict[ProfileDay, PastScores]:
    """The scores of every profile on those of the days on which each has somebody to score.

    A profile that keeps its boundaries has the newest set stored up to the day, as `rfm` would, and
    one that is pinned to a set of a later day none that is known by then. Where there is no set, it
    is fitted on the day.

    Args:
        run: the run.
        profiles: by name.
        sums: by day `customer_sums` as of that day, with `profile_asks`; read several times.
        kept: columns of the sums that go with the scores.

    Raises:
        NobodyToScore: if there is no such day.
        UserError: if a profile names a kind of interactions, or a set, that there is not.
    """
    counted_events(run, profiles)
    bases = {name: profile.basis for name, profile in profiles.items()}
    totals = population_totals(sums, bases).collect()
    populations = scored_populations(profiles, list(sums), totals)
    days = {one.as_of: sums[one.as_of] for one in populations}
    found = {}
    for one, boundaries in _sets_by_then(run, profiles, days, populations).items():
        profile, population = profiles[one.profile], populations[one]
        values = rfm_values(days[one.as_of], one.as_of, profile.basis, kept)
        scoring = scoring_of(one, profile, boundaries)
        rows = scored_customers(values, population, scoring, kept)
        found[one] = PastScores(population, rows, profile.basis.units_per_value)
    return found


def _sets_by_then(
    run: Run,
    profiles: Profiles,
    sums: Mapping[date, DataFrame],
    populations: Mapping[ProfileDay, Population],
) -> dict[ProfileDay, BoundarySet]:
    """The set of each profile on each day."""
    known = {
        ProfileDay(name, day): found
        for name, profile in profiles.items()
        for day, found in _known_sets(run, name, profile, sums).items()
    }
    to_fit = {
        name: profile
        for name, profile in profiles.items()
        if any((name, day) not in known for day in sums)
    }
    values = {day: values_of_profiles(of_day, to_fit, day) for day, of_day in sums.items()}
    money = run.settings.business.money_format
    fitted = {}
    for one, bins in fitted_bins(to_fit, values, populations, money).items():
        digest = boundary_digest(profiles[one.profile])
        rows = [{**row, "edition": None, "settings_digest": digest} for row in bins]
        [fitted[one]] = sets_of_rows(rows)
    return {one: known.get(one) or fitted[one] for one in populations}


def _known_sets(
    run: Run, name: str, profile: Profile, days: Collection[date]
) -> dict[date, BoundarySet]:
    """The stored sets that a profile has by days on which it has one."""
    if profile.pinned is not None:
        pinned = pinned_set(run, name, profile)
        return {day: pinned for day in days if pinned.version.day <= day}
    if not profile.keeps_boundaries:
        return {}
    stored = sets_of_rules(run, name, boundary_digest(profile), max(days))
    by_then = {day: [one for one in stored if one.version.day <= day] for day in days}
    return {day: sets[-1] for day, sets in by_then.items() if sets}
