"""Pins: the one stored set that a profile is told to use, whatever came later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.errors import UserError
from rfm_spark.results.rfm.boundaries.boundary_set import BoundarySet
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.results.rfm.boundaries.stored import stored_sets
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.run import Run

_MOST_NAMED = 5


def pinned_set(run: Run, name: str, profile: Profile, version: str | None = None) -> BoundarySet:
    """The stored set that a profile is to be scored by.

    Args:
        run: the run.
        name: of the profile.
        profile: its rules.
        version: the set's; by default the one that the rules pin.

    Raises:
        UserError: if it is not stored, or was fitted by other rules than the profile's, or on
            nobody.
    """
    wanted = version or profile.pinned or ""
    problem, fit = "is not stored", []
    for one in stored_sets(run, name):
        differences = list(_differences(one, profile))
        is_wanted = str(one.version) == wanted
        if not differences:
            if is_wanted:
                return one
            fit.append(one.version)
        elif is_wanted:
            problem = f"was fitted by other rules: {', '.join(differences)}"
    raise UserError(f"[rfm.{name}] pinned: the set {wanted} {problem}; {_choice(fit)}")


def _differences(one: BoundarySet, profile: Profile) -> Iterator[str]:
    """Why a set is not one of the profile's rules; as far as the set itself tells."""
    if one.customers == 0:
        yield "on nobody"
    if one.fitted_by == boundary_digest(profile):
        return
    found = [f"{one.scores} scores, not {profile.scores}"] if one.scores != profile.scores else []
    if one.cuts.is_nested("monetary") != profile.nested:
        found.append("nested" if not profile.nested else "not nested")
    for dimension in DIMENSIONS:
        method = getattr(profile, dimension).method
        if one.methods[dimension] != method:
            found.append(f"{dimension} by {one.methods[dimension]}, not {method}")
    yield from found or ["another window, population, filter or cuts"]


def _choice(versions: Sequence[DayVersion]) -> str:
    if not versions:
        return "none of these rules is stored: run `rfm-spark rfm` without the pin first"
    shown = ", ".join(map(str, versions[-_MOST_NAMED:]))
    return f"stored of these rules: {shown}"
