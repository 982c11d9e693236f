"""Resampling: how far a Gini would be another one with other customers, or by chance.

What a ranking is told by are the numbers of customers and of responders of each score. Customers
drawn with replacement change these numbers by a multinomial law, and scores that are shuffled among
customers by a multivariate hypergeometric one. So both are drawn from the numbers alone, exactly as
from customers one by one, and it costs the same whatever customers there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from rfm_spark.app.backtest.ranking import Numbers, Ranking, gains, ginis
from rfm_spark.core.confidence import CONFIDENCE

DRAWS = 200
_MOST_CUSTOMERS = 10**9
"""That numpy shuffles; of more it shuffles a part, so that the band is a little wider."""


@dataclass(frozen=True)
class Chance:
    """What scores that tell nothing would have given, with these ties among them.

    Attributes:
        gini: mean of the shuffles.
        interval: the middle 95 % of their Ginis; None where there is none.
        gains: by share of customers the middle 95 % of the shares of responders; none without
            responders.
    """

    gini: float | None
    interval: tuple[float, float] | None
    gains: Sequence[tuple[float, float]]


def gini_interval(ranking: Ranking, name: str) -> tuple[float, float] | None:
    """Percentile interval of the Gini over customers drawn with replacement (Efron 1979).

    Args:
        ranking: of the customers.
        name: of what is drawn: the same name gives the same draws.

    Returns:
        None where no draw has a Gini. Draws without one, of responders alone or of none, do not
        count.
    """
    whole = int(ranking.customers.sum())
    others = ranking.customers - ranking.responders
    shares = np.concatenate([ranking.responders, others]) / whole
    drawn = _chances(name).multinomial(whole, shares, size=DRAWS)
    responders, others = np.split(drawn, 2, axis=1)
    return _middle(ginis(responders + others, responders))


def chance(ranking: Ranking, name: str, shares: Sequence[float]) -> Chance:
    """What the same scores give when they are shuffled among the customers.

    Args:
        ranking: of the customers.
        name: of what is drawn: the same name gives the same draws.
        shares: of customers, at which gains are told.
    """
    part = 1 + int(ranking.customers.sum()) // _MOST_CUSTOMERS
    customers, came = ranking.customers // part, int(ranking.responders.sum()) // part
    if not came:
        return Chance(None, None, [])
    drawn = _chances(name).multivariate_hypergeometric(
        customers, came, size=DRAWS, method="marginals"
    )
    found = ginis(np.broadcast_to(customers, drawn.shape), drawn)
    reached = np.stack([gains(customers, one, shares) for one in drawn])
    low, high = np.quantile(reached, _ends(), axis=0)
    told = found[~np.isnan(found)]
    mean = float(told.mean()) if told.size else None
    return Chance(mean, _middle(found), list(zip(low.tolist(), high.tolist(), strict=True)))


def _chances(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(int.from_bytes(sha256(name.encode()).digest())))


def _middle(drawn: Numbers) -> tuple[float, float] | None:
    told = drawn[~np.isnan(drawn)]
    if not told.size:
        return None
    low, high = np.quantile(told, _ends())
    return float(low), float(high)


def _ends() -> tuple[float, float]:
    return (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
