"""What is shown of scores: segments, and where every receipt went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.boundaries.stored import set_of_day
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.reconciliation import TERMS
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Profile, leading_profile
from rfm_spark.results.rfm.tables import RECONCILIATION, SEGMENTS


def rfm_panels(request: Request[Profiles]) -> Iterator[Panel]:
    """Segments of every profile, their empty scores, and the reconciliation of the leading one."""
    warehouse, settings = request.run.warehouse, request.run.settings
    # Of a shop that tells no purchases there is no money to tell.
    money = settings.business.money_format if settings.tells_purchases else None
    for name, profile in request.rules.items():
        rows = warehouse.rows(SEGMENTS, {"profile": name, "as_of": request.as_of})
        rows.sort(key=lambda one: (-one["revenue_cents"], -one["customers"], one["segment"]))
        yield from _segments(rows, name, profile, request.as_of, money)
    yield from _empty_scores(request)
    where = {"profile": leading_profile(request.rules), "as_of": request.as_of}
    yield from _reconciliation(warehouse.rows(RECONCILIATION, where), money, settings.purchase_word)


def _empty_scores(request: Request[Profiles]) -> Iterator[Panel]:
    """Which scores the boundaries in use left empty, a line for each dimension."""
    rows = []
    for name in request.rules:
        used = set_of_day(request.run, name, request.as_of)
        told = {} if used is None else used.collapsed
        rows += [(name, one, told[one]) for one in DIMENSIONS if one in told]
    if rows:
        columns = (PanelColumn("profile"), PanelColumn("dimension"), PanelColumn("which and why"))
        yield Panel("Scores that nobody had when the boundaries were fitted", "", columns, rows)


def _segments(
    rows: Sequence[Mapping[str, Any]],
    name: str,
    profile: Profile,
    as_of: date,
    money: MoneyFormat | None,
) -> Iterator[Panel]:
    if not rows:
        return
    customers = sum(row["customers"] for row in rows)
    told = f" by {name}"
    if money is not None:
        revenue = money.rounded(sum(row["revenue_cents"] for row in rows))
        told += f", {revenue} {money.currency} in the window"
    yield Panel(f"{customers:,} customers scored as of {as_of}", told)
    columns: list[tuple[PanelColumn, Callable[[Mapping[str, Any]], str]]] = [
        (PanelColumn("segment"), lambda row: row["segment"]),
        (PanelColumn("customers", is_number=True), lambda row: f"{row['customers']:,}"),
        (PanelColumn("share", is_number=True), lambda row: percent(row["customer_share"])),
    ]
    if money is not None:
        columns += [
            (
                PanelColumn("revenue", is_number=True),
                lambda row: money.rounded(row["revenue_cents"]),
            ),
            (PanelColumn("share", is_number=True), lambda row: percent(row["revenue_share"])),
        ]
    columns.append((PanelColumn("what to do", is_long=True), lambda row: row["suggested_action"]))
    yield Panel(
        f"Segments of {name}",
        f", {told_window(profile)}" + (f", revenue in {money.currency}" if money else ""),
        [column for column, _ in columns],
        [[cell(row) for _, cell in columns] for row in rows],
    )


def told_window(profile: Profile) -> str:
    """How far back a profile looks, and at what."""
    if profile.events == "all":
        return f"visits and all interactions of {window_name(profile)}"
    return f"{', '.join(profile.events)} of {window_name(profile)}"


def window_name(profile: Profile) -> str:
    """How far back a profile looks."""
    return "all time" if profile.window_days == "all" else f"{profile.window_days} days"


def _reconciliation(
    rows: Sequence[Mapping[str, Any]], money: MoneyFormat | None, purchase: str
) -> Iterator[Panel]:
    if not rows:
        return
    ordered = sorted(rows, key=lambda row: TERMS.index(row["term"]))
    signs = ("", "=", *"+" * len(ordered))
    columns: list[tuple[str, Callable[[Mapping[str, Any]], str]]] = []
    what = []
    if money is not None:
        columns += [
            (f"{purchase}s", lambda row: f"{row['receipts']:,}"),
            ("money", lambda row: money.exact(row["net_cents"])),
        ]
        what = [f"every {purchase}", f"every {money.currency}"]
    if any(row["events"] is not None for row in ordered):
        columns.append(("interactions", lambda row: f"{row['events'] or 0:,}"))
        what.append("every interaction")
    unknown = sum(row["unknown_amount_rows"] or 0 for row in ordered) if money is not None else 0
    yield Panel(
        f"Where {' and '.join(what)} went",
        f", but for {unknown:,} rejected rows of unknown amount" if unknown else "",
        (PanelColumn("term"), *[PanelColumn(title, is_number=True) for title, _ in columns]),
        [
            (f"{sign:<2}{row['term'].replace('_', ' ')}", *[cell(row) for _, cell in columns])
            for sign, row in zip(signs, ordered, strict=False)
        ],
    )
