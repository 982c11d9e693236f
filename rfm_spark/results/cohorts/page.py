"""What cohorts tell the report: who comes again, and what they bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rfm_spark.core.page import Block, Chart, Choice, Data, Field, Grid, HeatMap, Page, Words
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.cohorts.tables import COHORT_CURVES, COHORT_GROWTH, COHORTS
from rfm_spark.results.declaration import Request

_COHORTS, _PERIODS = 26, 26
"""Shown of each origin and length of a period: the newest cohorts, the first periods."""
_LINES = 6
_LISTED = ("receipt", "month", "calendar")
"""Whose customers can be listed: `customer_360` has the month of the first visit."""
_COLUMNS = (
    "origin", "grain", "kind", "cohort", "period_index", "cohort_size", "active_so_far",
    "retention", "is_complete", "cumulative_revenue_per_customer_cents",
)  # fmt: skip

Rows = Sequence[Mapping[str, Any]]


def cohort_pages(request: Request[Cohorts]) -> Iterator[Page]:
    """Every origin and every length of a period that is stored of the day."""
    rows = request.run.warehouse.rows(COHORTS, {"as_of": request.as_of}, _COLUMNS)
    if not rows:
        return
    pooled = request.run.warehouse.rows(COHORT_CURVES, {"as_of": request.as_of})
    has_money = request.run.settings.tells_purchases
    origins: dict[str, dict[str, list[Block]]] = {}
    for origin, grain, kind in sorted(set(map(_followed, rows)), key=_usual_first):
        found, curve = (
            [row for row in some if _followed(row) == (origin, grain, kind)]
            for some in (rows, pooled)
        )
        name = grain if kind == "calendar" else f"{kind.replace('_', ' ')}, by {grain}"
        blocks = list(_blocks(found, curve, has_money=has_money))
        origins.setdefault(origin, {})[name] = blocks
    yield Page(
        "Cohorts",
        [
            Choice(
                "They begin with",
                {origin: [Choice("Period", periods)] for origin, periods in origins.items()},
            ),
            *_growth(request),
        ],
    )


def _followed(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """What a row is of: origin, length of the cohort's period, sort of periods."""
    return row["origin"], row["grain"], row["kind"]


def _usual_first(followed: tuple[str, str, str]) -> tuple[bool, bool, tuple[str, str, str]]:
    """By which cohorts of first visits, and months of the calendar, come first."""
    origin, _, kind = followed
    return origin != _LISTED[0], kind != "calendar", followed


def _blocks(rows: Rows, curve: Rows, *, has_money: bool) -> Iterator[Block]:
    origin, grain, kind = _followed(rows[0])
    period = grain if kind == "calendar" else "period"
    cohorts = sorted({row["cohort"] for row in rows})
    shown = cohorts[-_COHORTS:]
    told = f"{len(cohorts):,} cohorts"
    if len(shown) < len(cohorts):
        told += f", of which the newest {len(shown)} are shown"
    yield Words(f"{told}. A cohort is everybody who began in the same {grain}.")
    found = [row for row in rows if row["cohort"] in shown and row["period_index"] < _PERIODS]
    found.sort(key=lambda row: (row["cohort"], row["period_index"]))
    shown_as = {"who came again": [_retention(period, found)]}
    if has_money:
        shown_as["what they brought"] = [_revenue(period, found)]
    yield Choice("Show", shown_as)
    yield from _pooled(period, curve)
    yield from _curves(period, found)
    if (origin, grain, kind) == _LISTED:
        yield _lists(found)


def _name(cohort: date, grain: str) -> str:
    return {"month": f"{cohort:%Y-%m}", "year": f"{cohort:%Y}"}.get(grain, f"{cohort}")


def _heat_map(
    title: str, period: str, rows: Rows, value: Field, note: str, first_period: int = 0
) -> HeatMap:
    cells = [
        {
            **row,
            "cohort": _name(row["cohort"], row["grain"]),
            "is_running": not row["is_complete"],
            "so_far": row["active_so_far"] / row["cohort_size"] if row["cohort_size"] else None,
        }
        for row in rows
    ]
    fields = (
        Field("cohort", "cohort"),
        Field("period_index", f"{period}s later", "count"),
        Field("cohort_size", "customers", "count"),
        value,
        Field("so_far", "so far", "share"),
    )
    return HeatMap(
        title,
        Data(fields, cells, size="cohort_size"),
        "cohort",
        "period_index",
        value.name,
        [k for k in sorted({row["period_index"] for row in rows}) if k >= first_period],
        running="is_running",
        heads={row["cohort"]: row["cohort_size"] for row in cells},
        note=note,
    )


