"""Boundary sets: fitted, or found among the stored decisions, and how far these have drifted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.drift import DRIFTED, is_due, stability_index
from rfm_spark.results.rfm.boundaries.boundary_set import BoundarySet, Indices
from rfm_spark.results.rfm.boundaries.drift import bin_sizes
from rfm_spark.results.rfm.boundaries.fits import fitted_bins, value_column, values_of_profiles
from rfm_spark.results.rfm.boundaries.pins import pinned_set
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.results.rfm.boundaries.stored import sets_of_rules, write_sets
from rfm_spark.results.rfm.populations import Population, ProfileDay
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RFM_BOUNDARIES, RFM_DRIFT
from rfm_spark.run import Run, note_of_days

Profiles = Mapping[str, Profile]


def boundary_sets(
    run: Run,
    profiles: Profiles,
    sums: Mapping[date, DataFrame],
    populations: Mapping[ProfileDay, Population],
) -> dict[ProfileDay, BoundarySet]:
    """The boundaries to score by: a stored set where a profile keeps one, else a new fit.

    Args:
        run: the run.
        profiles: by name.
        sums: by day, in their order, `customer_sums` with the asks of all profiles; read several
            times.
        populations: of every profile and day.

    Raises:
        UserError: if a set that is pinned is not stored, or was fitted by other rules.
    """
    pinned = _pinned(run, profiles)  # first, because one that is not there is an error
    values = {day: values_of_profiles(of_day, profiles, day) for day, of_day in sums.items()}
    always = {
        name: one for name, one in profiles.items() if one.refit == "always" and name not in pinned
    }
    keeping = {name: one for name, one in profiles.items() if name not in always}
    found = {}
    if always:
        found = _fitted(run, always, values, populations)
    for day, of_day in values.items():
        _keep_drift(run, always, {}, {}, day)
        if keeping:  # what is kept depends on the days before
            found |= _kept(run, keeping, pinned, day, of_day, populations)
    return found


def _pinned(run: Run, profiles: Profiles) -> dict[str, BoundarySet]:
    """Sets of profiles that name theirs."""
    found = {
        name: pinned_set(run, name, profile)
        for name, profile in profiles.items()
        if profile.pinned is not None
    }
    if found:
        run.version_read(RFM_BOUNDARIES)
    return found


def _kept(
    run: Run,
    profiles: Profiles,
    pinned: Mapping[str, BoundarySet],
    as_of: date,
    values: DataFrame,
    populations: Mapping[ProfileDay, Population],
) -> dict[ProfileDay, BoundarySet]:
    """The sets of profiles that keep theirs, on one day.

    A set that is pinned stays. Another that has drifted goes, where its rules say so, on the first
    day described of a period; a day that is made again finds what was decided on it.
    """
    stored = {
        name: [pinned[name]]
        if name in pinned
        else sets_of_rules(run, name, boundary_digest(profile), as_of)
        for name, profile in profiles.items()
    }
    before = {
        name: earlier[-1]
        for name, sets in stored.items()
        if (earlier := [one for one in sets if one.version.day < as_of])
    }
    drift = _drift(before, values)
    found = {
        ProfileDay(name, as_of): sets[-1]
        for name, sets in stored.items()
        if sets and not _is_over(run, name, profiles[name], sets[-1], drift, as_of)
    }
    to_fit = {name: one for name, one in profiles.items() if (name, as_of) not in found}
    if to_fit:
        found |= _fitted(run, to_fit, {as_of: values}, populations)
    # After the boundaries: a run that is killed between the two decides again.
    _keep_drift(run, profiles, before, drift, as_of)
    return {one: replace(found[one], drift=drift.get(one.profile, {})) for one in found}


def _drift(sets: Mapping[str, BoundarySet], values: DataFrame) -> dict[str, Indices]:
    """How far today's customers have moved from those that sets were fitted to, by profile."""
    if not sets:
        return {}
    columns = [
        ({one: F.col(value_column(name, one)) for one in DIMENSIONS}, found.cuts)
        for name, found in sets.items()
    ]
    indices: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for (name, found), of_set in zip(sets.items(), bin_sizes(values, columns), strict=True):
        for dimension, sizes in of_set.items():
            if whole := sum(sizes):  # of nobody there is nothing to compare
                today = [size / whole for size in sizes]
                indices[name][dimension] = stability_index(found.shares[dimension], today)
    return dict(indices)


def _is_over(
    run: Run,
    name: str,
    profile: Profile,
    last: BoundarySet,
    drift: Mapping[str, Indices],
    as_of: date,
) -> bool:
    """Whether a set that has drifted is to be fitted again on this day."""
    if profile.pinned or profile.refit != "drift" or last.version.day == as_of:
        return False
    if max(drift.get(name, {}).values(), default=0.0) <= DRIFTED:
        return False
    looked_at = run.read_or_empty(RFM_DRIFT).where(
        (F.col("profile") == name)
        & (F.col("version") == F.lit(last.version.day))
        & (F.coalesce("edition", F.lit(1)) == last.version.edition)
    )
    days = [row["as_of"] for row in looked_at.select("as_of").distinct().collect()]
    return is_due(as_of, last.version.day, days, profile.refit_on)


def _fitted(
    run: Run,
    profiles: Profiles,
    values: Mapping[date, DataFrame],
    populations: Mapping[ProfileDay, Population],
) -> dict[ProfileDay, BoundarySet]:
    """Sets fitted on each day, and stored."""
    digests = {name: boundary_digest(profile) for name, profile in profiles.items()}
    fitted = {
        one: [{**row, "settings_digest": digests[one.profile]} for row in rows]
        for one, rows in fitted_bins(
            profiles, values, populations, run.settings.business.money_format
        ).items()
    }
    return write_sets(run, fitted)


def _keep_drift(
    run: Run,
    profiles: Profiles,
    sets: Mapping[str, BoundarySet],
    drift: Mapping[str, Indices],
    as_of: date,
) -> None:
    rows = [
        {
            "profile": name,
            "as_of": as_of,
            "dimension": dimension,
            "version": sets[name].version.day,
            "edition": sets[name].version.stored_edition,
            "psi": psi,
        }
        for name, indices in drift.items()
        for dimension, psi in indices.items()
    ]
    run.warehouse.create(RFM_DRIFT)  # without sets that are kept there is none, and the table is
    stored = run.warehouse.rows(RFM_DRIFT, {"as_of": as_of}, ["profile"])
    if rows or any(row["profile"] in profiles for row in stored):
        where = F.col("profile").isin(list(profiles)) & (F.col("as_of") == F.lit(as_of))
        run.replace_by(RFM_DRIFT, rows, where, note_of_days([as_of]))


def boundaries_told(sets: Mapping[ProfileDay, BoundarySet]) -> Iterator[str]:
    """What there is to say of the sets that one day is scored by, a line each; of several less."""
    held = sum(one.version.day != scored.as_of for scored, one in sets.items())
    yield f"{len(sets)} sets, {held} of them of other days"
    if len({scored.as_of for scored in sets}) > 1:
        return
    for scored, one in sets.items():
        name = scored.profile
        for dimension, psi in one.drift.items():
            if psi > DRIFTED:
                done = ", fitted again" if one.version.day == scored.as_of else ""
                yield f"{name}: {dimension} has drifted, index {psi:.2f}{done}"
        for dimension, why in one.collapsed.items():
            yield f"{name}: {dimension} {why}"
