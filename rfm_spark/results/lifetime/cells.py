"""The histograms that models are fitted on: their size follows from days, not from customers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.lifetime.money_model import MoneyCells
from rfm_spark.results.lifetime.visits_model import DAYS_A_WEEK, VisitCells

MOST_CELLS, MOST_PAIRS = 1_000_000, 200_000
"""About as many as are taken as they are; more, and the next rounding is tried.

Pairs go back to executors. Cells are fitted on the driver, half a million in five seconds; the
coarser they are, the further parameters are off: of a million simulated customers over ten years
alpha came out as 2.32 in spans of 14 days, 2.36 of 28 and 2.87 of 182.
"""

_PARTS_OF_MONEY = 64
_MILLION = 1_000_000


@dataclass(frozen=True)
class Rounding:
    """How customers who are nearly alike are put together.

    Attributes:
        days: width of a cell in time.
        of_repeats: whether numbers of repeat visit days from 64 on keep their first six binary
            digits only (64, 66, ..., 128, 132, ...).
    """

    days: int
    of_repeats: bool

    def repeats(self) -> Column:
        """The key of `repeat_visit_days`."""
        exact = F.col("repeat_visit_days")
        if not self.of_repeats:
            return exact
        bits = F.greatest(F.length(F.bin(exact)) - 6, F.lit(0))
        shortened = F.call_function("shiftright", exact, bits)
        return F.call_function("shiftleft", shortened, bits)

    def time(self, days: str) -> Column:
        """The key of a number of days."""
        return F.floor(F.col(days) / F.lit(self.days))


ROUNDINGS = (
    Rounding(1, of_repeats=False),
    *(Rounding(days, of_repeats=True) for days in (1, 7, 14, 28, 56, 91, 182, 1_820)),
)
"""Those that are tried, in their order. By the last one a century has 20 spans of time: no data
have more cells than 20 x 20 / 2 for each of some 350 numbers of repeat visit days."""


@dataclass(frozen=True)
class Extent:
    """How much there is to fit on.

    Attributes:
        history_days: from the first visit of anybody to as_of.
        cells: the first of ROUNDINGS that keeps cells few: of repeat visit days and both times.
        pairs: the same for pairs: of repeat visit days and the time from the first visit to as_of.
    """

    history_days: int
    cells: Rounding
    pairs: Rounding


def extent_of(
    customers: DataFrame, most_cells: int = MOST_CELLS, most_pairs: int = MOST_PAIRS
) -> Extent:
    """How long the history is, and which rounding keeps cells and pairs below a number.

    Args:
        customers: one row per customer: `repeat_visit_days`, `first_to_last_days`,
            `first_to_as_of_days`.
        most_cells: how many there may be, as HyperLogLog counts them: give or take a tenth.
        most_pairs: the same of pairs.
    """
    (row,) = customers.agg(F.max("first_to_as_of_days"), F.count(F.lit(1))).collect()
    history_days, count = row[0] or 0, row[1]
    if count <= min(most_cells, most_pairs):
        return Extent(history_days, ROUNDINGS[0], ROUNDINGS[0])
    counts = [
        F.approx_count_distinct(F.xxhash64(*keys(one).values()))
        for keys in (cell_keys, pair_keys)
        for one in ROUNDINGS
    ]
    (row,) = customers.agg(*counts).collect()

    def first(counted: tuple[int, ...], most: int) -> Rounding:
        few = (one for one, count in zip(ROUNDINGS, counted, strict=True) if count <= most)
        return next(few, ROUNDINGS[-1])

    of_cells = len(ROUNDINGS)
    return Extent(
        history_days, first(row[:of_cells], most_cells), first(row[of_cells:], most_pairs)
    )


def pair_keys(rounding: Rounding) -> dict[str, Column]:
    """By name, what puts customers into one pair."""
    return {"repeats_key": rounding.repeats(), "age_key": rounding.time("first_to_as_of_days")}


def cell_keys(rounding: Rounding) -> dict[str, Column]:
    """By name, what puts customers into one cell."""
    return {**pair_keys(rounding), "last_key": rounding.time("first_to_last_days")}


@dataclass(frozen=True)
class CheckedCells:
    """Cells of customers as of an earlier day, and what they did since.

    Attributes:
        cells: as of that day.
        visits: days with a visit since then, of all customers of a cell.
    """

    cells: VisitCells
    visits: np.ndarray


def visit_cells(customers: DataFrame, rounding: Rounding) -> CheckedCells:
    """The histogram of customers by how often and when they came.

    Args:
        customers: one row per customer: `repeat_visit_days`, `first_to_last_days`,
            `first_to_as_of_days`, and `later_visit_days`.
        rounding: of its cells; each is taken for its mean.
    """
    names = ("repeat_visit_days", "first_to_last_days", "first_to_as_of_days", "later_visit_days")
    found = _grouped(customers, cell_keys(rounding), names)
    count = found["customers"]
    repeats, last, age = (found[name] / count for name in names[:3])
    cells = VisitCells(repeats, last / DAYS_A_WEEK, age / DAYS_A_WEEK, count)
    return CheckedCells(cells, found["later_visit_days"])


@dataclass(frozen=True)
class AgePairs:
    """Customers by how often they came and how long they are known.

    Attributes:
        repeats_key: of a pair.
        age_key: of a pair.
        repeats: mean of its repeat visit days.
        age: mean of its weeks from the first visit to as_of.
    """

    repeats_key: np.ndarray
    age_key: np.ndarray
    repeats: np.ndarray
    age: np.ndarray


def age_pairs(customers: DataFrame, rounding: Rounding) -> AgePairs:
    """The pairs that there are, which expected visits of who is alive depend on."""
    names = ("repeat_visit_days", "first_to_as_of_days")
    found = _grouped(customers, pair_keys(rounding), names)
    repeats, age = (found[name] / found["customers"] for name in names)
    return AgePairs(found["repeats_key"], found["age_key"], repeats, age / DAYS_A_WEEK)


def money_cells(customers: DataFrame) -> MoneyCells:
    """The histogram of customers by visit days and what they spend on one, in minor units.

    Who came on one day only, or has a mean of 0 or less, is left out. Cells are as wide as 1.6 % of
    the money.

    Args:
        customers: one row per customer: `repeat_visit_days`, `mean_visit_day_cents`.
    """
    rounding = Rounding(1, of_repeats=True)
    told = customers.where(
        (F.col("repeat_visit_days") > 0) & (F.col("mean_visit_day_cents") > 0)
    ).withColumn("log_millionths", F.round(F.log("mean_visit_day_cents") * _MILLION).cast("bigint"))
    width = F.lit(_MILLION // _PARTS_OF_MONEY)
    keys = {
        "repeats_key": rounding.repeats(),
        "money_key": F.floor(F.col("log_millionths") / width),
    }
    found = _grouped(told, keys, ("repeat_visit_days", "log_millionths"))
    count = found["customers"]
    mean = np.exp(found["log_millionths"] / count / _MILLION)
    return MoneyCells(1 + found["repeat_visit_days"] / count, mean, count)


def _grouped(
    customers: DataFrame, keys: dict[str, Column], summed: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Groups in the order of their keys: the keys, sums, and `customers`, as numbers by name."""
    rows = (
        customers.groupBy(*[column.alias(name) for name, column in keys.items()])
        .agg(
            F.count(F.lit(1)).alias("customers"),
            *[F.sum(name).cast("bigint").alias(name) for name in summed],
        )
        .toArrow()
        .sort_by([(name, "ascending") for name in keys])
    )
    return {name: rows[name].to_numpy().astype(np.float64) for name in rows.column_names}
