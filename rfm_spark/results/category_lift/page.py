"""What category lift tells the report."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.core.page import Data, Field, Grid, Page
from rfm_spark.results.category_lift.panels import lifted
from rfm_spark.results.category_lift.settings import CategoryLift
from rfm_spark.results.category_lift.tables import CATEGORY_LIFT
from rfm_spark.results.declaration import Request

_MOST = 10
"""Categories of a group."""

_FIELDS = (
    Field("value", "group"),
    Field("category", "category"),
    Field("buyer_share", "of the group buy it", "share"),
    Field("lift", "times as often as all", "number"),
    Field("buyers", "buyers", "count"),
)


def lift_pages(request: Request[CategoryLift]) -> Iterator[Page]:
    """Of each segment and tier the categories that it buys more often than all customers."""
    found = lifted(request.run.warehouse.rows(CATEGORY_LIFT, {"as_of": request.as_of}))
    names = list(dict.fromkeys(breakdown for breakdown, _ in found))
    grids = [
        Grid(
            f"What each {name} buys more often than all, beyond chance",
            Data(
                _FIELDS,
                [row for (of, _), few in found.items() if of == name for row in few[:_MOST]],
            ),
            note="A customer counts who kept an item of the category in the window.",
        )
        for name in names
    ]
    if grids:
        yield Page("Categories", grids)
