"""What cohorts tell the report: who comes again, and what they bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import sqrt
from typing import Any

from rfm_spark.core.page import Block, Chart, Choice, Data, Field, Grid, HeatMap, Page, Words
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.cohorts.tables import COHORTS
from rfm_spark.results.declaration import Request

_COHORTS, _PERIODS = 26, 26
"""Shown of each origin and length of a period: the newest cohorts, the first periods."""
_LINES = 6
_LISTED = ("receipt", "month")
"""Whose customers can be listed: `customer_360` has the month of the first visit."""
_Z = 1.959964
"""Of a 95 % interval."""
_COLUMNS = (
    "origin", "grain", "kind", "cohort", "period_index", "cohort_size", "eligible", "active",
    "active_so_far", "retention", "is_complete", "cumulative_revenue_per_customer_cents",
)  # fmt: skip

Rows = Sequence[Mapping[str, Any]]


def cohort_pages(request: Request[Cohorts]) -> Iterator[Page]:
    """Every origin and every length of a period that is stored of the day."""
    rows = request.run.warehouse.rows(COHORTS, {"as_of": request.as_of}, _COLUMNS)
    if not rows:
        return
    has_money = request.run.settings.tells_purchases
    origins: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in rows:
        periods = row["grain"] if row["kind"] == "calendar" else f"{row['kind']}, {row['grain']}"
        origins.setdefault(row["origin"], {}).setdefault(periods, []).append(row)
    yield Page(
        "Cohorts",
        [
            Choice(
                "They begin with",
                {
                    origin: [
                        Choice(
                            "Period",
                            {
                                name: list(_blocks(origin, name, found, has_money=has_money))
                                for name, found in periods.items()
                            },
                        )
                    ]
                    for origin, periods in origins.items()
                },
            )
        ],
    )


def _blocks(origin: str, period: str, rows: Rows, *, has_money: bool) -> Iterator[Block]:
    cohorts = sorted({row["cohort"] for row in rows})
    shown = cohorts[-_COHORTS:]
    told = f"{len(cohorts):,} cohorts"
    if len(shown) < len(cohorts):
        told += f", of which the newest {len(shown)} are shown"
    yield Words(f"{told}. A cohort is everybody who began in the same {period}.")
    found = [row for row in rows if row["cohort"] in shown and row["period_index"] < _PERIODS]
    found.sort(key=lambda row: (row["cohort"], row["period_index"]))
    shown_as = {"who came again": [_retention(period, found)]}
    if has_money:
        shown_as["what they brought"] = [_revenue(period, found)]
    yield Choice("Show", shown_as)
    yield from _pooled(period, rows)
    yield from _curves(period, found)
    if (origin, period) == _LISTED:
        yield _lists(found)


def _name(cohort: date, period: str) -> str:
    return {"month": f"{cohort:%Y-%m}", "year": f"{cohort:%Y}"}.get(period, f"{cohort}")


def _heat_map(
    title: str, period: str, rows: Rows, value: Field, note: str, first_period: int = 0
) -> HeatMap:
    cells = [
        {
            **row,
            "cohort": _name(row["cohort"], period),
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
        {**row, "cohort": _name(row["cohort"], period)} for row in complete if row["cohort"] in long
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
    """All cohorts together: in every period, those that are complete there."""
    told = []
    for k in sorted({row["period_index"] for row in rows})[1:_PERIODS]:
        complete = [row for row in rows if row["period_index"] == k and row["is_complete"]]
        eligible, active = (sum(row[name] for row in complete) for name in ("eligible", "active"))
        if eligible:
            low, high = wilson(active, eligible)
            told.append(
                {
                    "period_index": k,
                    "retention": active / eligible,
                    "low": low,
                    "high": high,
                    "cohorts": len(complete),
                    "eligible": eligible,
                }
            )
    fields = (
        Field("period_index", f"{period}s later", "count"),
        Field("retention", "share that came", "share"),
        Field("low", "at least", "share"),
        Field("high", "at most", "share"),
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
            low="low",
            high="high",
            note="Of cohorts whose period is over; the band is where the share lies with 95 % "
            "confidence (Wilson).",
        )


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    share = successes / trials
    spread = _Z * sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    middle, scale = share + _Z**2 / (2 * trials), 1 + _Z**2 / trials
    return (middle - spread) / scale, (middle + spread) / scale


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
