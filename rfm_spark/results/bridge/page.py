"""What the revenue bridge tells the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rfm_spark.core.page import Data, Field, Grid, Page
from rfm_spark.results.bridge.causes import ALL, CAUSES, SEGMENT
from rfm_spark.results.bridge.settings import Bridge
from rfm_spark.results.bridge.tables import REVENUE_BRIDGE
from rfm_spark.results.declaration import Request

_SUMS = (
    Field("customers", "customers", "count"),
    Field("revenue_before_cents", "before", "money"),
    Field("revenue_cents", "now", "money"),
    Field("change_cents", "change", "money"),
)

Rows = Sequence[Mapping[str, Any]]


def bridge_pages(request: Request[Bridge]) -> Iterator[Page]:
    """Of each window by whom its revenue differs from that of the window before."""
    where = {"as_of": request.as_of, "is_whole": True}
    rows = request.run.warehouse.rows(REVENUE_BRIDGE, where)
    grids = [
        grid
        for days in request.rules.window_days
        for grid in _grids(days, [row for row in rows if row["window_days"] == days])
    ]
    if grids:
        yield Page("Revenue", grids)


def _grids(days: int, rows: Rows) -> Iterator[Grid]:
    title = f"Revenue of {days:,} days beside the {days:,} days before"
    causes = [row for row in rows if row["breakdown"] == ALL]
    if causes:
        causes.sort(key=lambda row: CAUSES.index(row["cause"]))
        fields = (Field("cause", "customers who are"), *_SUMS)
        yield Grid(title, Data(fields, causes))
        yield Grid(f"{title}, by segment", _by_segment(rows), note="Of today's segments.")


def _by_segment(rows: Rows) -> Data:
    """All causes of a segment together."""
    told = sorted(
        ({**row, "segment": row["value"] or "not scored"} for row in rows
         if row["breakdown"] == SEGMENT),
        key=lambda row: row["segment"],
    )  # fmt: skip
    added = [
        {"segment": name, **{one.name: sum(row[one.name] for row in own) for one in _SUMS}}
        for name, own in ((key, list(of)) for key, of in groupby(told, lambda row: row["segment"]))
    ]
    added.sort(key=lambda row: -row["change_cents"])
    return Data((Field("segment", "segment"), *_SUMS), added)
