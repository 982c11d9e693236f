"""Both models of a day, fitted or refused, and the rows that tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rfm_spark.results.lifetime.cells import AgePairs, CheckedCells
from rfm_spark.results.lifetime.maximum_likelihood import NORMAL_95, Fit, NotFitted
from rfm_spark.results.lifetime.money_model import MoneyCells, fitted_money
from rfm_spark.results.lifetime.suitability import why_no_money, why_no_visits
from rfm_spark.results.lifetime.tables import MOST_REPEATS
from rfm_spark.results.lifetime.visits_model import (
    VisitCells,
    fitted_visits,
    probability_alive,
    variance_of_visits,
    visits_if_alive,
)


class Refused(Exception):
    """A model does not suit the data; the message says why, in words for a person."""


@dataclass(frozen=True)
class Outlook:
    """What the model of visits tells of a shop.

    Attributes:
        fit: its parameters.
        visits_if_alive: in the horizon, of every pair of `AgePairs`.
        relative_error: standard error of all expected visits, in relation to them: of what is not
            known of the parameters, and of chance.
    """

    fit: Fit
    visits_if_alive: np.ndarray
    relative_error: float


def outlook(cells: VisitCells, pairs: AgePairs, history_days: int, weeks: float) -> Outlook:
    """The model of visits, and what follows from it.

    Args:
        cells: the histogram of customers.
        pairs: of the same customers.
        history_days: from the first visit of anybody to as_of.
        weeks: of the horizon.

    Raises:
        Refused: if it does not suit.
    """
    if why := why_no_visits(cells, history_days):
        raise Refused(why)
    try:
        fit = fitted_visits(cells)
        if_alive = visits_if_alive(fit.values, pairs.repeats, pairs.age, weeks)

        def total(parameters: Mapping[str, float]) -> float:
            return float(cells.customers @ expected_visits(parameters, cells, weeks))

        chance = float(cells.customers @ variance_of_visits(fit.values, cells, weeks))
        error = np.sqrt(fit.error_of(total) ** 2 + chance)
        return Outlook(fit, if_alive, float(error) / total(fit.values))
    except NotFitted as error:
        raise Refused(f"{error}: too few leave for good, or stay") from error


def expected_visits(parameters: Mapping[str, float], cells: VisitCells, weeks: float) -> np.ndarray:
    """Visit days in so many weeks, of one customer of each cell."""
    alive = probability_alive(parameters, cells.repeats, cells.last, cells.age)
    return np.asarray(alive * visits_if_alive(parameters, cells.repeats, cells.age, weeks))


def fitted_spending(cells: MoneyCells) -> Fit:
    """The model of money.

    Raises:
        Refused: if it does not suit.
    """
    if why := why_no_money(cells):
        raise Refused(why)
    try:
        fit = fitted_money(cells)
    except NotFitted as error:
        raise Refused(f"{error}: customers spend too much alike") from error
    if fit.values["q"] <= 1:
        raise Refused("what customers spend differs so much that its mean over all is not finite")
    return fit


def relative_error_of_money(fit: Fit) -> float:
    """Standard error of what customers spend on a day in the mean, in relation to it."""

    def mean(values: Mapping[str, float]) -> float:
        return values["p"] * values["gamma"] / (values["q"] - 1)

    return fit.error_of(mean) / mean(fit.values)


def interval_around(total: float, relative_error: float) -> tuple[float, float]:
    """95 %, by the normal distribution; not below 0."""
    reach = NORMAL_95 * relative_error * total
    return max(total - reach, 0.0), total + reach


def parameter_rows(model: str, fit: Fit) -> Iterator[dict[str, Any]]:
    """Rows of `lifetime_parameters`, but for their day."""
    for name, value in fit.values.items():
        low, high = fit.interval(name)
        yield {
            "model": model,
            "parameter": name,
            "value": value,
            "standard_error": fit.standard_error(name),
            "low": low,
            "high": high,
        }


def check_rows(before: CheckedCells, history_days: int, weeks: float) -> list[dict[str, Any]]:
    """Rows of `lifetime_checks`, but for day and horizon: expected of a model of then, and seen.

    Args:
        before: customers as of a horizon ago, and their visits since.
        history_days: from the first visit of anybody to that day.
        weeks: of the horizon.

    Returns:
        One for each class; none where the model would have been refused on that day.
    """
    cells = before.cells
    if why_no_visits(cells, history_days):
        return []
    try:
        expected = expected_visits(fitted_visits(cells).values, cells, weeks)
    except NotFitted:
        return []
    classes = np.minimum(np.floor(cells.repeats), MOST_REPEATS)
    return [
        {
            "repeat_visit_days": int(repeats),
            "customers": int(cells.customers[own].sum()),
            "expected_visits": float(cells.customers[own] @ expected[own]),
            "visits": int(before.visits[own].sum()),
        }
        for repeats in np.unique(classes)
        for own in [classes == repeats]
    ]
