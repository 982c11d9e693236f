"""What is shown of category lift."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.category_lift.lift import share_ratio
from rfm_spark.results.category_lift.settings import CategoryLift
from rfm_spark.results.category_lift.tables import CATEGORY_LIFT
from rfm_spark.results.declaration import Request
from rfm_spark.run import Run

_MOST = 3
"""Categories of a group."""

LEAST_BUYERS = 5
"""Below, an interval that takes counts for normal tells little (Cochran 1954)."""

_MOST_COMPARED = 15
"""Categories of two groups that are compared, at each end."""


def lifted(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """By breakdown and group, the categories that it surely buys more often, the most first."""
    found: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: (-one["lift"], one["category"])):
        if row["buyers"] >= LEAST_BUYERS and row["lift_low"] > 1:
            found[row["breakdown"], row["value"]].append(row)
    return dict(sorted(found.items()))


def lift_panels(request: Request[CategoryLift]) -> Iterator[Panel]:
    """Of each group what it buys more often than all customers."""
    yield from day_panels(request.run, request.as_of)


def day_panels(run: Run, as_of: date) -> Iterator[Panel]:
    """The same of a day that is stored."""
    found = lifted(run.warehouse.rows(CATEGORY_LIFT, {"as_of": as_of}))
    lines = [
        (*group, ", ".join(f"{row['category']} {row['lift']:.1f}x" for row in few[:_MOST]))
        for group, few in found.items()
    ]
    if lines:
        yield Panel(
            "Category lift",
            ": bought more often than by all, beyond chance (table category_lift)",
            (PanelColumn("by"), PanelColumn("group"), PanelColumn("categories")),
            lines,
        )


def compared_panel(rows: Sequence[Mapping[str, Any]], group: str, other: str, as_of: date) -> Panel:
    """What one group buys more and less often than another, beyond chance.

    Args:
        rows: of `category_lift` of one day and breakdown.
        group: one of its groups.
        other: another one.
        as_of: the day.
    """
    own, against = ({row["category"]: row for row in rows if row["value"] == name}
                    for name in (group, other))  # fmt: skip
    found = []
    for category, row in own.items():
        there = against[category]
        if min(row["buyers"], there["buyers"]) < LEAST_BUYERS:
            continue
        counts = (one[name] for one in (row, there) for name in ("buyers", "customers"))
        ratio = share_ratio(*counts)
        if ratio is not None and not ratio[1] <= 1 <= ratio[2]:
            found.append((ratio, category, row["buyer_share"], there["buyer_share"]))
    found.sort(key=lambda one: (-one[0][0], one[1]))
    more, less = ([one for one in found if (one[0][0] > 1) == is_more] for is_more in (True, False))
    shown = [*more[:_MOST_COMPARED], *less[-_MOST_COMPARED:]]
    lines = [
        (category, percent(share), percent(there), f"{ratio:.2f}", f"{low:.2f} to {high:.2f}")
        for (ratio, low, high), category, share, there in shown
    ]
    note = f" as of {as_of}: {len(found):,} of {len(own):,} categories differ beyond chance"
    return Panel(
        f"What {group} buy, against {other}",
        note,
        (
            PanelColumn("category"),
            PanelColumn(f"of {group}", is_number=True),
            PanelColumn(f"of {other}", is_number=True),
            PanelColumn("times as often", is_number=True),
            PanelColumn("between", is_number=True),
        ),
        lines,
    )
