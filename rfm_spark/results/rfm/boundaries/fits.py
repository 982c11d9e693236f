"""Fits: the cut points of several profiles from the values of their customers, on one day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.cuts import Cut, Histogram, bin_shares
from rfm_spark.core.money import MoneyFormat
from rfm_spark.results.rfm.boundaries.buckets import Buckets, ExactCuts, WithinRank
from rfm_spark.results.rfm.boundaries.collapsed import collapsed_bins, why_collapsed
from rfm_spark.results.rfm.boundaries.histograms import Sought, histograms
from rfm_spark.results.rfm.boundaries.methods import METHODS, Given
from rfm_spark.results.rfm.boundaries.natural import TRANSFORMS, Explained, explained
from rfm_spark.results.rfm.boundaries.units import ValueUnit, units_of
from rfm_spark.results.rfm.populations import Population, ProfileDay
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Dimension, Profile


def values_of_profiles(sums: DataFrame, profiles: Mapping[str, Profile], as_of: date) -> DataFrame:
    """The values that boundaries are about, named by `value_column`.

    Args:
        sums: `customer_sums` with the asks of all profiles.
        profiles: by name.
        as_of: last day that counts.

    Returns:
        One row per row of `sums`; NULL for everyone whom the profile does not score, or who has no
        event in its window.
    """
    return sums.select(
        *[
            F.when(profile.basis.in_population(as_of) & profile.basis.is_counted(), value).alias(
                f"{value_name}_{name}"
            )
            for name, profile in profiles.items()
            for value_name, value in profile.basis.values(as_of).items()
        ]
    )


def value_column(profile: str, dimension: str) -> str:
    """Where `values_of_profiles` has a dimension of a profile."""
    return f"{DIMENSIONS[dimension][0]}_{profile}"


def fitted_bins(
    profiles: Mapping[str, Profile],
    values: Mapping[date, DataFrame],
    populations: Mapping[ProfileDay, Population],
    money: MoneyFormat,
) -> dict[ProfileDay, list[dict[str, Any]]]:
    """The bins of every dimension of every profile, fitted on each day.

    Args:
        profiles: by name.
        values: by day, `values_of_profiles` of them among others; read several times.
        populations: of every profile and day.
        money: how the shop writes amounts.

    Returns:
        By profile and day, rows of `rfm_boundaries`, but for the digest of the rules.
    """
    fits = [ProfileDay(*one) for one in product(profiles, values)]
    sought = {}
    for one in fits:
        profile, population = profiles[one.profile], populations[one]
        if population.counted == 0:  # nobody did anything: all score 1, there is no cut
            continue
        for dimension, (value, _) in DIMENSIONS.items():
            whole = Buckets.one(*population.spans[value], population.counted)
            rules: Dimension = getattr(profile, dimension)
            by_rank = METHODS[rules.method].is_by_rank
            fineness = ExactCuts(profile.scores) if by_rank else WithinRank(profile.max_rank_error)
            column = value_column(one.profile, dimension)
            sought[one, dimension] = Sought(values[one.as_of], column, whole, fineness)
    found = histograms(sought)
    return {
        one: [
            {"profile": one.profile, "version": one.as_of, "dimension": dimension, **row}
            for dimension, unit in units_of(profiles[one.profile].basis, money).items()
            for row in _bins(profiles[one.profile], dimension, unit, found.get((one, dimension)))
        ]
        for one in fits
    }


def _bins(
    profile: Profile, dimension: str, unit: ValueUnit, histogram: Histogram | None
) -> list[dict[str, Any]]:
    """Of nobody, bins without cuts and shares."""
    rules: Dimension = getattr(profile, dimension)
    method = METHODS[rules.method]
    cuts: Sequence[Cut] = [None] * (profile.scores - 1)
    shares: Sequence[float | None] = [None] * profile.scores
    why = None
    low_is_best = dimension == "recency"
    scores = [profile.scores - place if low_is_best else 1 + place for place in range(len(shares))]
    empty: dict[int, int] = {}
    told: Explained | None = None
    if histogram is not None:
        given = Given(
            [unit.parsed(cut) for cut in rules.cuts or ()], rules.transform or TRANSFORMS[0]
        )
        cuts = method.cut_points(histogram, profile.scores, given)
        found = bin_shares(histogram, cuts)
        empty = {place: scores[place] for place in collapsed_bins(found)}
        why = why_collapsed(histogram, rules.method, cuts, empty, unit) if empty else None
        shares = found
        if method.takes_transform:
            told = explained(histogram, cuts, given.transform)
    rank_error = 0.0 if histogram is None or method.is_by_rank else histogram.rank_error
    return [
        {
            "cut": place,
            "value": None if place == 0 else cuts[place - 1],
            "score": scores[place],
            "method": rules.method,
            "share": shares[place],
            "customers": 0 if histogram is None else histogram.total,
            "rank_error": rank_error,
            "collapsed": why if place in empty else None,
            "explained": None if told is None else told.share,
            "explained_error": None if told is None else told.error,
        }
        for place in range(profile.scores)
    ]
