"""Boundary sets: fitted, or found among the stored decisions, and how far these have drifted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.boundaries.cuts import Cut
from rfm_spark.results.rfm.boundaries.drift import DRIFTED, bin_sizes, is_due, stability_index
from rfm_spark.results.rfm.boundaries.fits import fitted_bins, value_column, values_of_profiles
from rfm_spark.results.rfm.populations import Population
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RFM_BOUNDARIES, RFM_DRIFT
from rfm_spark.run import Run
from rfm_spark.settings.digest import changes_digest

FITTED_BY = frozenset(
    {
        "window_days",
        "events",
        "value",
        "population",
        "filter",
        "scores",
        "recency",
        "frequency",
        "monetary",
        "max_rank_error",
    }
)
"""Settings of a profile that decide its cut points."""

FITTING, FITTING_OF_AMOUNTS = 1, 2
"""Raised by hand when the same settings come to give other cut points: held sets then go.

The second is of profiles whose M is cut at given amounts: they were minor units once.
"""

Profiles = Mapping[str, Profile]
Indices = Mapping[str, float]
"""Population stability index by dimension."""


@dataclass(frozen=True)
class BoundarySet:
    """Cut points of every dimension.

    Attributes:
        version: the day they were fitted on.
        cuts: ascending cut points by dimension.
        shares: of the customers in each bin at fit, by dimension.
        collapsed: which scores nobody had and why, by dimension, in words; only where there are
            any.
        fitted_by: digest of the rules they were fitted by.
        drift: indices on the day described of the set that was kept from before it; none where
            there was none, or the rules keep none.
    """

    version: date
    cuts: Mapping[str, Sequence[Cut]]
    shares: Mapping[str, Sequence[float]]
    collapsed: Mapping[str, str]
    fitted_by: str
    drift: Indices = field(default_factory=dict)


def boundary_sets(
    request: Request[Profiles], sums: DataFrame, populations: Mapping[str, Population]
) -> dict[str, BoundarySet]:
    """The boundaries to score by: a stored set where a profile keeps one, else a new fit.

    A set that has drifted goes, where its rules say so, on the first day described of a period; a
    day that is made again finds what was decided on it.

    Args:
        request: the run, the profiles and the day described.
        sums: `customer_sums` with the asks of all profiles; read several times.
        populations: by profile.
    """
    run, profiles, as_of = request.run, request.rules, request.as_of
    stored = {name: _stored(run, name, profile, as_of) for name, profile in profiles.items()}
    values = values_of_profiles(sums, profiles, as_of)
    before = {
        name: earlier[-1]
        for name, sets in stored.items()
        if (earlier := [one for one in sets if one.version < as_of])
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


def _stored(run: Run, name: str, profile: Profile, as_of: date) -> list[BoundarySet]:
    """Sets that were fitted by the same rules up to a day, the oldest first."""
    if profile.refit == "always":
        return []
    rows = run.read_or_empty(RFM_BOUNDARIES).where(
        (F.col("profile") == name)
        & (F.col("version") <= F.lit(as_of))
        & (F.col("settings_digest") == boundary_digest(profile))
        & (F.col("customers") > 0)  # one that was fitted on nobody tells nothing
    )
    by_version: defaultdict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.collect():
        by_version[row["version"]].append(row.asDict())
    return [_from_rows(by_version[version]) for version in sorted(by_version)]


def stored_set(run: Run, name: str, version: date) -> BoundarySet:
    """The set of a profile that was fitted on a day.

    Raises:
        UserError: if it is not there.
    """
    rows = run.warehouse.rows(RFM_BOUNDARIES, {"profile": name, "version": version})
    if not rows:
        raise UserError(
            f"{run.warehouse.path(RFM_BOUNDARIES)}: has no set of {name} fitted on {version}, by "
            f"which stored scores were given: make it with `rfm-spark rfm --as-of {version}`"
        )
    return _from_rows(rows)


def _from_rows(rows: Sequence[Mapping[str, Any]]) -> BoundarySet:
    cuts: dict[str, list[Cut]] = {dimension: [] for dimension in DIMENSIONS}
    shares: dict[str, list[float]] = {dimension: [] for dimension in DIMENSIONS}
    collapsed = {}
    for row in sorted(rows, key=lambda one: one["cut"]):
        dimension = row["dimension"]
        shares[dimension].append(row["share"])
        if row["cut"] > 0:
            cuts[dimension].append(row["value"])
        if row["collapsed"] is not None:
            collapsed[dimension] = row["collapsed"]
    return BoundarySet(rows[0]["version"], cuts, shares, collapsed, rows[0]["settings_digest"])


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
    if profile.refit != "drift" or last.version == as_of:
        return False
    if max(drift.get(name, {}).values(), default=0.0) <= DRIFTED:
        return False
    looked_at = run.read_or_empty(RFM_DRIFT).where(
        (F.col("profile") == name) & (F.col("version") == F.lit(last.version))
    )
    days = [row["as_of"] for row in looked_at.select("as_of").distinct().collect()]
    return is_due(as_of, last.version, days, profile.refit_on)


def _fitted(
    run: Run,
    profiles: Profiles,
    values: DataFrame,
    populations: Mapping[str, Population],
    as_of: date,
) -> dict[str, BoundarySet]:
    digests = {name: boundary_digest(profile) for name, profile in profiles.items()}
    rows = [
        {**row, "version": as_of, "settings_digest": digests[row["profile"]]}
        for row in fitted_bins(profiles, values, populations, run.settings.business.money_format)
    ]
    where = F.col("profile").isin(list(profiles)) & (F.col("version") == F.lit(as_of))
    run.replace_by(RFM_BOUNDARIES, rows, where)
    return {name: _from_rows([row for row in rows if row["profile"] == name]) for name in profiles}


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
            "version": sets[name].version,
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
    held = sum(one.version < as_of for one in sets.values())
    yield f"{len(sets)} sets, {held} of them of earlier days"
    for name, one in sets.items():
        for dimension, psi in one.drift.items():
            if psi > DRIFTED:
                done = ", fitted again" if one.version == as_of else ""
                yield f"{name}: {dimension} has drifted, index {psi:.2f}{done}"
        for dimension, why in one.collapsed.items():
            yield f"{name}: {dimension} {why}"


def boundary_digest(profile: Profile) -> str:
    """A short name for the rules that a set is fitted by."""
    fitting = FITTING if profile.monetary.cuts is None else FITTING_OF_AMOUNTS
    return changes_digest(profile, fitting, FITTED_BY)
