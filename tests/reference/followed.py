"""Cohorts by any origin, activity and division of time: every member by every period, in SQL.

Nothing here is told by the day before or by a running sum: each period of each member is looked at.
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pandas as pd

from reference.windows import first_day, last_day, period_number

CELLS = """
WITH acts AS (SELECT * FROM events WHERE day <= $as_of),
members AS (SELECT customer_id, min(day) AS origin FROM origins WHERE day <= $as_of GROUP BY ALL),
own AS (
    SELECT m.*, c.first AS cohort, c.last AS cohort_last, c.n AS cohort_number
    FROM members m JOIN calendar c ON m.origin BETWEEN c.first AND c.last
),
spans AS ({spans}),
done AS (
    SELECT s.customer_id, s.cohort, s.k, s.last <= $as_of AS ended,
           coalesce(sum(a.visits), 0) AS receipts, coalesce(sum(a.items), 0) AS items,
           coalesce(sum(a.net_cents), 0) AS revenue_cents, coalesce(sum(a.returns), 0) AS returns,
           coalesce(sum(a.promo_visits), 0) AS promotion_receipts,
           coalesce(sum(CASE WHEN a.kind IS NULL THEN a.visits ELSE a.n END)
                    FILTER (a.counts), 0) AS activities,
           {is_active} AS is_active
    FROM spans s LEFT JOIN acts a
      ON a.customer_id = s.customer_id AND a.day BETWEEN greatest(s.first, s.origin) AND s.last
    GROUP BY ALL
),
states AS (
    SELECT d.*, coalesce(p.is_active, false) AS was_active, d.k <= l.last_k AS comes_later
    FROM done d LEFT JOIN done p ON p.customer_id = d.customer_id AND p.k = d.k - 1
    LEFT JOIN (SELECT customer_id, max(k) AS last_k FROM done WHERE is_active GROUP BY ALL) l
      ON l.customer_id = d.customer_id
),
sizes AS (SELECT cohort, any_value(cohort_last) AS cohort_last, count(*) AS cohort_size
          FROM own GROUP BY cohort)
SELECT cohort, k AS period_index, cohort_size,
       count(*) FILTER (ended) AS eligible,
       count(*) FILTER (ended AND is_active) AS active,
       count(*) FILTER (is_active) AS active_so_far,
       count(*) FILTER (comes_later) AS active_on_or_after,
       cohort_last <= $as_of AND count(*) FILTER (ended) = cohort_size AS is_complete,
       sum(receipts) AS receipts, sum(items) AS items, sum(revenue_cents) AS revenue_cents,
       sum(returns) AS returns, sum(promotion_receipts) AS promotion_receipts,
       sum(activities) AS activities,
       count(*) FILTER (is_active AND k = 0) AS new,
       count(*) FILTER (is_active AND was_active AND k > 0) AS retained,
       count(*) FILTER (is_active AND NOT was_active AND k > 0) AS reactivated,
       count(*) FILTER (was_active AND NOT is_active) AS skipped
FROM states JOIN sizes USING (cohort)
WHERE k <= {last_shown}
GROUP BY cohort, k, cohort_size, cohort_last
"""

CALENDAR_SPANS = """
    SELECT o.*, p.n - o.cohort_number AS k, p.first, p.last
    FROM own o JOIN calendar p ON p.n >= o.cohort_number AND p.first <= $as_of
"""
ROLLING_SPANS = """
    SELECT o.*, k, origin + (k * {days})::INT AS first, origin + ((k + 1) * {days} - 1)::INT AS last
    FROM own o, range(0, 10000) AS r(k) WHERE origin + (k * {days})::INT <= $as_of
"""
BRACKET_SPANS = """
    SELECT o.*, k, origin + b.first::INT AS first, origin + b.last::INT AS last
    FROM own o, brackets b WHERE origin + b.first::INT <= $as_of
"""


def cohorts_by(
    con: duckdb.DuckDBPyConnection,
    as_of: date,
    grain: str,
    week_start: str = "monday",
    rolling_days: int | None = None,
    brackets: tuple[int, ...] = (),
    at_least: tuple[str, int] | None = None,
) -> pd.DataFrame:
    """Every cohort in every period that has begun.

    Args:
        con: with `events` (customer_id, day, kind: NULL for receipts, visits, items, net_cents,
            returns, promo_visits, n: of interactions, counts: of the activity) and `origins`
            (customer_id, day).
        as_of: last day that counts.
        grain: of the cohorts, and of periods of the calendar.
        week_start: weekday a week begins on.
        rolling_days: length of periods from the own first day.
        brackets: last days of brackets.
        at_least: a measure of `events` and what a period must reach.
    """
    numbers = range(
        period_number(date(1990, 1, 1), grain, week_start),
        period_number(as_of + timedelta(days=400), grain, week_start),
    )
    calendar = pd.DataFrame(
        [(n, first_day(n, grain, week_start), last_day(n, grain, week_start)) for n in numbers],
        columns=["n", "first", "last"],
    )
    con.register("days_of_calendar", calendar)
    con.execute(
        "CREATE OR REPLACE TABLE calendar AS"
        " SELECT n, first::DATE AS first, last::DATE AS last FROM days_of_calendar"
    )
    firsts = [0, *[last + 1 for last in brackets]]
    rows = [(k, *days) for k, days in enumerate(zip(firsts, [*brackets, 99_999], strict=True))]
    con.execute("CREATE OR REPLACE TABLE brackets (k INT, first INT, last INT)")
    con.executemany("INSERT INTO brackets VALUES (?, ?, ?)", rows)
    spans = CALENDAR_SPANS
    if rolling_days is not None:
        spans = ROLLING_SPANS.format(days=rolling_days)
    elif brackets:
        spans = BRACKET_SPANS
    is_active = "coalesce(bool_or(a.counts AND (a.visits > 0 OR a.kind IS NOT NULL)), false)"
    if at_least is not None:
        is_active = f"coalesce(sum(a.{at_least[0]}), 0) >= {at_least[1]}"
    query = CELLS.format(
        spans=spans,
        is_active=is_active,
        last_shown=len(brackets) - 1 if brackets else 1_000_000,
    )
    return con.execute(query, {"as_of": as_of}).df()
