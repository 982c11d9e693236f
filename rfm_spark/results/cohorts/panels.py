"""What is shown of cohorts."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.cohorts.periods import CALENDAR
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.cohorts.tables import COHORTS
from rfm_spark.results.declaration import Request

_COHORTS_SHOWN = 4
_PERIODS_SHOWN = 6


def cohort_panels(request: Request[Cohorts]) -> Iterator[Panel]:
    """The first cohorts by month as a triangle: retention over their first months."""
    origin = request.rules.followed(request.run.settings)[0].origin
    columns = ["cohort", "period_index", "retention", "cohort_size"]
    where = {"as_of": request.as_of, "origin": origin, "grain": "month", "kind": CALENDAR}
    rows = request.run.warehouse.rows(COHORTS, where, columns)
    first = sorted({row["cohort"] for row in rows})[:_COHORTS_SHOWN]
    found = [row for row in rows if row["cohort"] in first and row["period_index"] < _PERIODS_SHOWN]
    if not found:
        return
    periods = range(max(row["period_index"] for row in found) + 1)
    retention = {(row["cohort"], row["period_index"]): percent(row["retention"]) for row in found}
    sizes = {row["cohort"]: row["cohort_size"] for row in found}
    yield Panel(
        "First cohorts",
        ", share that came again in month 1, 2, ...",
        (
            PanelColumn("cohort"),
            PanelColumn("customers", is_number=True),
            *[PanelColumn(str(k), is_number=True) for k in periods],
        ),
        [
            (f"{cohort:%Y-%m}", f"{size:,}", *[retention.get((cohort, k), "") for k in periods])
            for cohort, size in sorted(sizes.items())
        ],
    )
