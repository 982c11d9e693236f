"""What the revenue bridge tells the report."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.core.page import Data, Field, Grid, Page
from rfm_spark.results.bridge.causes import ALL, CAUSES, SEGMENT
from rfm_spark.results.bridge.settings import Bridge
from rfm_spark.results.bridge.tables import REVENUE_BRIDGE
from rfm_spark.results.declaration import Request

_MONEY = (
    Field("revenue_before_cents", "before", "money"),
    Field("revenue_cents", "now", "money"),
    Field("change_cents", "change", "money"),
)


def bridge_pages(request: Request[Bridge]) -> Iterator[Page]:
    """Of each window by whom its revenue differs from that of the window before."""
    rows = request.run.warehouse.rows(REVENUE_BRIDGE, {"as_of": request.as_of})
    grids = [
        Grid(
            f"Revenue of {days:,} days beside the {days:,} days before, by {title}",
            Data(
                (
                    *([Field("value", "segment")] if breakdown == SEGMENT else []),
                    Field("cause", "customers who are"),
                    Field("customers", "customers", "count"),
                    *_MONEY,
                ),
                own,
            ),
        )
        for days in request.rules.window_days
        for breakdown, title in ((ALL, "cause"), (SEGMENT, "segment"))
        if (
            own := sorted(
                (
                    {**row, "value": row["value"] or "not scored"}
                    for row in rows
                    if (row["window_days"], row["breakdown"]) == (days, breakdown)
                ),
                key=lambda row: (row["value"], CAUSES.index(row["cause"])),
            )
        )
    ]
    if grids:
        yield Page("Revenue", grids)
