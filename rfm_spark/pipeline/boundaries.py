"""Boundary sets: fitted, or found among the stored decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

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
    found: dict[str, BoundarySet] = {}
    rows: dict[str, list[Row]] = {}
    for name, profile in job.settings.rfm.items():
        held = _held(job, name, profile, as_of)
        if held is None:
            rows[name] = [
                row
                for dimension in DIMENSIONS
                for row in _fitted(name, profile, dimension, buyers[name], as_of)
            ]
        found[name] = held or _from_rows(rows[name], as_of)
    if rows:
        where = F.col("profile").isin(list(rows)) & (F.col("version") == F.lit(as_of))
        fitted = [row.asDict() for of_profile in rows.values() for row in of_profile]
        job.replace_by(RFM_BOUNDARIES, fitted, where)
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
