"""Advice on a configuration that is right, and yet may not be what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from rfm_spark.app.settings import Settings
from rfm_spark.core.panel import Panel, PanelColumn
from rfm_spark.results.clusters.settings import written_models
from rfm_spark.results.registry import BY_COMMAND
from rfm_spark.results.rfm.boundaries.units import units_of
from rfm_spark.results.rfm.settings import Profile, leading_profile


def configuration_advice(settings: Settings) -> Iterator[str]:
    """What can be told without any data, a line each.

    Args:
        settings: the whole configuration.
    """
    profiles: Mapping[str, Profile] = BY_COMMAND["rfm"].rules(settings)
    for name, profile in profiles.items():
        for dimension, unit in units_of(profile.basis, settings.business.money_format).items():
            cuts = [unit.parsed(cut) for cut in getattr(profile, dimension).cuts or ()]
            for why, score in _never_had(profile, dimension, cuts):
                yield f"rfm.{name}.{dimension}.cuts: {why}: nobody can have the score {score}"
    clusters, first = BY_COMMAND["clusters"], leading_profile(profiles)
    if clusters.is_made_for(settings):
        where, rules = next(written_models(clusters.rules(settings)))
        if rules.window_days != profiles[first].window_days:
            yield (
                f"{where}.window_days: clusters look at {_days(rules.window_days)} and the scores "
                f"of {first} at {_days(profiles[first].window_days)}: a customer's segment and "
                "cluster tell of different times"
            )


def advice_panels(lines: Iterable[str]) -> Iterator[Panel]:
    """The lines as one panel; none where there are none."""
    if rows := [(line,) for line in lines]:
        yield Panel("Worth a look", "", (PanelColumn("what and why"),), rows)


def _never_had(profile: Profile, dimension: str, cuts: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Of fixed cuts: why a score cannot be had, and which."""
    written = getattr(profile, dimension).cuts
    for place, (cut, following) in enumerate(pairwise(cuts)):
        if cut == following:
            score = profile.scores - 1 - place if dimension == "recency" else 2 + place
            yield f"{written[place]} comes twice", score
    if not cuts:
        return
    if dimension == "recency":
        if cuts[0] <= 0:
            yield f"no days are less than {written[0]}", profile.scores
        if profile.window_days != "all" and cuts[-1] >= profile.window_days:
            yield f"{written[-1]} is beyond the window of {profile.window_days} days", 1
    elif dimension == "frequency" and cuts[0] <= 1 and not profile.basis.has_all_known:
        yield f"no frequency is less than {written[0]}", 1


def _days(window: object) -> str:
    return "all time" if window == "all" else f"{window} days"
