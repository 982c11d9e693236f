"""Both models of a day, fitted or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rfm_spark.results.lifetime.cells import AgePairs, Extent
from rfm_spark.results.lifetime.maximum_likelihood import Fit, NotFitted, added_up
from rfm_spark.results.lifetime.money_model import MoneyCells, fitted_money
from rfm_spark.results.lifetime.suitability import why_no_money, why_no_visits
from rfm_spark.results.lifetime.tables import MONEY, VISITS
from rfm_spark.results.lifetime.visits_model import (
    VisitCells,
    fitted_visits,
    probability_alive,
    variance_of_visits,
    visit_pairs_if_alive,
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
        visit_pairs_if_alive: E[Y (Y - 1)] of these visits Y, of every pair.
        relative_error: standard error of all expected visits, in relation to them, of what is not
            known of the parameters.
        relative_chance: their standard deviation by chance, in relation to them.
    """

    fit: Fit
    visits_if_alive: np.ndarray
    visit_pairs_if_alive: np.ndarray
    relative_error: float
    relative_chance: float


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
        of_pairs = (fit.values, pairs.repeats, pairs.age, weeks)

        def total(parameters: Mapping[str, float]) -> float:
            return added_up(cells.customers, expected_visits(parameters, cells, weeks))

        expected = total(fit.values)
        chance = added_up(cells.customers, variance_of_visits(fit.values, cells, weeks))
        return Outlook(
            fit,
            visits_if_alive(*of_pairs),
            visit_pairs_if_alive(*of_pairs),
            fit.error_of(total) / expected,
            float(np.sqrt(chance)) / expected,
        )
    except NotFitted as why_not:
        raise Refused(str(why_not)) from why_not


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
    except NotFitted as why_not:
        raise Refused(f"{why_not}: do all customers spend the same?") from why_not
    if fit.values["q"] <= 1:
        raise Refused("what customers spend differs so much that its mean over all is not finite")
    return fit


def relative_error_of_money(fit: Fit) -> float:
    """Standard error of what customers spend on a day in the mean, in relation to it."""

    def mean(values: Mapping[str, float]) -> float:
        return values["p"] * values["gamma"] / (values["q"] - 1)

    return fit.error_of(mean) / mean(fit.values)


@dataclass(frozen=True)
class Counted:
    """What Spark has counted of all customers.

    Attributes:
        extent: how long the history is, and how cells are rounded.
        cells: what the model of visits is fitted on.
        pairs: what it tells expected visits of.
        spent: what the model of money is fitted on.
    """

    extent: Extent
    cells: VisitCells
    pairs: AgePairs
    spent: MoneyCells


@dataclass(frozen=True)
class Models:
    """Both models of a day.

    Attributes:
        visits: None where it is refused.
        money: None where it is refused.
        refused: why, by the name of the model.
    """

    visits: Outlook | None
    money: Fit | None
    refused: Mapping[str, str]


def fitted_models(counted: Counted, weeks: float) -> Models:
    """Both models, as far as they suit; money is told by expected visits, and not without them."""
    try:
        visits = outlook(counted.cells, counted.pairs, counted.extent.history_days, weeks)
    except Refused as refused:
        why = {VISITS: str(refused), MONEY: "expected visits, which it needs, are refused"}
        return Models(None, None, why)
    try:
        return Models(visits, fitted_spending(counted.spent), {})
    except Refused as refused:
        return Models(visits, None, {MONEY: str(refused)})
