"""What is shown of the rhythm of customers."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.declaration import Request
from rfm_spark.results.rhythm.gaps import LOST
from rfm_spark.results.rhythm.settings import Rhythm
from rfm_spark.results.rhythm.tables import CUSTOMER_STATUS, SECOND_PURCHASE_DAYS, SECOND_PURCHASES


def rhythm_panels(request: Request[Rhythm]) -> Iterator[Panel]:
    """Who is lost, by days and by the own rhythm, and how soon customers came again."""
    run = request.run
    money = run.settings.business.money_format
    rows = run.warehouse.rows(CUSTOMER_STATUS, {"as_of": request.as_of})
    if not rows:
        return
    by_days = [row for row in rows if row["status"] == LOST]
    by_rhythm = [row for row in rows if row["status_by_rhythm"] == LOST]
    missed = sum(row["missed_opportunity_cents"] for row in by_days)
    known = sum(row["customers"] for row in rows)
    lines = [
        (
            f"no visit in {run.settings.business.lost_after_days:,} days",
            *_share(by_days, known),
            f"{money.rounded(missed)} {money.currency} missed since",
        ),
        (
            f"away for {request.rules.lost_after_gaps:g} times the own median gap",
            *_share(by_rhythm, known),
            "of who came on three days or more",
        ),
    ]
    yield Panel(
        "Lost customers",
        "",
        (
            PanelColumn("lost by"),
            PanelColumn("customers", is_number=True),
            PanelColumn("share", is_number=True),
            PanelColumn("", is_long=True),
        ),
        lines,
    )
    yield from _again(request)


def _share(rows: list[dict[str, int]], known: int) -> tuple[str, str]:
    customers = sum(row["customers"] for row in rows)
    return f"{customers:,}", percent(customers / known)


def _again(request: Request[Rhythm]) -> Iterator[Panel]:
    rows = request.run.warehouse.rows(SECOND_PURCHASES, {"as_of": request.as_of})
    for row in rows:
        if row["cohort"] is not None or row["days_median"] is None:
            continue
        within = ", ".join(
            f"{percent(row[f'share_{days}'])} within {days}"
            for days in SECOND_PURCHASE_DAYS
            if row[f"share_{days}"] is not None
        )
        yield Panel(
            "Second visits",
            f": {percent(row['came_again'] / row['customers'])} came again, half of them within "
            f"{row['days_median']:g} days{'; ' if within else ''}{within}",
        )
