"""What is shown of scores: segments, and where every receipt went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.boundaries.sets import boundary_digest
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.reconciliation import TERMS
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RECONCILIATION, RFM_BOUNDARIES, SEGMENTS


def rfm_panels(request: Request[Profiles]) -> Iterator[Panel]:
    """Segments and reconciliation of the first profile, and empty scores of all."""
    warehouse, money = request.run.warehouse, request.run.settings.business.money_format
    where = {"profile": next(iter(request.rules)), "as_of": request.as_of}
    segments = warehouse.rows(SEGMENTS, where)
    segments.sort(key=lambda one: (-one["revenue_cents"], one["segment"]))
    yield from _segments(segments, request, money)
    yield from _empty_scores(request)
    yield from _reconciliation(warehouse.rows(RECONCILIATION, where), money)


def _empty_scores(request: Request[Profiles]) -> Iterator[Panel]:
    """Which scores the boundaries in use left empty, a line for each dimension."""
    rows = []
    for name, profile in request.rules.items():
        told = {}
        for one in _boundaries_in_use(request, name, profile):
            if one["collapsed"] is not None:
                told[one["dimension"]] = one["collapsed"]
        rows += [(name, one, told[one]) for one in DIMENSIONS if one in told]
    if rows:
        columns = (PanelColumn("profile"), PanelColumn("dimension"), PanelColumn("which and why"))
        yield Panel("Scores that nobody had when the boundaries were fitted", "", columns, rows)


def _boundaries_in_use(
    request: Request[Profiles], name: str, profile: Profile
) -> list[dict[str, Any]]:
    """The set of the day: a run has just fitted or kept it."""
    where: dict[str, Any] = {"profile": name, "settings_digest": boundary_digest(profile)}
    if profile.refit == "always":
        where["version"] = request.as_of
    rows = request.run.warehouse.rows(RFM_BOUNDARIES, where)
    versions = [row["version"] for row in rows if row["version"] <= request.as_of]
    return [row for row in rows if row["version"] == max(versions, default=None)]


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
