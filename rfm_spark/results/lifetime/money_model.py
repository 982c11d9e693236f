"""What customers spend on a day they come: Gamma-Gamma.

Fader, P. S., Hardie, B. G. S. (2013). The Gamma-Gamma Model of Monetary Value. Amounts of a
customer have a gamma distribution (shape p) whose rate is the customer's own, and has a gamma
distribution itself (shape q, rate gamma), whatever how often they come.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from rfm_spark.results.lifetime.maximum_likelihood import Fit, added_up, greatest_likelihood


@dataclass(frozen=True)
class MoneyCells:
    """Customers by how many amounts are known of them and their mean, many in a cell.

    Attributes:
        amounts: how many; means of the cells.
        mean: of a customer's amounts, positive; of a cell the geometric mean of these.
        customers: how many.
    """

    amounts: np.ndarray
    mean: np.ndarray
    customers: np.ndarray

    @property
    def total(self) -> float:
        """All customers."""
        return float(self.customers.sum())


def fitted_money(cells: MoneyCells) -> Fit:
    """The parameters p, q and gamma (in the unit of the means) of greatest likelihood.

    Raises:
        NotFitted: if there are none.
    """
    amounts, log_mean, weights = cells.amounts, np.log(cells.mean), cells.customers

    def log_likelihood(parameters: np.ndarray) -> float:
        """Equation (1a) of the note, in logarithms, of all cells."""
        p, q, gamma = parameters
        each = (
            gammaln(p * amounts + q) - gammaln(p * amounts) - gammaln(q)
            + q * np.log(gamma) + (p * amounts - 1) * log_mean + p * amounts * np.log(amounts)
            - (p * amounts + q) * np.log(gamma + amounts * cells.mean)
        )  # fmt: skip
        return added_up(weights, each)

    typical = float(np.exp(added_up(weights, log_mean) / cells.total))
    return greatest_likelihood(log_likelihood, {"p": 1.0, "q": 1.0, "gamma": typical}, cells.total)
