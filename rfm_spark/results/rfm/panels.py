"""What is shown of scores: segments, and where every receipt went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.reconciliation import TERMS
from rfm_spark.results.rfm.tables import RECONCILIATION, SEGMENTS


def rfm_panels(request: Request[Profiles]) -> Iterator[Panel]:
    """Segments and reconciliation of the first profile."""
    warehouse, money = request.run.warehouse, request.run.settings.business.money_format
    where = {"profile": next(iter(request.rules)), "as_of": request.as_of}
    segments = warehouse.rows(SEGMENTS, where)
    segments.sort(key=lambda one: (-one["revenue_cents"], one["segment"]))
    yield from _segments(segments, request, money)
    yield from _reconciliation(warehouse.rows(RECONCILIATION, where), money)


def _segments(
    rows: Sequence[Mapping[str, Any]], request: Request[Profiles], money: MoneyFormat
) -> Iterator[Panel]:
    if not rows:
        return
    customers = sum(row["customers"] for row in rows)
    revenue = money.rounded(sum(row["revenue_cents"] for row in rows))
    yield Panel(
        f"{customers:,} customers scored as of {request.as_of}",
        f", {revenue} {money.currency} in the window",
    )
    yield Panel(
        "Segments",
        f", revenue in {money.currency}",
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
