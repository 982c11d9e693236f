"""How often customers come, and whether they still do: BG/NBD.

Fader, P. S., Hardie, B. G. S., Lee, K. L. (2005). "Counting Your Customers" the Easy Way: An
Alternative to the Pareto/NBD Model. Marketing Science 24, 275-284. While alive, a customer comes
at random at a rate of their own, which has a gamma distribution (shape r, rate alpha); after each
repeat visit they leave for ever with a chance of their own, which has a beta distribution (a, b).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import betaln, gammaln, hyp2f1

from rfm_spark.results.lifetime.maximum_likelihood import (
    Fit,
    NotFitted,
    added_up,
    greatest_likelihood,
)

DAYS_A_WEEK = 7
_NODES = 48
_LEAST_LOG, _SPANS, _NODES_A_SPAN = 400.0, 500, 16
"""From which logarithm of a chance on means are taken, and in how many parts: below lies e^(-400 a)
of a beta distribution."""
_NEAR_ONE = 1e-6
"""a = 1 is a removable singularity: so near to it, a is moved away from it."""


@dataclass(frozen=True)
class VisitCells:
    """Customers by how often and when they came, many in a cell. Times are in weeks.

    Attributes:
        repeats: x: days with a visit after the first one; means of the cells.
        last: t_x: from the first day to the last.
        age: T: from the first day to as_of.
        customers: how many.
    """

    repeats: np.ndarray
    last: np.ndarray
    age: np.ndarray
    customers: np.ndarray

    @property
    def total(self) -> float:
        """All customers."""
        return float(self.customers.sum())


def fitted_visits(cells: VisitCells) -> Fit:
    """The parameters r, alpha (weeks), a and b of greatest likelihood.

    Raises:
        NotFitted: if there are none.
    """
    repeats, at = np.unique(cells.repeats, return_inverse=True)
    is_repeat = cells.repeats > 0
    last = np.where(is_repeat, cells.last, 0.0)

    def log_likelihood(parameters: np.ndarray) -> float:
        """Equation (6) of the paper, in logarithms, of all cells."""
        r, alpha, a, b = parameters
        of_repeats = (
            gammaln(r + repeats) - gammaln(r) + r * np.log(alpha)
            + betaln(a, b + repeats) - betaln(a, b)
        )  # fmt: skip
        after = np.log(a) - np.log(np.maximum(b + repeats - 1, np.finfo(float).tiny))
        power = r + cells.repeats
        alive = -power * np.log(alpha + cells.age)
        gone = np.where(is_repeat, after[at] - power * np.log(alpha + last), -np.inf)
        return added_up(cells.customers, of_repeats[at] + np.logaddexp(alive, gone))

    mean_age = added_up(cells.customers, cells.age) / cells.total
    scales = {"r": 1.0, "alpha": max(mean_age, 1.0), "a": 1.0, "b": 1.0}
    return greatest_likelihood(log_likelihood, scales, cells.total)


def probability_alive(
    parameters: Mapping[str, float], repeats: np.ndarray, last: np.ndarray, age: np.ndarray
) -> np.ndarray:
    """Whether customers still come; 1 of who came on one day only. Times are in weeks."""
    r, alpha, a, b = (parameters[name] for name in ("r", "alpha", "a", "b"))
    is_repeat = repeats > 0
    since = np.log((alpha + age) / (alpha + last)) * (r + repeats)
    odds = np.log(a / np.where(is_repeat, b + repeats - 1, 1.0)) + since
    return np.asarray(np.where(is_repeat, 1 / (1 + np.exp(np.minimum(odds, 700.0))), 1.0))


def visits_if_alive(
    parameters: Mapping[str, float], repeats: np.ndarray, age: np.ndarray, weeks: float
) -> np.ndarray:
    """Expected visit days in so many weeks of customers who are alive at their end.

    Equation (10) of the paper, without its denominator: that is 1 / `probability_alive`. Its
    hypergeometric function is taken through Euler's transformation: as it is written there, its
    terms overflow for customers who came some hundred times.

    Raises:
        NotFitted: if the function cannot be evaluated for the parameters.
    """
    r, alpha, a, b = (parameters[name] for name in ("r", "alpha", "a", "b"))
    if abs(a - 1) < _NEAR_ONE:
        a = 1 + _NEAR_ONE
    z = weeks / (alpha + age + weeks)
    whole = a + b + repeats - 1
    share = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, whole, z)
    visits = whole / (a - 1) * (1 - share)
    lost = ~np.isfinite(visits)  # newcomers, where many come often and few leave
    visits[lost] = _visits_by_quadrature(parameters, repeats[lost], age[lost], weeks)
    if not np.isfinite(visits).all():
        raise NotFitted("expected visits cannot be worked out: the horizon is far too long")
    return np.asarray(visits)


def _visits_by_quadrature(
    parameters: Mapping[str, float], repeats: np.ndarray, age: np.ndarray, weeks: float
) -> np.ndarray:
    """The same as the mean, over the chance p to leave, of what is expected of a customer with it.

    That is (1 - (1 + p weeks / (alpha + age))^-(r + x)) / p, which changes over many orders of p:
    the mean is taken by Gauss-Legendre over spans of its logarithm.
    """
    r, alpha, a, b = (parameters[name] for name in ("r", "alpha", "a", "b"))
    log_p, widths = _log_nodes()
    visits = np.empty(len(age))
    for place, (number, known) in enumerate(zip(repeats, age, strict=True)):
        stay = b + number
        density = np.exp(a * log_p + (stay - 1) * np.log1p(-np.exp(log_p)) - betaln(a, stay))
        grown = np.log1p(np.exp(log_p) * weeks / (alpha + known))
        visits[place] = np.sum(widths * density * -np.expm1(-(r + number) * grown) / np.exp(log_p))
    return visits


def _log_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of chances from e^-_LEAST_LOG to 1, and the widths they stand for."""
    places, weights = np.polynomial.legendre.leggauss(_NODES_A_SPAN)
    ends = np.linspace(-_LEAST_LOG, 0.0, _SPANS + 1)
    half = np.diff(ends)[:, None] / 2
    return (ends[:-1, None] + half * (1 + places)).ravel(), (half * weights).ravel()


