"""Boundary sets: fitted, or found among the stored decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.customer_sums import in_population
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.boundaries.buckets import Buckets, ExactCuts, WithinRank
from rfm_spark.results.rfm.boundaries.cuts import Cut, Histogram, bin_shares
from rfm_spark.results.rfm.boundaries.histograms import Sought, histograms
from rfm_spark.results.rfm.boundaries.methods import METHODS, Given
from rfm_spark.results.rfm.boundaries.natural import TRANSFORMS
from rfm_spark.results.rfm.populations import Population
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Dimension, Profile
from rfm_spark.results.rfm.tables import RFM_BOUNDARIES
from rfm_spark.results.rfm.values import window_values
from rfm_spark.run import Run
from rfm_spark.settings.digest import changes_digest

FITTED_BY = frozenset(
    {"window_days", "scores", "recency", "frequency", "monetary", "max_rank_error"}
)
"""Settings of a profile that decide its cut points."""

FITTING = 1
"""Raised by hand when the same settings come to give other cut points: held sets then go."""


@dataclass(frozen=True)
class BoundarySet:
    """Cut points of every dimension.

    Attributes:
        version: the day they were fitted on.
        cuts: ascending cut points by dimension.
    """

    version: date
    cuts: dict[str, list[Cut]]


def boundary_sets(
    request: Request[Mapping[str, Profile]],
    sums: DataFrame,
    populations: Mapping[str, Population],
) -> dict[str, BoundarySet]:
    """The boundaries to score by: a stored set where a profile holds one, else a new fit.

    Args:
        request: the run, the profiles and the day described.
        sums: `customer_sums` with RECEIPT_VALUES of all profiles' windows; read several times.
        populations: by profile.
    """
    run, profiles, as_of = request.run, request.rules, request.as_of
    held = {name: _held(run, name, profile, as_of) for name, profile in profiles.items()}
    found = {name: stored for name, stored in held.items() if stored is not None}
    to_fit = {name: profile for name, profile in profiles.items() if name not in found}
    if to_fit:
        rows = _fitted(to_fit, sums, populations, as_of)
        for name in to_fit:
            found[name] = _from_rows([row for row in rows if row["profile"] == name], as_of)
        where = F.col("profile").isin(list(to_fit)) & (F.col("version") == F.lit(as_of))
        run.replace_by(RFM_BOUNDARIES, [row.asDict() for row in rows], where)
    return found


def _held(run: Run, name: str, profile: Profile, as_of: date) -> BoundarySet | None:
    if profile.refit != "hold":
        return None
    stored = run.read_or_empty(RFM_BOUNDARIES).where(
        (F.col("profile") == name)
        & (F.col("version") <= F.lit(as_of))
        & (F.col("settings_digest") == boundary_digest(profile))
    )
    rows = stored.collect()
    if not rows:
        return None
    version = max(row["version"] for row in rows)
    return _from_rows([row for row in rows if row["version"] == version], version)


def _fitted(
    profiles: Mapping[str, Profile],
    sums: DataFrame,
    populations: Mapping[str, Population],
    as_of: date,
) -> list[Row]:
    windows = {profile.look_back.label: profile.look_back for profile in profiles.values()}
    values = sums.select(
        *[
            F.when(in_population(window), value).alias(_column(name, window))
            for window in windows.values()
            for name, value in window_values(as_of, window).items()
        ]
    )
    sought = {}
    for name, profile in profiles.items():
        for dimension, (value, _) in DIMENSIONS.items():
            population = populations[name]
            whole = Buckets.one(*population.spans[value], population.customers)
            rules: Dimension = getattr(profile, dimension)
            by_rank = METHODS[rules.method].is_by_rank
            fineness = ExactCuts(profile.scores) if by_rank else WithinRank(profile.max_rank_error)
            sought[name, dimension] = Sought(_column(value, profile.look_back), whole, fineness)
    return [
        row
        for (name, dimension), histogram in histograms(values, sought).items()
        for row in _bins(name, profiles[name], dimension, histogram, as_of)
    ]


def _column(value: str, window: LookBack) -> str:
    return f"{value}_{window.label}"


def _bins(
    name: str, profile: Profile, dimension: str, histogram: Histogram, as_of: date
) -> list[Row]:
    rules: Dimension = getattr(profile, dimension)
    method = METHODS[rules.method]
    given = Given(rules.cuts or (), rules.transform or TRANSFORMS[0])
    cuts = method.cut_points(histogram, profile.scores, given)
    shares = bin_shares(histogram, cuts)
    low_is_best = dimension == "recency"
    return [
        Row(
            profile=name,
            version=as_of,
            dimension=dimension,
            cut=place,
            value=None if place == 0 else cuts[place - 1],
            score=profile.scores - place if low_is_best else 1 + place,
            method=rules.method,
            share=shares[place],
            customers=histogram.total,
            rank_error=0.0 if method.is_by_rank else histogram.rank_error,
            settings_digest=boundary_digest(profile),
        )
        for place in range(profile.scores)
    ]


def _from_rows(rows: Sequence[Row], version: date) -> BoundarySet:
    cuts: dict[str, list[Cut]] = {dimension: [] for dimension in DIMENSIONS}
    for row in sorted(rows, key=lambda one: one["cut"]):
        if row["cut"] > 0:
            cuts[row["dimension"]].append(row["value"])
    return BoundarySet(version, cuts)


def boundary_digest(profile: Profile) -> str:
    """A short name for the rules that a set is fitted by."""
    return changes_digest(profile, FITTING, FITTED_BY)
