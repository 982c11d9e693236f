"""Boundary sets: fitted, or found among the stored decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.boundaries.cuts import Cut, Histogram, balanced_cuts, bin_shares, quantile_cuts
from rfm_spark.boundaries.histograms import Bucket, ExactCuts, Sought, WithinRank, histograms
from rfm_spark.pipeline.context import Job
from rfm_spark.settings.loading import settings_digest
from rfm_spark.settings.model import Dimension, Profile
from rfm_spark.tables import RFM_BOUNDARIES
from rfm_spark.transforms.customer_sums import in_population
from rfm_spark.transforms.populations import Population
from rfm_spark.transforms.rfm_results import DIMENSIONS
from rfm_spark.transforms.rfm_values import window_values
from rfm_spark.transforms.window import Window


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
    job: Job, sums: DataFrame, populations: Mapping[str, Population], as_of: date
) -> dict[str, BoundarySet]:
    """The boundaries to score by: a stored set where a profile holds one, else a new fit.

    Args:
        job: the run.
        sums: `customer_sums` with VALUE_SUMS of all profiles' windows; read several times.
        populations: by profile.
        as_of: the day described.
    """
    profiles = job.settings.rfm
    held = {name: _held(job, name, profile, as_of) for name, profile in profiles.items()}
    found = {name: stored for name, stored in held.items() if stored is not None}
    to_fit = {name: profile for name, profile in profiles.items() if name not in found}
    if to_fit:
        rows = _fitted(to_fit, sums, populations, as_of)
        for name in to_fit:
            found[name] = _from_rows([row for row in rows if row["profile"] == name], as_of)
        where = F.col("profile").isin(list(to_fit)) & (F.col("version") == F.lit(as_of))
        job.replace_by(RFM_BOUNDARIES, [row.asDict() for row in rows], where)
    return found


def _held(job: Job, name: str, profile: Profile, as_of: date) -> BoundarySet | None:
    if profile.refit != "hold":
        return None
    stored = job.read_or_empty(RFM_BOUNDARIES).where(
        (F.col("profile") == name)
        & (F.col("version") <= F.lit(as_of))
        & (F.col("settings_digest") == _digest(profile))
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
    windows = {profile.window.label: profile.window for profile in profiles.values()}
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
            whole = Bucket(*population.spans[value], population.customers)
            rules: Dimension = getattr(profile, dimension)
            is_exact = rules.method == "quantile"
            fineness = ExactCuts(profile.scores) if is_exact else WithinRank(profile.max_rank_error)
            sought[name, dimension] = Sought(_column(value, profile.window), whole, fineness)
    return [
        row
        for (name, dimension), histogram in histograms(values, sought).items()
        for row in _bins(name, profiles[name], dimension, histogram, as_of)
    ]


def _column(value: str, window: Window) -> str:
    return f"{value}_{window.label}"


def _bins(
    name: str, profile: Profile, dimension: str, histogram: Histogram, as_of: date
) -> list[Row]:
    rules: Dimension = getattr(profile, dimension)
    cuts = _cuts(rules, histogram, profile.scores)
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
            rank_error=0.0 if rules.method == "quantile" else histogram.rank_error,
            settings_digest=_digest(profile),
        )
        for place in range(profile.scores)
    ]


def _cuts(rules: Dimension, histogram: Histogram, scores: int) -> list[Cut]:
    if rules.method == "quantile":
        return quantile_cuts(histogram, scores)
    if rules.method == "balanced":
        return balanced_cuts(histogram, scores)
    return list(rules.cuts or ())


def _from_rows(rows: Sequence[Row], version: date) -> BoundarySet:
    cuts: dict[str, list[Cut]] = {dimension: [] for dimension in DIMENSIONS}
    for row in sorted(rows, key=lambda one: one["cut"]):
        if row["cut"] > 0:
            cuts[row["dimension"]].append(row["value"])
    return BoundarySet(version, cuts)


def _digest(profile: Profile) -> str:
    fitted_by = {"window_days", "scores", "recency", "frequency", "monetary", "max_rank_error"}
    return settings_digest(profile, fitted_by)
