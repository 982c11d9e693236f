"""Boundary sets: fitted, or found among the stored decisions, and how far these have drifted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.boundaries.drift import DRIFTED, bin_sizes, is_due, stability_index
from rfm_spark.results.rfm.boundaries.fits import fitted_bins, value_column, values_of_profiles
from rfm_spark.results.rfm.boundaries.pins import pinned_set
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.results.rfm.boundaries.stored import (
    BoundarySet,
    Indices,
    sets_of_rules,
    write_sets,
)
from rfm_spark.results.rfm.populations import Population
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RFM_BOUNDARIES, RFM_DRIFT
from rfm_spark.run import Run

Profiles = Mapping[str, Profile]


def boundary_sets(
    request: Request[Profiles], sums: DataFrame, populations: Mapping[str, Population]
) -> dict[str, BoundarySet]:
    """The boundaries to score by: a stored set where a profile keeps one, else a new fit.

    A set that is pinned stays. Another that has drifted goes, where its rules say so, on the first
    day described of a period; a day that is made again finds what was decided on it.

    Args:
        request: the run, the profiles and the day described.
        sums: `customer_sums` with the asks of all profiles; read several times.
        populations: by profile.

    Raises:
        UserError: if a set that is pinned is not stored, or was fitted by other rules.
    """
    run, profiles, as_of = request.run, request.rules, request.as_of
    stored = {name: _kept(run, name, profile, as_of) for name, profile in profiles.items()}
    values = values_of_profiles(sums, profiles, as_of)
    before = {
        name: earlier[-1]
        for name, sets in stored.items()
        if (earlier := [one for one in sets if one.version.day < as_of])
    }
    drift = _drift(before, values)
    found = {
        name: sets[-1]
        for name, sets in stored.items()
        if sets and not _is_over(run, name, profiles[name], sets[-1], drift, as_of)
    }
    if to_fit := {name: one for name, one in profiles.items() if name not in found}:
        found |= _fitted(run, to_fit, values, populations, as_of)
    # After the boundaries: a run that is killed between the two decides again.
    _keep_drift(run, profiles, before, drift, as_of)
    return {name: replace(found[name], drift=drift.get(name, {})) for name in profiles}


def _kept(run: Run, name: str, profile: Profile, as_of: date) -> list[BoundarySet]:
    """Sets that a profile's rules let stay, the oldest first."""
    if profile.pinned is not None:
        if run.warehouse.is_there(RFM_BOUNDARIES):
            run.version_read(RFM_BOUNDARIES)
        return [pinned_set(run, name, profile)]
    if profile.refit == "always":
        return []
    return sets_of_rules(run, name, boundary_digest(profile), as_of)


def _drift(sets: Mapping[str, BoundarySet], values: DataFrame) -> dict[str, Indices]:
    """How far today's customers have moved from those that sets were fitted to, by profile."""
    bins = [(name, dimension) for name in sets for dimension in DIMENSIONS]
    if not bins:
        return {}
    columns = [
        (value_column(name, dimension), sets[name].cuts[dimension]) for name, dimension in bins
    ]
    indices: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for (name, dimension), sizes in zip(bins, bin_sizes(values, columns), strict=True):
        if whole := sum(sizes):  # of nobody there is nothing to compare
            today = [size / whole for size in sizes]
            indices[name][dimension] = stability_index(sets[name].shares[dimension], today)
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
    values: DataFrame,
    populations: Mapping[str, Population],
    as_of: date,
) -> dict[str, BoundarySet]:
    digests = {name: boundary_digest(profile) for name, profile in profiles.items()}
    rows: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for row in fitted_bins(profiles, values, populations, run.settings.business.money_format):
        decided = {"version": as_of, "settings_digest": digests[row["profile"]]}
        rows[row["profile"]].append({**row, **decided})
    return write_sets(run, as_of, rows)


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
        run.replace_by(RFM_DRIFT, rows, where)


def boundaries_told(sets: Mapping[str, BoundarySet], as_of: date) -> Iterator[str]:
    """What there is to say of the sets that a day is scored by, a line each."""
    held = sum(one.version.day != as_of for one in sets.values())
    yield f"{len(sets)} sets, {held} of them of other days"
    for name, one in sets.items():
        for dimension, psi in one.drift.items():
            if psi > DRIFTED:
                done = ", fitted again" if one.version.day == as_of else ""
                yield f"{name}: {dimension} has drifted, index {psi:.2f}{done}"
        for dimension, why in one.collapsed.items():
            yield f"{name}: {dimension} {why}"
