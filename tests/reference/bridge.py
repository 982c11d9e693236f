"""The revenue bridge, in SQL over customers' days."""

from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd

BRIDGE = """
WITH w AS (
  SELECT customer_id AS c,
         coalesce(sum(net_cents) FILTER (age >= $n AND age < 2 * $n), 0) AS a,
         coalesce(sum(net_cents) FILTER (age < $n), 0) AS b,
         coalesce(bool_or(visits > 0 AND age >= 2 * $n), false) AS earlier,
         coalesce(bool_or(visits > 0 AND age >= $n AND age < 2 * $n), false) AS in_a,
         coalesce(bool_or(visits > 0 AND age < $n), false) AS in_b
  FROM (SELECT *, $as_of - day AS age FROM customer_days) WHERE age >= 0 GROUP BY ALL)
SELECT CASE WHEN c IS NULL THEN 'guests'
            WHEN in_a AND in_b THEN CASE WHEN b > a THEN 'expanded' WHEN b < a THEN 'contracted'
                                         ELSE 'unchanged' END
            WHEN in_a THEN 'lost' WHEN in_b AND earlier THEN 'reactivated' WHEN in_b THEN 'new'
            ELSE 'returns' END AS cause,
       count(c) AS customers, sum(b - a)::BIGINT AS change_cents
FROM w WHERE in_a OR in_b OR a <> 0 OR b <> 0 GROUP BY ALL
"""


def bridge(con: duckdb.DuckDBPyConnection, as_of: date, days: int) -> pd.DataFrame:
    """Where the change of revenue comes from, of two windows of so many days.

    Args:
        con: with `customer_days`, guests as NULL.
        as_of: last day of the second window.
        days: of each window.
    """
    return con.execute(BRIDGE, {"n": days, "as_of": as_of}).df()
