"""RFM results: scored customers, and what the cells and segments hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from rfm_spark.transforms.local_rows import local_rows
from rfm_spark.transforms.rfm_values import ratios
from rfm_spark.transforms.scores import cell, score
from rfm_spark.transforms.segments import SegmentRule, segment
from rfm_spark.transforms.window import Window

DIMENSIONS = {
    "recency": ("recency_days", "r_score"),
    "frequency": ("frequency", "f_score"),
    "monetary": ("monetary_cents", "m_score"),
}
"""Dimension to its value and its score."""

_CELL = StructType(
    [
        StructField("rfm_cell", StringType()),
        StructField("r_score", IntegerType()),
        StructField("f_score", IntegerType()),
        StructField("m_score", IntegerType()),
    ]
)
_SEGMENT = StructType(
    [StructField("segment", StringType()), StructField("suggested_action", StringType())]
)


@dataclass(frozen=True)
class Scoring:
    """The rules of one profile, boundaries included.

    Attributes:
        profile: its name.
        as_of: the day described.
        window: how far back it looks.
        scores: 5 for scores 1..5.
        cuts: cut points by dimension.
        boundary_version: the day the cuts were fitted on.
        total_weights: of R, F and M in `rfm_total`.
        ratio_weights: of R, F and M in `rfmr_score`.
        grid: segments.
    """

    profile: str
    as_of: date
    window: Window
    scores: int
    cuts: Mapping[str, Sequence[int | None]]
    boundary_version: date
    total_weights: Sequence[float]
    ratio_weights: Sequence[float]
    grid: Sequence[SegmentRule]


def scored_customers(values: DataFrame, means: DataFrame, scoring: Scoring) -> DataFrame:
    """Scores, ratios and segment of every customer in the population.

    Args:
        values: `rfm_values`.
        means: `population_means` of these values, one row.
        scoring: the profile's rules.

    Returns:
        One row per customer: the columns of `rfm`.
    """
    scored = values.crossJoin(F.broadcast(means)).select(
        "customer_id",
        "recency_days",
        "frequency",
        "monetary_cents",
        "first_visit",
        "last_visit",
        *ratios(scoring.ratio_weights),
        *[
            score(
                F.col(value), scoring.cuts[dimension], scoring.scores, dimension == "recency"
            ).alias(name)
            for dimension, (value, name) in DIMENSIONS.items()
        ],
    )
    three = [F.col(name) for _, name in DIMENSIONS.values()]
    weighted = [digit * float(w) for digit, w in zip(three, scoring.total_weights, strict=True)]
    return scored.select(
        F.lit(scoring.profile).alias("profile"),
        F.lit(scoring.as_of).alias("as_of"),
        "*",
        cell(*three).alias("rfm_cell"),
        sum(weighted, F.lit(0.0)).alias("rfm_total"),
        segment(scoring.grid, _first_visit_inside(scoring)).alias("segment"),
        F.lit(scoring.boundary_version).alias("boundary_version"),
    )


def cell_results(rfm: DataFrame, scoring: Scoring) -> DataFrame:
    """Every cell, empty ones too.

    Args:
        rfm: `rfm` of one profile and day.
        scoring: the profile's rules.

    Returns:
        One row per cell: the columns of `rfm_cells`.
    """
    axis = range(1, scoring.scores + 1)
    rows = [
        {"rfm_cell": f"{r}{f}{m}", "r_score": r, "f_score": f, "m_score": m}
        for r, f, m in product(axis, axis, axis)
    ]
    cells = local_rows(rfm.sparkSession, rows, _CELL)
    found = rfm.groupBy("rfm_cell").agg(*_sums())
    return cells.join(found, "rfm_cell", "left").select(
        F.lit(scoring.profile).alias("profile"),
        F.lit(scoring.as_of).alias("as_of"),
        *cells.columns,
        *_averages(),
    )


def segment_results(rfm: DataFrame, scoring: Scoring) -> DataFrame:
    """Every segment of the grid with its size, revenue and what to do.

    Args:
        rfm: `rfm` of one profile and day.
        scoring: the profile's rules.

    Returns:
        One row per segment: the columns of `segments`.
    """
    actions = {rule.name: rule.action for rule in scoring.grid}
    rows = [{"segment": name, "suggested_action": action} for name, action in actions.items()]
    named = local_rows(rfm.sparkSession, rows, _SEGMENT)
    found = rfm.groupBy("segment").agg(*_sums())
    whole = rfm.agg(
        F.count(F.lit(1)).alias("all_customers"), F.sum("monetary_cents").alias("all_revenue")
    )
    sizes = named.join(found, "segment", "left").crossJoin(F.broadcast(whole))
    return sizes.select(
        F.lit(scoring.profile).alias("profile"),
        F.lit(scoring.as_of).alias("as_of"),
        "segment",
        *_averages(),
        F.try_divide(_or_zero("customers"), F.col("all_customers")).alias("customer_share"),
        F.try_divide(_or_zero("revenue_cents"), F.col("all_revenue")).alias("revenue_share"),
        "suggested_action",
    )


def _first_visit_inside(scoring: Scoring) -> Column:
    first = scoring.window.first_day(scoring.as_of)
    return F.lit(True) if first is None else F.col("first_visit") >= F.lit(first)


def _sums() -> list[Column]:
    return [
        F.count(F.lit(1)).alias("customers"),
        F.sum("monetary_cents").alias("revenue_cents"),
        F.sum("frequency").alias("visits"),
        F.sum(F.col("recency_days").cast("bigint")).alias("recency_sum"),
    ]


def _averages() -> list[Column]:
    customers = F.col("customers")
    return [
        _or_zero("customers").alias("customers"),
        _or_zero("revenue_cents").alias("revenue_cents"),
        (F.col("recency_sum") / customers).alias("average_recency_days"),
        (F.col("visits") / customers).alias("average_frequency"),
        (F.col("revenue_cents") / customers).alias("average_monetary_cents"),
    ]


def _or_zero(column: str) -> Column:
    return F.coalesce(F.col(column), F.lit(0))
