"""Maximum likelihood of a few positive parameters, with what is not known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from rfm_spark.core.confidence import Z

_FARTHEST = 12.0
"""Of the logarithm of a parameter, in its scale: one that is driven there has no maximum."""
_MOST_LOG_ERROR = 4.0
"""Of a logarithm: a parameter that is known to a factor of e^8 at best is not known."""
_STEP = 1e-3
"""Of logarithms, for second differences: rounding and curvature then err by about 1e-6."""


def added_up(customers: np.ndarray, each: np.ndarray) -> float:
    """Of all customers of cells. Not by `@`: BLAS adds up by as many threads as there are cores."""
    return float((customers * each).sum())


class NotFitted(Exception):
    """No parameters can be told; the message says why, in words for a person."""


@dataclass(frozen=True)
class Fit:
    """Parameters at which the likelihood is greatest.

    Attributes:
        values: by name.
        log_covariance: of their logarithms, in the order of the names: the inverse of the observed
            information.
        log_likelihood: at its greatest, of all customers.
    """

    values: Mapping[str, float]
    log_covariance: np.ndarray
    log_likelihood: float

    def standard_error(self, name: str) -> float:
        """Of a parameter, by the delta method from that of its logarithm."""
        return self.values[name] * self._log_error(name)

    def interval(self, name: str) -> tuple[float, float]:
        """95 %: symmetric around the logarithm, so that no end is negative."""
        reach = float(np.exp(Z * self._log_error(name)))
        return self.values[name] / reach, self.values[name] * reach

    def error_of(self, number: Callable[[Mapping[str, float]], float]) -> float:
        """Standard error of a number that parameters make, by the delta method."""
        slopes = np.empty(len(self.values))
        for at, name in enumerate(self.values):
            ends = [
                number({**self.values, name: self.values[name] * np.exp(step)})
                for step in (-_STEP, _STEP)
            ]
            slopes[at] = (ends[1] - ends[0]) / (2 * _STEP)
        return float(np.sqrt(max(slopes @ self.log_covariance @ slopes, 0.0)))

    def _log_error(self, name: str) -> float:
        at = list(self.values).index(name)
        return float(np.sqrt(self.log_covariance[at, at]))


def greatest_likelihood(
    log_likelihood: Callable[[np.ndarray], float],
    scales: Mapping[str, float],
    customers: float,
) -> Fit:
    """The parameters at which a likelihood is greatest, all of them positive.

    Args:
        log_likelihood: of an array of parameters, of all customers.
        scales: of the parameters by name, in their order: about how large each is.
        customers: how many there are.

    Raises:
        NotFitted: if there is no maximum, or it is so flat that parameters cannot be told apart.
    """
    names, scale = list(scales), np.array(list(scales.values()))

    def cost(logs: np.ndarray) -> float:
        value = -log_likelihood(scale * np.exp(logs)) / customers
        return value if np.isfinite(value) else 1e10

    bounds = [(-_FARTHEST, _FARTHEST)] * len(names)
    found = minimize(
        cost,
        np.zeros(len(names)),
        method="L-BFGS-B",
        jac="3-point",
        bounds=bounds,
        options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 1_000},
    )
    at_end = [name for name, log in zip(names, found.x, strict=True) if abs(log) > 0.99 * _FARTHEST]
    if at_end:
        raise NotFitted(f"the likelihood has no maximum: {', '.join(at_end)} grows without end")
    information = _second_differences(cost, found.x) * customers
    untold = "the data do not tell the parameters apart"
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        raise NotFitted(untold) from None
    covariance = np.linalg.inv(information)
    if covariance.diagonal().max() > _MOST_LOG_ERROR**2:
        raise NotFitted(untold)
    values = dict(zip(names, (scale * np.exp(found.x)).tolist(), strict=True))
    return Fit(values, covariance, -float(found.fun) * customers)


def _second_differences(cost: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """The matrix of second derivatives, each from four values around the place."""
    steps = np.eye(len(at)) * _STEP
    signs: Sequence[tuple[int, int]] = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    return np.array(
        [
            [sum(p * q * cost(at + p * one + q * two) for p, q in signs) / (4 * _STEP**2)
             for two in steps]
            for one in steps
        ]
    )  # fmt: skip
