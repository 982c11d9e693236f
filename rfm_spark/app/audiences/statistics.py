"""Statistics of two groups: what a holdout can show, and how sure a difference is."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from rfm_spark.core.confidence import Z

POWER = 0.80
_Z_POWER = NormalDist().inv_cdf(POWER)
_STEPS = 60


@dataclass(frozen=True)
class Difference:
    """A difference with its ends at 95 %; these are None where too few customers tell them."""

    value: float | None
    low: float | None
    high: float | None

    def times(self, factor: int) -> Difference:
        """The difference of so many customers."""
        ends = (self.value, self.low, self.high)
        return Difference(*(None if end is None else end * factor for end in ends))


@dataclass(frozen=True)
class Group:
    """One group of customers over some days.

    Attributes:
        customers: in the group.
        responders: of these, with a visit.
        cents: net amount of all.
        squared_cents: sum of the squares of each customer's amount.
        addressed: customers who were addressed.
        addressed_responders: of these, with a visit.
        addressed_cents: net amount of the addressed.
    """

    customers: int = 0
    responders: int = 0
    cents: int = 0
    squared_cents: int = 0
    addressed: int = 0
    addressed_responders: int = 0
    addressed_cents: int = 0

    def __add__(self, other: Group) -> Group:
        return Group(
            self.customers + other.customers,
            self.responders + other.responders,
            self.cents + other.cents,
            self.squared_cents + other.squared_cents,
            self.addressed + other.addressed,
            self.addressed_responders + other.addressed_responders,
            self.addressed_cents + other.addressed_cents,
        )

    @property
    def response_rate(self) -> float | None:
        """Share of responders."""
        return self.responders / self.customers if self.customers else None

    @property
    def mean_cents(self) -> float | None:
        """Net amount per customer."""
        return self.cents / self.customers if self.customers else None

    @property
    def variance_of_mean(self) -> float | None:
        """Of the net amount per customer: sample variance / customers."""
        return self._covariance_of_means(self.squared_cents, self.cents, self.cents)

    def variance_beyond_addressing(self, effect: float, is_money: bool) -> float | None:
        """Of the mean of outcome - effect x addressed, by customer: sample variance / customers.

        Args:
            effect: of being addressed, on the outcome.
            is_money: whether the outcome is the net amount, else whether there was a visit.
        """
        squares, total, of_addressed = (
            (self.squared_cents, self.cents, self.addressed_cents)
            if is_money
            else (self.responders, self.responders, self.addressed_responders)
        )
        outcome = self._covariance_of_means(squares, total, total)
        both = self._covariance_of_means(of_addressed, total, self.addressed)
        addressed = self._covariance_of_means(self.addressed, self.addressed, self.addressed)
        if outcome is None or both is None or addressed is None:
            return None
        # Nothing is left where money follows addressing exactly, which rounding may put below 0.
        return max(outcome - 2 * effect * both + effect**2 * addressed, 0.0)

    def _covariance_of_means(self, products: int, first: int, second: int) -> float | None:
        """Sample covariance / customers, of a sum of products and the sums of both."""
        n = self.customers
        if n < 2:
            return None
        # In whole numbers: the products are large and nearly equal.
        return (n * products - first * second) / (n * (n - 1)) / n


def response_difference(treated: Group, holdout: Group) -> Difference | None:
    """Difference of response rates; None where a group is empty."""
    return _difference_of_shares(treated, holdout, treated.responders, holdout.responders)


def addressed_difference(treated: Group, holdout: Group) -> Difference | None:
    """Difference of the shares who were addressed; None where a group is empty."""
    return _difference_of_shares(treated, holdout, treated.addressed, holdout.addressed)


def _difference_of_shares(
    treated: Group, holdout: Group, of_treated: int, of_holdout: int
) -> Difference | None:
    """Difference of two shares.

    Interval: Newcombe's hybrid score, method 10, of two Wilson intervals (Newcombe, Interval
    estimation for the difference between independent proportions, Statistics in Medicine 17, 1998).
    """
    if not (treated.customers and holdout.customers):
        return None
    p, q = of_treated / treated.customers, of_holdout / holdout.customers
    p_low, p_high = wilson_interval(of_treated, treated.customers)
    q_low, q_high = wilson_interval(of_holdout, holdout.customers)
    low = p - q - sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    high = p - q + sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
    return Difference(p - q, low, high)


def effect_of_addressing(treated: Group, holdout: Group, is_money: bool) -> Difference | None:
    """What being addressed changed, per customer who was addressed because of being treated.

    The difference of the groups divided by the difference of the shares who were addressed (Bloom,
    Accounting for no-shows in experimental evaluation designs, Evaluation Review 8, 1984; Angrist,
    Imbens and Rubin, Identification of causal effects using instrumental variables, JASA 91, 1996).
    Interval: the standard error of two-stage least squares with variances of each group.

    Args:
        treated: customers who were to be addressed.
        holdout: customers who were not to be.
        is_money: whether of the net amount, in minor units, else of the response rate.

    Returns:
        The effect; None where a group is empty, or it is not sure at 95 % that more of the treated
        were addressed than of the holdout.
    """
    addressed = addressed_difference(treated, holdout)
    of_all = (revenue_difference if is_money else response_difference)(treated, holdout)
    if addressed is None or addressed.low is None or addressed.value is None or of_all is None:
        return None
    if addressed.low <= 0 or of_all.value is None:
        return None
    effect = of_all.value / addressed.value
    variances = [group.variance_beyond_addressing(effect, is_money) for group in (treated, holdout)]
    if variances[0] is None or variances[1] is None:
        return Difference(effect, None, None)
    half = Z * sqrt(variances[0] + variances[1]) / addressed.value
    return Difference(effect, effect - half, effect + half)


def revenue_difference(treated: Group, holdout: Group) -> Difference | None:
    """Difference of net amounts per customer, in minor units; None where a group is empty.

    Interval: Welch's standard error with the normal quantile; none below two customers a group.
    """
    p, q = treated.mean_cents, holdout.mean_cents
    if p is None or q is None:
        return None
    variances = treated.variance_of_mean, holdout.variance_of_mean
    if variances[0] is None or variances[1] is None:
        return Difference(p - q, None, None)
    half = Z * sqrt(variances[0] + variances[1])
    return Difference(p - q, p - q - half, p - q + half)


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's score interval of a share at 95 % (Wilson 1927).

    >>> [round(end, 4) for end in wilson_interval(10, 100)]
    [0.0552, 0.1744]
    """
    share, z2 = successes / trials, Z**2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def sample_ratio_p_value(held_out: int, customers: int, share: float) -> float:
    """How likely a share of held out customers as far from the one that was drawn by is, by chance.

    The exact two-sided binomial test. Who compares groups of which one has lost customers compares
    other customers (Fabijan et al. 2019, *Diagnosing sample ratio mismatch*).

    >>> round(sample_ratio_p_value(8, 10, 0.5), 4)
    0.1094
    """
    from scipy.stats import binomtest  # takes half a second, and only a result needs it

    return float(binomtest(held_out, customers, share).pvalue)


