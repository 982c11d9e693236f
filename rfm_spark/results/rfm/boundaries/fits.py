"""Fits: the cut points of several profiles from the values of their customers, on one day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.customer_sums import in_population
from rfm_spark.results.rfm.boundaries.buckets import Buckets, ExactCuts, WithinRank
from rfm_spark.results.rfm.boundaries.collapsed import collapsed_bins, why_collapsed
from rfm_spark.results.rfm.boundaries.cuts import Histogram, bin_shares
from rfm_spark.results.rfm.boundaries.histograms import Sought, histograms
from rfm_spark.results.rfm.boundaries.methods import METHODS, Given
from rfm_spark.results.rfm.boundaries.natural import TRANSFORMS
from rfm_spark.results.rfm.populations import Population
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Dimension, Profile
from rfm_spark.results.rfm.values import window_values


def values_of_windows(sums: DataFrame, profiles: Mapping[str, Profile], as_of: date) -> DataFrame:
    """The values that boundaries are about, named by `value_column`.

    Args:
        sums: `customer_sums` with RECEIPT_VALUES of all profiles' windows.
        profiles: by name.
        as_of: last day that counts.

    Returns:
        One row per row of `sums`; NULL for everyone who is not in the window's population.
    """
    windows = {profile.look_back.label: profile.look_back for profile in profiles.values()}
    return sums.select(
        *[
            F.when(in_population(window), value).alias(_named(name, window))
            for window in windows.values()
            for name, value in window_values(as_of, window).items()
        ]
    )


def value_column(profile: Profile, dimension: str) -> str:
    """Where `values_of_windows` has a dimension of a profile."""
    return _named(DIMENSIONS[dimension][0], profile.look_back)


def _named(value: str, window: LookBack) -> str:
    return f"{value}_{window.label}"


def fitted_bins(
    profiles: Mapping[str, Profile], values: DataFrame, populations: Mapping[str, Population]
) -> list[dict[str, Any]]:
    """The bins of every dimension of every profile.

    Args:
        profiles: by name.
        values: `values_of_windows` of them among others; read several times.
        populations: by profile.

    Returns:
        Rows of `rfm_boundaries`, but for the version and the digest of the rules.
    """
    sought = {}
    for name, profile in profiles.items():
        for dimension, (value, _) in DIMENSIONS.items():
            population = populations[name]
            whole = Buckets.one(*population.spans[value], population.customers)
            rules: Dimension = getattr(profile, dimension)
            by_rank = METHODS[rules.method].is_by_rank
            fineness = ExactCuts(profile.scores) if by_rank else WithinRank(profile.max_rank_error)
            sought[name, dimension] = Sought(value_column(profile, dimension), whole, fineness)
    return [
        {"profile": name, "dimension": dimension, **row}
        for (name, dimension), histogram in histograms(values, sought).items()
        for row in _bins(profiles[name], dimension, histogram)
    ]


def _bins(profile: Profile, dimension: str, histogram: Histogram) -> list[dict[str, Any]]:
    rules: Dimension = getattr(profile, dimension)
    method = METHODS[rules.method]
    given = Given(rules.cuts or (), rules.transform or TRANSFORMS[0])
    cuts = method.cut_points(histogram, profile.scores, given)
    shares = bin_shares(histogram, cuts)
    low_is_best = dimension == "recency"
    scores = [profile.scores - place if low_is_best else 1 + place for place in range(len(shares))]
    empty = {place: scores[place] for place in collapsed_bins(shares)}
    why = why_collapsed(histogram, rules.method, cuts, empty) if empty else None
    return [
        {
            "cut": place,
            "value": None if place == 0 else cuts[place - 1],
            "score": scores[place],
            "method": rules.method,
            "share": shares[place],
            "customers": histogram.total,
            "rank_error": 0.0 if method.is_by_rank else histogram.rank_error,
            "collapsed": why if place in empty else None,
        }
        for place in range(profile.scores)
    ]
