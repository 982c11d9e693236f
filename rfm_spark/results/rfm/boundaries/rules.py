"""Rules that a boundary set is fitted by: what decides its cut points, in a short name."""

from __future__ import annotations

from rfm_spark.results.rfm.settings import Profile
from rfm_spark.settings.digest import changes_digest

FITTED_BY = frozenset(
    {
        "window_days",
        "events",
        "value",
        "population",
        "filter",
        "scores",
        "nested",
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


def boundary_digest(profile: Profile) -> str:
    """A short name for the rules that a set is fitted by."""
    fitting = FITTING if profile.monetary.cuts is None else FITTING_OF_AMOUNTS
    return changes_digest(profile.canonical(), fitting, FITTED_BY)
