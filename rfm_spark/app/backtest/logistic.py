"""Logistic regression of who came, fitted to numbers of customers by value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rfm_spark.app.backtest.ranking import Counts, Numbers

STEP = 0.01
"""Of the logits that customers are ranked by: nearer ones are told together."""
_RIDGE = 1.0
"""On coefficients of standardised values: where responders are told apart from all others, the
likelihood alone has no greatest value."""
_MOST_STEPS, _ENOUGH = 50, 1e-9
_MOST_LOGIT = 20.0


def logits_of_others(
    values: Numbers, customers: Counts, responders: Counts, half: NDArray[np.bool_]
) -> Numbers:
    """The logit of coming of each row, by a model that was fitted to the other half.

    So no customer is ranked by a model that has seen whether it came.

    Args:
        values: a row for each group of customers that have the same values, a column for each.
        customers: of each row.
        responders: of these, who came.
        half: which half of the customers a row is of.

    Returns:
        In steps of STEP; all the same where the other half has nobody.
    """
    found = np.zeros(len(customers))
    if not customers.sum():
        return found
    mean = np.average(values, axis=0, weights=customers)
    spread = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=customers))
    standard = (values - mean) / np.where(spread > 0, spread, 1.0)
    with_one = np.column_stack([np.ones(len(standard)), standard])
    for one in (half, ~half):
        if customers[~one].sum():
            fitted = _fitted(with_one[~one], customers[~one], responders[~one])
            found[one] = with_one[one] @ fitted
    return np.round(np.clip(found, -_MOST_LOGIT, _MOST_LOGIT) / STEP) * STEP


def _fitted(values: Numbers, customers: Counts, responders: Counts) -> Numbers:
    """Coefficients of greatest penalised likelihood, by Newton's steps, the constant first."""
    penalty = np.diag([_RIDGE * 1e-6, *[_RIDGE] * (values.shape[1] - 1)])
    found = np.zeros(values.shape[1])
    for _ in range(_MOST_STEPS):
        logit = np.clip(values @ found, -_MOST_LOGIT, _MOST_LOGIT)
        chance = 1 / (1 + np.exp(-logit))
        gradient = values.T @ (responders - customers * chance) - penalty @ found
        weights = customers * chance * (1 - chance)
        step = np.linalg.solve((values.T * weights) @ values + penalty, gradient)
        # Far from the end a whole step can lead away from it.
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        found = found + step
        if np.abs(step).max() < _ENOUGH:
            break
    return found