def _retention(period: str, rows: Rows) -> HeatMap:
    starts = [row["retention"] for row in rows if row["period_index"] == 0]
    tells_nothing = all(share is None or share == 1 for share in starts)
    return _heat_map(
        f"Share of the cohort that came in a later {period}",
        period,
        rows,
        Field("retention", "came", "share"),
        f"Hatched: the {period} is not over for everybody. An empty cell has not begun.",
        first_period=1 if tells_nothing else 0,
    )


def _revenue(period: str, rows: Rows) -> HeatMap:
    return _heat_map(
        "Revenue a customer, from the beginning on",
        period,
        rows,
        Field("cumulative_revenue_per_customer_cents", "revenue a customer", "money"),
        f"Returns subtracted. Hatched: the {period} is not over for everybody.",
    )


def _curves(period: str, rows: Rows) -> Iterator[Chart]:
    """The newest cohorts that have been followed for three periods at least."""
    complete = [row for row in rows if row["is_complete"] and row["retention"] is not None]
    long = sorted({row["cohort"] for row in complete if row["period_index"] >= 3})[-_LINES:]
    told = [
        {**row, "cohort": _name(row["cohort"], row["grain"])}
        for row in complete
        if row["cohort"] in long
    ]
    if not told:
        return
    fields = (
        Field("cohort", "cohort"),
        Field("period_index", f"{period}s later", "count"),
        Field("retention", "share that came", "share"),
        Field("cohort_size", "customers", "count"),
    )
    yield Chart(
        "How many keep coming",
        Data(fields, [row for row in told if row["period_index"] > 0], size="cohort_size"),
        "lines",
        "period_index",
        "retention",
        series="cohort",
        note=f"The newest cohorts with three {period}s behind them; periods that are over only.",
    )


def _pooled(period: str, rows: Rows) -> Iterator[Chart]:
    """All cohorts together, in periods after the first one."""
    told = [row for row in rows if 0 < row["period_index"] < _PERIODS]
    told.sort(key=lambda row: row["period_index"])
    fields = (
        Field("period_index", f"{period}s later", "count"),
        Field("retention", "share that came", "share"),
        Field("retention_low", "at least", "share"),
        Field("retention_high", "at most", "share"),
        Field("cohorts", "cohorts", "count"),
        Field("eligible", "customers", "count"),
    )
    if told:
        yield Chart(
            "All cohorts together",
            Data(fields, told, size="eligible"),
            "lines",
            "period_index",
            "retention",
            low="retention_low",
            high="retention_high",
            note="Of cohorts whose period is over; the band is where the share lies with 95 % "
            "confidence (Wilson).",
        )


def _growth(request: Request[Cohorts]) -> Iterator[Block]:
    """How the customers of the shop grew, by month or the first length that is stored."""
    rows = request.run.warehouse.rows(COHORT_GROWTH, {"as_of": request.as_of})
    grains = list(dict.fromkeys(row["grain"] for row in rows))
    if not grains:
        return
    grain = "month" if "month" in grains else grains[0]
    shown = sorted((row for row in rows if row["grain"] == grain), key=lambda row: row["period"])
    told = [
        {**row, "name": _name(row["period"], grain) + ("" if row["is_complete"] else ", so far")}
        for row in shown[-_COHORTS:]
    ]
    fields = (
        Field("name", grain),
        Field("base_before", "before", "count"),
        Field("new", "new", "count"),
        Field("reactivated", "came back", "count"),
        Field("lost", "lost", "count"),
        Field("base", "after", "count"),
        Field("new_change", "new, against the one before", "share"),
        Field("new_change_year", "against a year before", "share"),
    )
    yield Grid(
        f"Growth by {grain}",
        Data(fields, told[::-1], size=None),
        "Customers who are not lost: before + new + came back - lost = after.",
    )


def _lists(rows: Rows) -> Grid:
    """How to get the customers of each cohort, the newest first."""
    sizes = {row["cohort"]: row["cohort_size"] for row in rows}
    told = [
        {"cohort": (month := _name(cohort, "month")), "customers": size,
         "command": ("--cohort", month)}
        for cohort, size in sorted(sizes.items(), reverse=True)
    ]  # fmt: skip
    fields = (
        Field("cohort", "cohort"),
        Field("customers", "customers", "count"),
        Field("command", "the list of them", "command"),
    )
    return Grid("The customers of a cohort", Data(fields, told))
