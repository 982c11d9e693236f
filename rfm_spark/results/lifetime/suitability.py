"""Whether the models suit a shop's customers; where not, why, in words for a person."""

from __future__ import annotations

import numpy as np

from rfm_spark.results.lifetime.maximum_likelihood import added_up
from rfm_spark.results.lifetime.money_model import MoneyCells
from rfm_spark.results.lifetime.visits_model import DAYS_A_WEEK, VisitCells

LEAST_HISTORY_DAYS = 84
LEAST_REPEAT_CUSTOMERS = 30
MOST_CORRELATION = 0.3

_LEAST_REPEATS_OF_PACE = 3
_ALIKE = 0.1
_MOST_ALIKE = 0.8


def why_no_visits(cells: VisitCells, history_days: int) -> str | None:
    """Why the model of visits does not suit; None where it does."""
    if history_days < LEAST_HISTORY_DAYS:
        return (
            f"the history is too short: {history_days:,} days from the first visit of anybody, "
            f"{LEAST_HISTORY_DAYS} are needed"
        )
    repeat = int(cells.customers[cells.repeats > 0].sum())
    if repeat < LEAST_REPEAT_CUSTOMERS:
        return (
            f"too few came again: {repeat:,} of {int(cells.total):,} customers on a second day, "
            f"{LEAST_REPEAT_CUSTOMERS} are needed"
        )
    gap, share = common_pace(cells)
    if share > _MOST_ALIKE:
        return (
            f"visits look like those of contracts: {share:.0%} of who came on four days or more "
            f"come every {gap:.3g} days, give or take a tenth; the model is of visits at any time"
        )
    return None


def common_pace(cells: VisitCells) -> tuple[float, float]:
    """The median of customers' mean gaps in days, and the share of customers within a tenth of it.

    Of those with three repeat visit days or more; (0, 0) without any. Visits that come by chance
    do not have one pace: of 50 visits at one rate, the mean gap alone varies by 14 %.
    """
    regular = cells.repeats >= _LEAST_REPEATS_OF_PACE
    if not regular.any():
        return 0.0, 0.0
    gaps = cells.last[regular] * DAYS_A_WEEK / cells.repeats[regular]
    weights = cells.customers[regular]
    order = np.argsort(gaps, kind="stable")
    up_to = np.cumsum(weights[order])
    median = float(gaps[order][np.searchsorted(up_to, up_to[-1] / 2)])
    alike = np.abs(gaps - median) <= _ALIKE * median
    return median, float(weights[alike].sum() / weights.sum())


def why_no_money(cells: MoneyCells) -> str | None:
    """Why the model of money does not suit; None where it does."""
    if cells.total < LEAST_REPEAT_CUSTOMERS:
        return (
            f"too few customers with a second visit day and money above 0: {int(cells.total):,}, "
            f"{LEAST_REPEAT_CUSTOMERS} are needed"
        )
    correlation = correlation_of_money(cells)
    if abs(correlation) > MOST_CORRELATION:
        return (
            f"money goes with frequency: the correlation of repeat visit days and mean money is "
            f"{correlation:.2f}, and the model takes it for 0 (refused beyond {MOST_CORRELATION})"
        )
    return None


def correlation_of_money(cells: MoneyCells) -> float:
    """Between numbers of amounts and their means (Pearson); 0 where one is the same for all."""
    weights = cells.customers / max(cells.total, 1.0)
    amounts, mean = (each - added_up(weights, each) for each in (cells.amounts, cells.mean))
    spread = float(np.sqrt(added_up(weights, amounts**2) * added_up(weights, mean**2)))
    return 0.0 if spread == 0 else added_up(weights, amounts * mean) / spread
