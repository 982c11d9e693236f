"""Lifetime value by the formulas as the papers print them, customer by customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb
import numpy as np
import pandas as pd
from scipy.special import gammaln, hyp2f1

LIVES = """
WITH visits AS (
  SELECT customer_id, day FROM customer_days
  WHERE customer_id IS NOT NULL AND visits > 0 AND day <= $as_of),
money AS (
  SELECT customer_id, sum(net_cents)::BIGINT AS net_cents FROM customer_days
  WHERE day <= $as_of GROUP BY customer_id)
SELECT customer_id, count(*) - 1 AS repeat_visit_days,
       (max(day) - min(day))::INT AS first_to_last_days,
       ($as_of - min(day))::INT AS first_to_as_of_days,
       any_value(net_cents) / count(*) AS mean_visit_day_cents
FROM visits JOIN money USING (customer_id) GROUP BY customer_id
"""


def lives(connection: duckdb.DuckDBPyConnection, as_of: date) -> pd.DataFrame:
    """What the models know of every customer."""
    return connection.execute(LIVES, {"as_of": as_of}).df()


def visits_later(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> pd.Series:
    """Days with a visit after the first day, up to the last one, by customer."""
    query = """SELECT customer_id, count(*) AS n FROM customer_days
               WHERE visits > 0 AND day > $first AND day <= $last GROUP BY customer_id"""
    rows = connection.execute(query, {"first": first, "last": last}).df()
    return rows.set_index("customer_id")["n"]


def log_likelihood(known: pd.DataFrame, of: Mapping[str, float]) -> float:
    """BG/NBD, equation (6) of Fader, Hardie and Lee 2005, times in weeks."""
    x, last, age = _weeks(known)
    r, alpha, a, b = of["r"], of["alpha"], of["a"], of["b"]
    beta = gammaln(b + x) + gammaln(a + b) - gammaln(a + b + x) - gammaln(b)
    front = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + beta
    stayed = (alpha + age) ** -(r + x)
    left = np.where(x > 0, a / np.where(x > 0, b + x - 1, 1) * (alpha + last) ** -(r + x), 0)
    return float((front + np.log(stayed + left)).sum())


def expected(
    known: pd.DataFrame, of: Mapping[str, float], money: Mapping[str, float], days: int
) -> pd.DataFrame:
    """Equations (7) and (10) of the same, and (5) of Fader and Hardie 2013."""
    x, last, age = _weeks(known)
    r, alpha, a, b = of["r"], of["alpha"], of["a"], of["b"]
    t = days / 7
    odds = np.where(
        x > 0, a / np.where(x > 0, b + x - 1, 1) * ((alpha + age) / (alpha + last)) ** (r + x), 0
    )
    series = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + age + t))
    shrunk = ((alpha + age) / (alpha + age + t)) ** (r + x) * series
    visits = (a + b + x - 1) / (a - 1) * (1 - shrunk) / (1 + odds)
    p, q, gamma = money["p"], money["q"], money["gamma"]
    n, mean = x + 1, np.maximum(known["mean_visit_day_cents"].to_numpy(), 0)
    of_all = p * gamma / (q - 1)
    own = (q - 1) / (p * n + q - 1) * of_all + p * n / (p * n + q - 1) * mean
    return known.assign(
        probability_alive=1 / (1 + odds),
        expected_visits=visits,
        expected_value_cents=visits * own,
    )


def _weeks(known: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = known["repeat_visit_days"].to_numpy(float)
    last, age = (
        known[name].to_numpy(float) / 7 for name in ("first_to_last_days", "first_to_as_of_days")
    )
    return x, last, age