def visit_pairs_if_alive(
    parameters: Mapping[str, float], repeats: np.ndarray, age: np.ndarray, weeks: float
) -> np.ndarray:
    """E[Y (Y - 1)] of the visit days Y in so many weeks of customers who are alive now.

    Of a rate and a chance p to leave it is twice the integral over the weeks s of
    rate^2 (1 - p) s exp(-rate p s); its mean over rates has a closed form, and that over p is a
    Gauss-Jacobi quadrature.
    """
    r, alpha, a, b = (parameters[name] for name in ("r", "alpha", "a", "b"))
    pairs = np.empty_like(age, dtype=float)
    whole = np.round(repeats)
    for number in np.unique(whole):
        own = whole == number
        p, weights = _beta_nodes(a, b + number)
        shape = r + number
        q = np.outer(1 / (alpha + age[own]), p * weeks)
        few = 1 - (1 + q) ** -shape * (1 + shape * q / (1 + q))
        small = shape * (shape + 1) * q**2 / 2  # where the difference would be lost to rounding
        moment = np.where(shape * q < 1e-4, small, few) * 2 * (1 - p) / p**2
        pairs[own] = moment @ weights
    return pairs


def variance_of_visits(
    parameters: Mapping[str, float], cells: VisitCells, weeks: float
) -> np.ndarray:
    """Variance of the visit days of one customer of each cell in so many weeks, by chance alone."""
    pairs = visit_pairs_if_alive(parameters, cells.repeats, cells.age, weeks)
    alive = probability_alive(parameters, cells.repeats, cells.last, cells.age)
    visits = visits_if_alive(parameters, cells.repeats, cells.age, weeks)
    return np.asarray(np.maximum(alive * (pairs + visits) - (alive * visits) ** 2, 0.0))


def _beta_nodes(a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Places and weights by which means over a beta distribution are taken.

    Golub and Welsch 1969: eigenvalues of the Jacobi matrix of the polynomials, whose weights add up
    to 1; scipy's own overflow for customers who came a thousand times.
    """
    k = np.arange(1, _NODES, dtype=float)
    total = 2 * k + a + b - 2
    centre = np.concatenate(([(a - b) / (a + b)], (a - b) * (a + b - 2) / (total * (total + 2))))
    beside = (
        4 * k * (k + b - 1) * (k + a - 1) * (k + a + b - 2)
        / (total**2 * (total + 1) * (total - 1))
    )  # fmt: skip
    beside[0] = 4 * a * b / ((a + b) ** 2 * (a + b + 1))  # 0 / 0 by the formula where a + b = 1
    places, vectors = eigh_tridiagonal(centre, np.sqrt(beside))
    return np.clip((places + 1) / 2, 1e-300, 1.0), vectors[0] ** 2
