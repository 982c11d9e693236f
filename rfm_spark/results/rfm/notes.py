"""Notes on a population: what its numbers say about data or rules, though nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pyspark.sql import Row

from rfm_spark.core.panel import percent
from rfm_spark.results.rfm.populations import GUESTS, Population, ProfileDay
from rfm_spark.results.rfm.settings import Profile

_MUCH = 0.2
"""Share outside the window from which it is told."""


def population_notes(
    profiles: Mapping[str, Profile],
    totals: Iterable[Row],
    populations: Mapping[ProfileDay, Population],
) -> Iterator[str]:
    """What to look at, a line each.

    Args:
        profiles: by name.
        totals: rows of `population_totals` of one day.
        populations: of every profile on that day.
    """
    rows = list(totals)
    for (name, _), population in populations.items():
        profile = profiles[name]
        least, greatest = population.spans["frequency"]
        if population.counted > 1 and least == greatest:
            yield (
                f"{name}: all {population.counted:,} customers have the frequency {least}: "
                "are these totals of customers, one row each, and no receipts?"
            )
        if not profile.basis.interactions:  # of interactions only those in the window are counted
            yield from _outside(name, profile, [row for row in rows if row["profile"] == name])


def _outside(name: str, profile: Profile, rows: Iterable[Row]) -> Iterator[str]:
    """Of customers and of money, where much lies outside the window."""
    known = [row for row in rows if row["who"] != GUESTS]
    buyers, outside, cents, inside = (
        sum(row[column] or 0 for row in known)
        for column in ("buyers", "buyers_outside", "net_cents", "net_cents_inside")
    )
    of_customers = outside / buyers if buyers else 0.0
    of_money = (cents - inside) / cents if cents > 0 else 0.0
    told = [
        f"{percent(share)} of {what}"
        for share, what in ((of_customers, "customers"), (of_money, "money"))
        if share > _MUCH
    ]
    if told:
        yield (
            f"{name}: {' and '.join(told)} lie before the window of {profile.window_days} days: a "
            "longer `window_days` would take them in"
        )