def smallest_effect(share: float, treated: int, holdout: int) -> float | None:
    """How much the response rate must rise above that of the holdout to be seen.

    The difference at which a two-sided test of two shares at 5 % finds it in 80 % of all cases, by
    the normal approximation with pooled variance under the null (Fleiss, Levin and Paik,
    Statistical Methods for Rates and Proportions, 2003, chapter 4): with p = share, q = p + d and
    m their mean over all customers,
    1.96 sqrt(m(1 - m)(1/n + 1/k)) + 0.84 sqrt(q(1 - q)/n + p(1 - p)/k) = d.

    Args:
        share: of the holdout that responds.
        treated: customers, n.
        holdout: customers, k.

    Returns:
        d; None where not even a rise to 100 % would do, or a group is empty.
    """
    if not (treated and holdout):
        return None

    def is_seen(rise: float) -> bool:
        other = share + rise
        mean = (treated * other + holdout * share) / (treated + holdout)
        under_null = sqrt(mean * (1 - mean) * (1 / treated + 1 / holdout))
        within = sqrt(other * (1 - other) / treated + share * (1 - share) / holdout)
        return Z * under_null + _Z_POWER * within <= rise

    low, high = 0.0, 1 - share
    if not is_seen(high):
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_seen(middle) else (middle, high)
    return high
