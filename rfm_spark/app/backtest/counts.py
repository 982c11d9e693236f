"""Counts: how many customers had a score, and how many of them came, as a backtest needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import copysign, log1p
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.backtest.logistic import logits_of_others
from rfm_spark.app.backtest.outcomes import Outcome, group_aggregates
from rfm_spark.app.backtest.ranking import Counts, Ranking
from rfm_spark.results.rfm.past_scores import PastScores
from rfm_spark.results.rfm.populations import Population, ProfileDay

BINS = 32
"""Equal steps of each value's logarithm that the logistic regression knows: 2 x 33 x 33 x 34 groups
of customers at most, of each profile and day."""

SCORE, RECENCY, LOGISTIC, CHANCE = "score", "recency", "logistic", "chance"
"""What customers are ranked by; by CHANCE they are where SCORE is shuffled."""

_OF = ("as_of", "profile")
_CELL = ("segment", "rfm_cell", "rfm_total")
_VALUES = ("recency_bin", "frequency_bin", "value_bin")
_BY = (_CELL, ("recency_days",), ("is_first_half", *_VALUES))
_MEASURES = ("customers", "responders", "revenue_cents")


@dataclass(frozen=True)
class Group:
    """Some customers, and what they did in the days after.

    Attributes:
        customers: how many.
        responders: of these, who came.
        revenue_cents: net amount of all.
    """

    customers: int = 0
    responders: int = 0
    revenue_cents: int = 0

    def __add__(self, other: Group) -> Group:
        return Group(
            self.customers + other.customers,
            self.responders + other.responders,
            self.revenue_cents + other.revenue_cents,
        )


@dataclass(frozen=True)
class Counted:
    """What was counted of one profile on one day.

    Attributes:
        cells: rows of `segment`, `rfm_cell`, `rfm_total`, and what a Group is made of.
        rankings: by SCORE, RECENCY and LOGISTIC.
    """

    cells: Sequence[Mapping[str, Any]]
    rankings: Mapping[str, Ranking]


def group_of(row: Mapping[str, Any]) -> Group:
    """The group of a row with `outcomes.group_aggregates`."""
    return Group(*(row[name] for name in _MEASURES))


def counted(
    scores: Mapping[ProfileDay, PastScores], outcomes: Mapping[str, Outcome]
) -> dict[ProfileDay, Counted]:
    """Counts customers by score, by recency and by values, in one pass over all profiles and days.

    Args:
        scores: with the columns of the profile's outcome.
        outcomes: by profile, what its customers are watched for.
    """
    rows = reduce(
        DataFrame.unionByName,
        [_rows(of_profile, outcomes[one.profile]) for one, of_profile in scores.items()],
    )
    sets = [[*_OF, *names] for names in _BY]
    columns = list(dict.fromkeys(name for names in sets for name in names))
    grouped = rows.groupingSets([[F.col(n) for n in names] for names in sets], *columns).agg(
        F.grouping_id().alias("grouping"), *group_aggregates()
    )
    found = grouped.toArrow()
    return {one: _counted(_of(found, one), columns) for one in scores}


def _rows(scores: PastScores, outcome: Outcome) -> DataFrame:
    """One row per customer: what is counted, and what it is counted by."""
    return scores.rows.select(
        *_OF,
        *_CELL,
        "recency_days",
        (F.pmod(F.xxhash64("customer_id"), F.lit(2)) == 0).alias("is_first_half"),
        *_bins(scores.population, scores.units_per_value),
        *outcome.measured(),
    )


def _bins(population: Population, units_per_value: int) -> list[Column]:
    """In which step of the logarithms of those with an event in the window each value lies.

    Who has none is one step behind the longest recency.
    """
    found = []
    for name, span, unit in (
        ("recency_days", "recency_days", 1),
        ("frequency", "frequency", 1),
        ("value", "value_units", units_per_value),
    ):
        span_ends = population.spans[span] if population.counted else (0, 0)
        ends = [_log(end / unit) for end in span_ends]
        value = F.col(name).cast("double")
        distance = F.signum(value) * F.log1p(F.abs(value)) - ends[0]
        place = F.round(distance * (BINS / (ends[1] - ends[0]))) if ends[0] < ends[1] else F.lit(0)
        inside = F.greatest(F.least(place, F.lit(BINS)), F.lit(0)).cast("int")
        is_known = F.col(name).isNotNull()
        found.append(F.when(is_known, inside).otherwise(BINS + 1))
    return [column.alias(name) for column, name in zip(found, _VALUES, strict=True)]


def _log(value: float) -> float:
    return copysign(log1p(abs(value)), value)


def _of(found: pa.Table, one: ProfileDay) -> pa.Table:
    is_own = pc.and_(
        pc.equal(found["profile"], one.profile), pc.equal(found["as_of"], pa.scalar(one.as_of))
    )
    return found.filter(is_own)


def _counted(found: pa.Table, columns: Sequence[str]) -> Counted:
    cells, recency, values = (_grouped_by(found, names, columns) for names in _BY)
    customers, responders = _counts(values)
    steps = np.column_stack([_numbers(values, name) for name in _VALUES])
    half = values["is_first_half"].to_numpy().astype(bool)
    logits = logits_of_others(steps, customers, responders, half)
    # NULL, of who has no event in the window, is the worst.
    days = -_numbers(recency, "recency_days", missing=np.inf)
    return Counted(
        cells.select([*_CELL, *_MEASURES]).to_pylist(),
        {
            SCORE: Ranking.by(_numbers(cells, "rfm_total"), *_counts(cells)),
            RECENCY: Ranking.by(days, *_counts(recency)),
            LOGISTIC: Ranking.by(logits, customers, responders),
        },
    )


def _grouped_by(found: pa.Table, names: Sequence[str], columns: Sequence[str]) -> pa.Table:
    """The rows of one grouping set, in an order of their own; a NULL can be a value of its."""
    grouping = 0
    for column in columns:
        grouping = 2 * grouping + (column not in (*_OF, *names))
    own = found.filter(pc.equal(found["grouping"], grouping))
    return own.sort_by([(name, "ascending") for name in names])


def _counts(rows: pa.Table) -> tuple[Counts, Counts]:
    return rows["customers"].to_numpy(), rows["responders"].to_numpy()


def _numbers(rows: pa.Table, name: str, missing: float = np.nan) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = pc.fill_null(rows[name].cast(pa.float64()), missing).to_numpy()
    return numbers
