"""Fits: the cut points of several profiles from the values of their customers, on one day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.money import MoneyFormat
from rfm_spark.results.rfm.boundaries.bins import Fit, bins, fit
from rfm_spark.results.rfm.boundaries.buckets import (
    MAX_EXACT_VALUES,
    Buckets,
    Fineness,
    WithinRank,
)
from rfm_spark.results.rfm.boundaries.histograms import Part, Sought, histograms
from rfm_spark.results.rfm.boundaries.methods import METHODS
from rfm_spark.results.rfm.boundaries.nests import Nested, in_nests, nest_wholes
from rfm_spark.results.rfm.boundaries.units import units_of
from rfm_spark.results.rfm.cut_points import EVERYBODY, CutPoints, Nest, nests
from rfm_spark.results.rfm.populations import Population, ProfileDay
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Dimension, Profile

_Asked = tuple[ProfileDay, str]
_Fits = Mapping[ProfileDay, Mapping[str, Mapping[Nest, Fit]]]
_NEST_BUCKETS = 2**14
"""Rows one pass may bring to the driver of each nest: so many that few are still too coarse."""
_NEST = "nest_"
"""Begins the name of the column with the place of a row's nest in a profile."""


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
    fitted: dict[ProfileDay, dict[str, dict[Nest, Fit]]] = {
        one: {dimension: {} for dimension in DIMENSIONS} for one in fits
    }
    for depth in range(len(DIMENSIONS)):  # what is nested needs the cuts that it lies within
        asked = [
            (one, dimension)
            for one in fits
            for dimension in DIMENSIONS
            if nest_depth(profiles[one.profile], dimension) == depth
        ]
        sought = _sought(profiles, asked, values, populations, fitted)
        found = histograms(sought)
        for one, dimension in asked:
            profile = profiles[one.profile]
            unit = units_of(profile.basis, money)[dimension]
            fitted[one][dimension] = {
                nest: fit(profile, dimension, unit, found.get((one, dimension, nest)))
                for nest in nests(profile.scores, depth)
            }
    return {
        one: [
            {"profile": one.profile, "version": one.as_of, **row}
            for dimension, of_nests in of_day.items()
            for nest, found in of_nests.items()
            for row in bins(profiles[one.profile], dimension, nest, found)
        ]
        for one, of_day in fitted.items()
    }


def nest_depth(profile: Profile, dimension: str) -> int:
    """How many dimensions the cuts of one lie within."""
    return list(DIMENSIONS).index(dimension) if profile.nested else 0


def _sought(
    profiles: Mapping[str, Profile],
    asked: Sequence[_Asked],
    values: Mapping[date, DataFrame],
    populations: Mapping[ProfileDay, Population],
    fitted: _Fits,
) -> dict[tuple[ProfileDay, str, Nest], Sought]:
    """The histograms that dimensions need, of those of whom somebody did anything."""
    counted = [asked for asked in asked if populations[asked[0]].counted]
    found = {}
    for one, dimension in counted:
        profile, population = profiles[one.profile], populations[one]
        if nest_depth(profile, dimension) == 0:
            whole = Buckets.one(*population.spans[DIMENSIONS[dimension][0]], population.counted)
            column = value_column(one.profile, dimension)
            found[one, dimension, EVERYBODY] = Sought(
                values[one.as_of], column, whole, _fineness(profile, dimension)
            )
    for day, of_day in values.items():
        nested = {
            f"{_NEST}{one.profile}": (one, dimension)
            for one, dimension in counted
            if one.as_of == day and nest_depth(profiles[one.profile], dimension)
        }
        if nested:
            found |= _sought_in_nests(profiles, of_day, nested, fitted)
    return found


def _sought_in_nests(
    profiles: Mapping[str, Profile],
    values: DataFrame,
    asked: Mapping[str, _Asked],
    fitted: _Fits,
) -> dict[tuple[ProfileDay, str, Nest], Sought]:
    nested = {
        column: Nested(
            {each: value_column(one.profile, each) for each in DIMENSIONS},
            CutPoints(
                {
                    before: {nest: found.cuts for nest, found in fitted[one][before].items()}
                    for before in list(DIMENSIONS)[: nest_depth(profiles[one.profile], dimension)]
                }
            ),
        )
        for column, (one, dimension) in asked.items()
    }
    rows = in_nests(values, nested)
    found = {}
    for column, wholes in nest_wholes(rows, nested).items():
        one, dimension = asked[column]
        all_nests = nested[column].nests()
        fineness = _fineness(profiles[one.profile], dimension, len(all_nests))
        for nest, whole in wholes.items():
            found[one, dimension, nest] = Sought(
                rows,
                nested[column].column,
                whole,
                fineness,
                Part(column, all_nests.index(nest)),
                _NEST_BUCKETS,
            )
    return found


def _fineness(profile: Profile, dimension: str, parts: int = 1) -> Fineness:
    """How fine a histogram has to be, of everybody or of each of some parts."""
    rules: Dimension = getattr(profile, dimension)
    exact = METHODS[rules.method].exact
    if exact is not None:
        return exact(profile.scores)
    return WithinRank(profile.max_rank_error, MAX_EXACT_VALUES // parts)
