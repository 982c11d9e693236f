"""What the rhythm of customers tells the report."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.core.page import Data, Field, Grid, Page
from rfm_spark.results.declaration import Request
from rfm_spark.results.rhythm.settings import Rhythm
from rfm_spark.results.rhythm.tables import CUSTOMER_STATUS, SECOND_PURCHASE_DAYS, SECOND_PURCHASES

_CUSTOMERS = Field("customers", "customers", "count")


def rhythm_pages(request: Request[Rhythm]) -> Iterator[Page]:
    """Who is lost, by days and by the own rhythm, and how soon customers came again."""
    run, where = request.run, {"as_of": request.as_of}
    status = run.warehouse.rows(CUSTOMER_STATUS, where)
    if not status:
        return
    again = run.warehouse.rows(SECOND_PURCHASES, where)
    yield Page(
        "Revenue",
        [
            Grid(
                "Active and lost customers",
                Data(
                    (
                        Field("status", "by days"),
                        Field("status_by_rhythm", "by the own rhythm"),
                        _CUSTOMERS,
                        Field("last_year_cents", "spent in their last year", "money"),
                        Field("missed_opportunity_cents", "missed since", "money"),
                    ),
                    [
                        {**row, "status_by_rhythm": row["status_by_rhythm"] or "too few visits"}
                        for row in sorted(status, key=lambda row: -row["customers"])
                    ],
                ),
                note=f"By days: no visit in {run.settings.business.lost_after_days:,} days. By the "
                f"own rhythm: away for {request.rules.lost_after_gaps:g} times the own median gap.",
            ),
            Grid(
                "Second visits, by month of the first",
                Data(
                    (
                        Field("month", "first visit"),
                        _CUSTOMERS,
                        Field("came_again", "came again", "count"),
                        Field("days_median", "half within, days", "number"),
                        *[
                            Field(f"share_{days}", f"within {days} days", "share")
                            for days in SECOND_PURCHASE_DAYS
                        ],
                    ),
                    [
                        {**row, "month": f"{row['cohort']:%Y-%m}" if row["cohort"] else "all"}
                        for row in sorted(again, key=lambda row: str(row["cohort"] or ""))
                    ],
                ),
            ),
        ],
    )
