"""Boundary sets: fitted, or found among the stored decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import product

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.boundaries.cuts import Cut, Histogram, balanced_cuts, bin_shares
from rfm_spark.boundaries.histograms import Bucket, exact_quantile_cuts, values_histogram
from rfm_spark.pipeline.context import Job
from rfm_spark.settings.loading import settings_digest
from rfm_spark.settings.model import Dimension, Profile
from rfm_spark.tables import RFM_BOUNDARIES
from rfm_spark.transforms.rfm_results import DIMENSIONS
from rfm_spark.transforms.rfm_values import Population

_FITS_AT_ONCE = 4
"""Queries that wait for each other's tasks; each may hold 65,536 rows on the driver."""


@dataclass(frozen=True)
class BoundarySet:
    """Cut points of every dimension.

    Attributes:
        version: the day they were fitted on.
        cuts: ascending cut points by dimension.
    """

    version: date
    cuts: dict[str, list[Cut]]


@dataclass(frozen=True)
class Buyers:
    """The customers of a profile: those who bought in its window.

    Attributes:
        values: their `rfm_values`; read several times, so made of persisted rows.
        population: the same in a few numbers.
    """

    values: DataFrame
    population: Population


def boundary_sets(job: Job, buyers: Mapping[str, Buyers], as_of: date) -> dict[str, BoundarySet]:
    """The boundaries to score by: a stored set where a profile holds one, else a new fit.

    Args:
        job: the run.
        buyers: by profile.
        as_of: the day described.
    """
    profiles = job.settings.rfm
    held = {name: _held(job, name, profile, as_of) for name, profile in profiles.items()}
    found = {name: stored for name, stored in held.items() if stored is not None}
    to_fit = [name for name in profiles if name not in found]
    if to_fit:
        # Each fit is a few small queries one after the other: most of their time is planning.
        with ThreadPoolExecutor(_FITS_AT_ONCE) as pool:
            fits = [
                pool.submit(_fitted, name, profiles[name], dimension, buyers[name], as_of)
                for name, dimension in product(to_fit, DIMENSIONS)
            ]
        rows = [row for fit in fits for row in fit.result()]
        for name in to_fit:
            found[name] = _from_rows([row for row in rows if row["profile"] == name], as_of)
        where = F.col("profile").isin(to_fit) & (F.col("version") == F.lit(as_of))
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


def _fitted(name: str, profile: Profile, dimension: str, buyers: Buyers, as_of: date) -> list[Row]:
    rules: Dimension = getattr(profile, dimension)
    column, _ = DIMENSIONS[dimension]
    cuts, histogram = _cuts(buyers, column, rules, profile)
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


def _cuts(
    buyers: Buyers, column: str, rules: Dimension, profile: Profile
) -> tuple[list[Cut], Histogram]:
    values, population = buyers.values, buyers.population
    whole = Bucket(*population.spans[column], population.customers)
    if rules.method == "quantile":
        return exact_quantile_cuts(values, column, whole, profile.scores)
    histogram = values_histogram(values, column, whole, profile.max_rank_error)
    if rules.method == "balanced":
        return balanced_cuts(histogram, profile.scores), histogram
    return list(rules.cuts or ()), histogram


def _from_rows(rows: Sequence[Row], version: date) -> BoundarySet:
    cuts: dict[str, list[Cut]] = {dimension: [] for dimension in DIMENSIONS}
    for row in sorted(rows, key=lambda one: one["cut"]):
        if row["cut"] > 0:
            cuts[row["dimension"]].append(row["value"])
    return BoundarySet(version, cuts)


def _digest(profile: Profile) -> str:
    fitted_by = {"window_days", "scores", "recency", "frequency", "monetary", "max_rank_error"}
    return settings_digest(profile, fitted_by)
