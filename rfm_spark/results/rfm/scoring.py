"""RFM results: scored customers, and what the cells and segments hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.results.rfm.cut_points import CutPoints
from rfm_spark.results.rfm.populations import Population, ProfileDay
from rfm_spark.results.rfm.ratios import ratios, rfmr_score
from rfm_spark.results.rfm.scores import cell, score, weighted_total
from rfm_spark.results.rfm.segments import Grid, cells, segment
from rfm_spark.results.rfm.values import Basis

DIMENSIONS = {
    "recency": ("recency_days", "r_score"),
    "frequency": ("frequency", "f_score"),
    "monetary": ("value_units", "m_score"),
}
"""Dimension to its value, in `rfm_values`, and its score."""

_MEASURES = ("customers", "counted", "revenue_cents", "frequency", "recency_days")
"""Of `cell_sums`."""


@dataclass(frozen=True)
class Scoring:
    """The rules of one profile, boundaries included.

    Attributes:
        profile: its name.
        as_of: the day described.
        basis: what it counts.
        scores: 5 for scores 1..5.
        cuts: cut points.
        boundary_version: the day the cuts were fitted on.
        boundary_edition: of the sets of that day, as tables have it.
        total_weights: of R, F and M in `rfm_total`.
        ratio_weights: of R, F and M in `rfmr_score`.
        grid: segments.
    """

    profile: str
    as_of: date
    basis: Basis
    scores: int
    cuts: CutPoints
    boundary_version: date
    total_weights: Sequence[float]
    ratio_weights: Sequence[float]
    grid: Grid
    boundary_edition: int | None = None

    @property
    def profile_day(self) -> ProfileDay:
        """What it scores."""
        return ProfileDay(self.profile, self.as_of)


def scored_customers(
    values: DataFrame, population: Population, scoring: Scoring, kept: Sequence[str] = ()
) -> DataFrame:
    """Scores, ratios and segment of every customer in the population.

    Args:
        values: `rfm_values`.
        population: of these values.
        scoring: the profile's rules.
        kept: further columns of the values.

    Returns:
        One row per customer: the columns of `rfm`, and those kept.
    """
    basis = scoring.basis
    scored = values.select(
        "customer_id",
        "recency_days",
        "frequency",
        (F.col("value_units") / basis.units_per_value).alias("value"),
        F.lit(basis.value_unit).alias("value_unit"),
        "monetary_cents",
        "first_visit",
        "last_visit",
        *kept,
        *ratios(population),
        *score_columns(basis, scoring.cuts, scoring.scores),
    )
    r, f, m = (F.col(name) for _, name in DIMENSIONS.values())
    total = weighted_total(r, f, m, scoring.total_weights)
    return scored.select(
        F.lit(scoring.profile).alias("profile"),
        F.lit(scoring.as_of).alias("as_of"),
        "*",
        rfmr_score(scoring.ratio_weights).alias("rfmr_score"),
        cell(r, f, m).alias("rfm_cell"),
        total.alias("rfm_total"),
        segment(scoring.grid, total, first_visit_inside(basis, scoring.as_of)).alias("segment"),
        F.lit(scoring.boundary_version).alias("boundary_version"),
        F.lit(scoring.boundary_edition).cast("int").alias("boundary_edition"),
    )


def score_columns(basis: Basis, cuts: CutPoints, scores: int) -> list[Column]:
    """The three scores of a row of values, by their names.

    Args:
        basis: what the profile counts: who has no event in the window scores 1 throughout.
        cuts: cut points.
        scores: 5 for scores 1..5.
    """
    values = {dimension: F.col(value) for dimension, (value, _) in DIMENSIONS.items()}
    found = scores_of(values, cuts, scores)
    is_counted = F.col("recency_days").isNotNull()
    return [
        (F.when(is_counted, one).otherwise(1) if basis.has_all_known else one).alias(name)
        for (_, name), one in zip(DIMENSIONS.values(), found.values(), strict=True)
    ]


def scores_of(values: Mapping[str, Column], cuts: CutPoints, scores: int) -> dict[str, Column]:
    """The scores of values, by dimension.

    Args:
        values: by dimension, in the order of DIMENSIONS; the first ones are enough.
        cuts: cut points of these at least.
        scores: 5 for scores 1..5.
    """
    found: dict[str, Column] = {}
    for dimension, value in values.items():
        of_nests, before = cuts.by_nest[dimension], list(found.values())
        found[dimension] = score(value, of_nests, scores, dimension == "recency", before)
    return found


def first_visit_inside(basis: Basis, as_of: date) -> Column:
    """Whether the profile's first event ever, `first_visit`, lies in the window; never is not.

    In a window of all time it does wherever there is an event, known its day or not.
    """
    first = basis.window.first_day(as_of)
    if first is None:
        return F.col("recency_days").isNotNull()
    return F.coalesce(F.col("first_visit") >= F.lit(first), F.lit(False))


def cell_sums(rfm: DataFrame) -> DataFrame:
    """What each cell and segment of each profile and day adds up to: as many as settings allow.

    Args:
        rfm: `rfm` of some days.

    Returns:
        One row per `profile`, `as_of`, `rfm_cell` and `segment` that has a customer: `customers`,
        `counted` (with an event in the window), `revenue_cents`, `frequency`, `recency_days` (of
        all of them).
    """
    return rfm.groupBy("profile", "as_of", "rfm_cell", "segment").agg(
        F.count(F.lit(1)).alias("customers"),
        F.count("recency_days").alias("counted"),
        F.sum("monetary_cents").alias("revenue_cents"),
        F.sum("frequency").alias("frequency"),
        F.coalesce(F.sum(F.col("recency_days").cast("bigint")), F.lit(0)).alias("recency_days"),
    )


def cell_results(sums: Iterable[Row], scoring: Scoring) -> list[dict[str, Any]]:
    """Every cell, empty ones too.

    Args:
        sums: `cell_sums` of this profile and day.
        scoring: the profile's rules.

    Returns:
        One row per cell: the columns of `rfm_cells`.
    """
    found = _added_up(sums, "rfm_cell")
    segments = _segments_of_cells(scoring)
    axis = range(1, scoring.scores + 1)
    return [
        {
            "profile": scoring.profile,
            "as_of": scoring.as_of,
            "rfm_cell": f"{r}{f}{m}",
            "r_score": r,
            "f_score": f,
            "m_score": m,
            "segment": segments[f"{r}{f}{m}"],
            **_averages(found.get(f"{r}{f}{m}", Counter())),
        }
        for r, f, m in product(axis, axis, axis)
    ]


def segment_results(sums: Iterable[Row], scoring: Scoring) -> list[dict[str, Any]]:
    """Every segment of the grid with its size, revenue and what to do.

    Args:
        sums: `cell_sums` of this profile and day.
        scoring: the profile's rules.

    Returns:
        One row per segment: the columns of `segments`.
    """
    found = _added_up(sums, "segment")
    whole: Counter[str] = Counter()
    for own in found.values():
        whole.update(own)  # `+` would drop what is below 0
    rows = []
    for name, action in scoring.grid.actions.items():
        own = found.get(name, Counter())
        rows.append(
            {
                "profile": scoring.profile,
                "as_of": scoring.as_of,
                "segment": name,
                **_averages(own),
                "customer_share": _ratio(own["customers"], whole["customers"]),
                "revenue_share": _ratio(own["revenue_cents"], whole["revenue_cents"]),
                "suggested_action": action,
                "boundary_version": scoring.boundary_version,
                "boundary_edition": scoring.boundary_edition,
            }
        )
    return rows


def _segments_of_cells(scoring: Scoring) -> dict[str, str]:
    """By cell: its segment; both, where the first visit can lie on either side of the window."""
    found: dict[str, dict[str, None]] = {}
    for one in cells(scoring.scores, scoring.total_weights):
        if scoring.basis.window.days is not None or one.first_visit == "inside":
            found.setdefault(one.digits, {})[scoring.grid.segment_of(one)] = None
    return {digits: " / ".join(names) for digits, names in found.items()}


def _added_up(sums: Iterable[Row], by: str) -> dict[str, Counter[str]]:
    """By cell or segment: its measures."""
    found: dict[str, Counter[str]] = {}
    for row in sums:
        found.setdefault(row[by], Counter()).update({name: row[name] for name in _MEASURES})
    return found


def _averages(sums: Counter[str]) -> dict[str, Any]:
    customers = sums["customers"]
    return {
        "customers": customers,
        "revenue_cents": sums["revenue_cents"],
        "average_recency_days": _ratio(sums["recency_days"], sums["counted"]),
        "average_frequency": _ratio(sums["frequency"], customers),
        "average_monetary_cents": _ratio(sums["revenue_cents"], customers),
    }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
