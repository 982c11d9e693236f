"""The rhythm of customers, in SQL over their days with a visit."""

from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd

RHYTHM = """
WITH days AS (SELECT * FROM customer_days WHERE customer_id IS NOT NULL AND day <= $as_of),
visits AS (
  SELECT customer_id AS c, day, row_number() OVER w AS n, day - lag(day) OVER w AS gap
  FROM days WHERE visits > 0 WINDOW w AS (PARTITION BY customer_id ORDER BY day)),
lives AS (
  SELECT c, min(day) AS first_visit, max(day) AS last_visit, count(*) AS visit_days,
         min(day) FILTER (n = 2) AS second_visit,
         CASE WHEN count(*) >= 3 THEN median(gap) END AS median_gap_days
  FROM visits GROUP BY c),
money AS (
  SELECT c, sum(net_cents)::BIGINT AS last_year_cents FROM lives JOIN days d
  ON d.customer_id = c AND day BETWEEN last_visit - 364 AND last_visit GROUP BY c)
SELECT c AS customer_id, first_visit, second_visit, last_visit, visit_days, median_gap_days,
       CASE WHEN $as_of - last_visit > $lost_after THEN 'lost' ELSE 'active' END AS status,
       CASE WHEN median_gap_days IS NULL THEN NULL
            WHEN $as_of - last_visit > greatest($gaps * median_gap_days, $least) THEN 'lost'
            ELSE 'active' END AS status_by_rhythm,
       last_year_cents,
       CASE WHEN $as_of - last_visit > $lost_after
            THEN last_year_cents * least($as_of - last_visit - $lost_after, 365) / 365.0 END
        AS missed_opportunity_cents
FROM lives JOIN money USING (c)
"""


def rhythm(
    con: duckdb.DuckDBPyConnection, as_of: date, lost_after: int, gaps: float, least: int
) -> pd.DataFrame:
    """Of every customer with a visit.

    Args:
        con: with `customer_days`, guests as NULL.
        as_of: last day that counts.
        lost_after: days away after which a customer is lost.
        gaps: the same by the own rhythm, times the median gap.
        least: of these, at least so many days.
    """
    rules = {"as_of": as_of, "lost_after": lost_after, "gaps": gaps, "least": least}
    return _with_dates(con.execute(RHYTHM, rules).df())


SECOND = """
SELECT date_trunc('month', first_visit)::DATE AS cohort, count(*) AS customers,
       count(second_visit) AS came_again,
       median(second_visit - first_visit)::DOUBLE AS days_median,
       count(*) FILTER (first_visit + 60 <= $as_of) AS eligible_60,
       count(*) FILTER (first_visit + 60 <= $as_of AND second_visit - first_visit <= 60)
       AS within_60,
       CASE WHEN eligible_60 > 0 THEN within_60 / eligible_60 END AS share_60
FROM rhythm GROUP BY GROUPING SETS ((1), ())
"""


def second_purchases(con: duckdb.DuckDBPyConnection, as_of: date) -> pd.DataFrame:
    """By month of the first visit, and of all (NULL); of a table `rhythm`."""
    return _with_dates(con.execute(SECOND, {"as_of": as_of}).df())


def _with_dates(found: pd.DataFrame) -> pd.DataFrame:
    for name in found.select_dtypes("datetime"):
        found[name] = found[name].dt.date
    return found
