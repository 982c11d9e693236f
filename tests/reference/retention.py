"""Cohorts by first visit, in whole calendar periods, with bounded retention."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import NamedTuple

import duckdb
import pandas as pd

from reference.windows import first_day, last_day, period_number

COLUMNS = [
    "grain",
    "cohort",
    "period_index",
    "cohort_size",
    "eligible",
    "active",
    "active_so_far",
    "retention",
    "is_complete",
    "is_left_censored",
    "receipts",
    "revenue_cents",
    "average_receipt_cents",
    "revenue_per_customer_cents",
    "cumulative_revenue_per_customer_cents",
    "new",
    "retained",
    "reactivated",
    "skipped",
]


class CustomerDay(NamedTuple):
    """What one known customer did on one day."""

    customer_id: str
    day: date
    visits: int
    net_cents: int


class Activity(NamedTuple):
    """Who came, how often and for how much, by (cohort, period)."""

    visitors: dict[tuple[int, int], set[str]]
    visits: dict[tuple[int, int], int]
    revenue: dict[tuple[int, int], int]


class Calendar(NamedTuple):
    """Periods as whole months or as weeks from a weekday."""

    grain: str
    week_start: str

    def number(self, day: date) -> int:
        """Running number of the period that holds the day."""
        return period_number(day, self.grain, self.week_start)

    def begins(self, period: int) -> date:
        """First day of the period."""
        return first_day(period, self.grain, self.week_start)

    def ends(self, period: int) -> date:
        """Last day of the period."""
        return last_day(period, self.grain, self.week_start)


def cohorts(
    con: duckdb.DuckDBPyConnection, as_of: date, grain: str, week_start: str = "monday"
) -> pd.DataFrame:
    """Follow every cohort from its first period to the one that holds as_of.

    The states count members whether or not the period has ended, so that new + retained +
    reactivated = active_so_far.

    Args:
        con: connection with `receipts`.
        as_of: last day that counts.
        grain: month or week.
        week_start: weekday a week begins on.

    Returns:
        One row per cohort and period begun by as_of, sorted, with `COLUMNS`. `cohort` is a
        `datetime.date`; a ratio that does not exist is NaN.
    """
    calendar = Calendar(grain, week_start)
    days = _customer_days(con, as_of)
    first_visits: dict[str, date] = {}
    for row in days:
        if row.visits > 0:
            first_visits.setdefault(row.customer_id, row.day)
    members: dict[int, set[str]] = defaultdict(set)
    for customer_id, day in first_visits.items():
        members[calendar.number(day)].add(customer_id)
    censored = _first_period_of_the_data(con, as_of, calendar)
    visitors, visits, revenue = _by_cohort_and_period(days, first_visits, calendar)

    rows: list[dict[str, object]] = []
    for cohort in sorted(members):
        size = len(members[cohort])
        earned = 0
        for period in range(cohort, calendar.number(as_of) + 1):
            here = visitors[cohort, period]
            there = visitors[cohort, period - 1] if period > cohort else set()
            has_ended = calendar.ends(period) <= as_of
            eligible = size if has_ended else 0
            net, bought = revenue[cohort, period], visits[cohort, period]
            earned += net
            rows.append(
                {
                    "grain": grain,
                    "cohort": calendar.begins(cohort),
                    "period_index": period - cohort,
                    "cohort_size": size,
                    "eligible": eligible,
                    "active": len(here) if has_ended else 0,
                    "active_so_far": len(here),
                    "retention": len(here) / size if has_ended else float("nan"),
                    "is_complete": calendar.ends(cohort) <= as_of and eligible == size,
                    "is_left_censored": cohort == censored,
                    "receipts": bought,
                    "revenue_cents": net,
                    "average_receipt_cents": net / bought if bought else float("nan"),
                    "revenue_per_customer_cents": net / size,
                    "cumulative_revenue_per_customer_cents": earned / size,
                    "new": len(here) if period == cohort else 0,
                    "retained": len(here & there),
                    "reactivated": len(here - there) if period > cohort else 0,
                    "skipped": len(there - here),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _by_cohort_and_period(
    days: list[CustomerDay], first_visits: dict[str, date], calendar: Calendar
) -> Activity:
    """Add up the days from each member's origin on; what lies before it is left out."""
    activity = Activity(defaultdict(set), defaultdict(int), defaultdict(int))
    for row in days:
        origin = first_visits.get(row.customer_id)
        if origin is None or row.day < origin:
            continue
        place = (calendar.number(origin), calendar.number(row.day))
        activity.visits[place] += row.visits
        activity.revenue[place] += row.net_cents
        if row.visits > 0:
            activity.visitors[place].add(row.customer_id)
    return activity


def _customer_days(con: duckdb.DuckDBPyConnection, as_of: date) -> list[CustomerDay]:
    """Days of known customers up to as_of, the earliest first."""
    rows = con.execute(
        """
        SELECT customer_id,
               business_date,
               count(*) FILTER (is_visit) AS visits,
               CAST(sum(net_cents) AS BIGINT) AS net_cents
        FROM receipts
        WHERE customer_id IS NOT NULL AND business_date <= $as_of
        GROUP BY ALL
        ORDER BY business_date, customer_id
        """,
        {"as_of": as_of},
    ).fetchall()
    return [CustomerDay(*row) for row in rows]


def _first_period_of_the_data(
    con: duckdb.DuckDBPyConnection, as_of: date, calendar: Calendar
) -> int | None:
    """Period of the earliest visit, guests included."""
    query = "SELECT min(business_date) FROM receipts WHERE is_visit AND business_date <= $as_of"
    ((earliest,),) = con.execute(query, {"as_of": as_of}).fetchall()
    return calendar.number(earliest) if earliest else None
