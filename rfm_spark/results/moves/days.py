"""Days that moves are told between, and what is stored of them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.errors import UserError
from rfm_spark.facts.as_of import days_of_data
from rfm_spark.ingest.forgotten import days_before_forgetting
from rfm_spark.results.rfm.tables import RFM, SEGMENTS
from rfm_spark.run import Run


@dataclass(frozen=True)
class StoredDay:
    """A day of one profile that is stored.

    Attributes:
        as_of: the day.
        boundary_version: the set it was scored by.
        customers: by segment, those that have any.
        revenue_cents: of these, net amount in the window.
    """

    as_of: date
    boundary_version: DayVersion
    customers: Mapping[str, int]
    revenue_cents: Mapping[str, int]


StoredDays = dict[tuple[str, date], StoredDay]
"""By profile and day."""

Segments = dict[tuple[str, date], list[dict[str, Any]]]
"""By profile and day: `segment`, `customers`, `revenue_cents`."""


def usual_days(as_of: date) -> list[date]:
    """The day before, a week before and a month before.

    A month before is the same day of the calendar month before, or its last day.

    >>> [day.isoformat() for day in usual_days(date(2026, 3, 31))]
    ['2026-03-30', '2026-03-24', '2026-02-28']
    """
    last_of_month_before = as_of.replace(day=1) - timedelta(days=1)
    _, days = monthrange(last_of_month_before.year, last_of_month_before.month)
    month_before = last_of_month_before.replace(day=min(as_of.day, days))
    return [as_of - timedelta(days=1), as_of - timedelta(days=7), month_before]


def stored_days(run: Run, profiles: Collection[str], days: Collection[date]) -> StoredDays:
    """Those of the days that are stored, for each profile.

    A day counts where both its scores and its segments are there: one whose results are being
    dropped may have lost either. Where somebody has been forgotten since, a day is what is left of
    it.
    """
    columns = ["profile", "segment", "customers", "revenue_cents"]
    segments: Segments = {}
    for day in days:
        for row in run.warehouse.rows(SEGMENTS, {"as_of": day}, columns):
            if row["profile"] in profiles and row["customers"]:
                segments.setdefault((row["profile"], day), []).append(row)
    if not segments:
        return {}
    stored = F.col("profile").isin(*profiles) & F.col("as_of").isin(*days)
    scored = run.read(RFM).where(stored)
    columns = ["profile", "as_of", "boundary_version", "boundary_edition"]
    if few := days_before_forgetting(run, days):
        left = segments_left(scored.where(F.col("as_of").isin(*few)))
        segments |= {one: rows for one, rows in left.items() if one in segments}
    return {
        (profile, day): StoredDay(
            day,
            DayVersion.of_columns(version, edition),
            {row["segment"]: row["customers"] for row in segments[profile, day]},
            {row["segment"]: row["revenue_cents"] for row in segments[profile, day]},
        )
        for profile, day, version, edition in scored.select(*columns).distinct().collect()
        if (profile, day) in segments
    }


def segments_left(scored: DataFrame) -> Segments:
    """Segments of days by those who are left in `rfm`: `segments` counts who was forgotten since.

    Args:
        scored: rows of `rfm`.
    """
    revenue = F.coalesce(F.sum("monetary_cents"), F.lit(0)).alias("revenue_cents")
    sums = (F.count(F.lit(1)).alias("customers"), revenue)
    found: Segments = {}
    for row in scored.groupBy("profile", "as_of", "segment").agg(*sums).collect():
        found.setdefault((row["profile"], row["as_of"]), []).append(row.asDict())
    return found


def require_before(since: date, as_of: date) -> None:
    """Makes sure that the earlier day is earlier.

    Raises:
        UserError: if it is not.
    """
    if since >= as_of:
        raise UserError(f"--since {since}: must be a day before {as_of}, the day to describe")


def not_stored(run: Run, option: str, day: date, profiles: Collection[str]) -> UserError:
    """What to say of a day without scores: which days there are, and how to make this one.

    Args:
        run: the run.
        option: that names the day.
        day: not stored for any of the profiles.
        profiles: their names.
    """
    data = days_of_data(run)
    if data is not None and day < data[0]:
        first, last = data
        return UserError(
            f"{option} {day}: lies before the data, which begin on {first} and end on {last}"
        )
    rows = run.warehouse.rows(SEGMENTS, columns=["profile", "as_of"])
    days = {row["as_of"] for row in rows if row["profile"] in profiles}
    earlier = max((one for one in days if one < day), default=None)
    later = min((one for one in days if one > day), default=None)
    near = " and ".join(str(one) for one in (earlier, later) if one is not None)
    stored = f"stored nearest to it: {near}" if near else "none are stored"
    return UserError(
        f"{option} {day}: no scores are stored of that day; {stored}. "
        f"Make them with `rfm-spark rfm --as-of {day}`"
    )
