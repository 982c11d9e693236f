"""Rankings: customers from best to worst, those of one score together, and who of them came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]

DECILES = 10


@dataclass(frozen=True)
class Ranking:
    """Blocks of customers with one score each, the best first.

    How customers are ordered inside of a block is not known and not needed: gains rise in a
    straight line over it.

    Attributes:
        customers: of each block, at least one.
        responders: of these, who came.
    """

    customers: Counts
    responders: Counts

    @classmethod
    def by(cls, scores: Numbers, customers: Counts, responders: Counts) -> Ranking:
        """Of numbers of customers by score, the highest first; equal scores become one block."""
        _, places = np.unique(-scores, return_inverse=True)
        return cls(_sums(customers, places), _sums(responders, places))

    @property
    def gini(self) -> float | None:
        """See `ginis`; None where nobody came, or everybody did."""
        gini = ginis(self.customers, self.responders)
        return None if np.isnan(gini) else float(gini)

    def gains(self, shares: Sequence[float]) -> list[float] | None:
        """The share of responders among the best customers.

        Args:
            shares: of customers that are looked at, ascending, 0 to 1.

        Returns:
            For each of them; None where nobody came.
        """
        if not self.responders.any():
            return None
        return [float(one) for one in gains(self.customers, self.responders, shares)]

    def deciles(self) -> Counts:
        """Of each block the tenth of all customers that its middle lies in; 1 is the best.

        A block is not divided, so tenths have different sizes where blocks are large.
        """
        ends = np.cumsum(self.customers)
        # Twice the middle, in whole numbers.
        middle = 2 * ends - self.customers
        whole: Counts = 1 + DECILES * middle // (2 * ends[-1])
        return np.minimum(whole, DECILES)


def ginis(customers: Counts, responders: Counts) -> Numbers:
    """Gini coefficients: (area under gains - 1/2) / (area under gains of the best order - 1/2).

    The best order has all responders first: with a share p of them, its area is 1 - p / 2.

    Args:
        customers: by block, best first, along the last axis.
        responders: the same.

    Returns:
        Without the last axis; NaN where nobody came, or everybody did.
    """
    whole, came = customers.sum(axis=-1), responders.sum(axis=-1)
    before = np.cumsum(responders, axis=-1) - responders
    # Whole numbers, which floats hold exactly, until the one division: the worst order is -1.
    doubled = (customers.astype(np.float64) * (2 * before + responders)).sum(axis=-1)
    above, most = doubled - 1.0 * whole * came, 1.0 * came * (whole - came)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(most > 0, above / most, np.nan)


def gains(customers: Counts, responders: Counts, shares: Sequence[float]) -> Numbers:
    """The share of responders among each share of customers, the best first.

    Args:
        customers: by block, best first; some of each.
        responders: the same; some came.
        shares: of customers, ascending.
    """
    at = np.concatenate([[0.0], np.cumsum(customers) / customers.sum()])
    reached = np.concatenate([[0.0], np.cumsum(responders) / responders.sum()])
    found: Numbers = np.interp(np.asarray(shares), at, reached)
    return found


def _sums(counts: Counts, places: NDArray[np.intp]) -> Counts:
    summed: Counts = np.zeros(int(places.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(summed, places, counts)
    return summed
