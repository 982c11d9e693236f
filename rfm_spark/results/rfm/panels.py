"""What is shown of scores: segments, and where every receipt went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.reconciliation import TERMS
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RECONCILIATION, SEGMENTS


def rfm_panels(request: Request[Profiles]) -> Iterator[Panel]:
    """Segments of every profile, and the reconciliation of the first."""
    warehouse, money = request.run.warehouse, request.run.settings.business.money_format
    for name, profile in request.rules.items():
        rows = warehouse.rows(SEGMENTS, {"profile": name, "as_of": request.as_of})
        rows.sort(key=lambda one: (-one["revenue_cents"], one["segment"]))
        yield from _segments(rows, name, profile, request.as_of, money)
    where = {"profile": next(iter(request.rules)), "as_of": request.as_of}
    yield from _reconciliation(warehouse.rows(RECONCILIATION, where), money)


def _segments(
    rows: Sequence[Mapping[str, Any]],
    name: str,
    profile: Profile,
    as_of: date,
    money: MoneyFormat,
) -> Iterator[Panel]:
    if not rows:
        return
    customers = sum(row["customers"] for row in rows)
    revenue = money.rounded(sum(row["revenue_cents"] for row in rows))
    yield Panel(
        f"{customers:,} customers scored as of {as_of}",
        f" by {name}, {revenue} {money.currency} in the window",
    )
    yield Panel(
        f"Segments of {name}",
        f", {told_window(profile)}, revenue in {money.currency}",
        (
            PanelColumn("segment"),
            PanelColumn("customers", is_number=True),
            PanelColumn("share", is_number=True),
            PanelColumn("revenue", is_number=True),
            PanelColumn("share", is_number=True),
            PanelColumn("what to do", is_long=True),
        ),
        [
            (
                row["segment"],
                f"{row['customers']:,}",
                percent(row["customer_share"]),
                money.rounded(row["revenue_cents"]),
                percent(row["revenue_share"]),
                row["suggested_action"],
            )
            for row in rows
        ],
    )


def told_window(profile: Profile) -> str:
    """How far back a profile looks, and at what."""
    window = "all time" if profile.window_days == "all" else f"{profile.window_days} days"
    if profile.events == "all":
        return f"visits and all interactions of {window}"
    return f"{', '.join(profile.events)} of {window}"


def _reconciliation(rows: Sequence[Mapping[str, Any]], money: MoneyFormat) -> Iterator[Panel]:
    if not rows:
        return
    ordered = sorted(rows, key=lambda row: TERMS.index(row["term"]))
    signs = ("", "=", *"+" * len(ordered))
    yield Panel(
        f"Where every receipt and every {money.currency} went",
        "",
        (
            PanelColumn("term"),
            PanelColumn("receipts", is_number=True),
            PanelColumn("money", is_number=True),
        ),
        [
            (
                f"{sign:<2}{row['term'].replace('_', ' ')}",
                f"{row['receipts']:,}",
                money.exact(row["net_cents"]),
            )
            for sign, row in zip(signs, ordered, strict=False)
        ],
    )
