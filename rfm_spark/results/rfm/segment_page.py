"""What segments tell the report: who they are, how they grew, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rfm_spark.core.page import Block, Chart, Data, Field, Grid, Words
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.panels import told_window
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import SEGMENTS

MOST_DAYS = 60
"""Of a trend: of more, so many are taken, as far apart."""
_CUSTOMERS = Field("customers", "customers", "count")
_SEGMENT = Field("segment", "segment")

Rows = Sequence[Mapping[str, Any]]


def segment_blocks(
    request: Request[Mapping[str, Profile]], name: str, rules: Profile
) -> Iterator[Block]:
    """The segments of a profile on the day, and on the days that are stored up to it."""
    stored = request.run.warehouse.rows(SEGMENTS, {"profile": name})
    rows = [row for row in stored if row["as_of"] == request.as_of]
    rows.sort(key=lambda one: (-one["revenue_cents"], -one["customers"], one["segment"]))
    has_money = request.run.settings.tells_purchases
    yield _map(name, rules, rows, has_money=has_money)
    yield _averages(rows, has_money=has_money)
    yield _actions(name, rows)
    days = sorted({row["as_of"] for row in stored if row["as_of"] <= request.as_of})
    if len(days) > 1:
        yield from _trends(stored, rows, days)


def _map(name: str, rules: Profile, rows: Rows, *, has_money: bool) -> Chart:
    fields = [_SEGMENT, _CUSTOMERS, Field("customer_share", "share of customers", "share")]
    if has_money:
        fields += [
            Field("revenue_cents", "revenue", "money"),
            Field("revenue_share", "share of revenue", "share", of_money=True),
        ]
    return Chart(
        f"The customers of {name}",
        Data(fields, [row for row in rows if row["customers"]]),
        "map",
        "segment",
        "customers",
        shade="revenue_cents" if has_money else None,
        note=f"Areas are customers, the stronger the colour the more revenue; {told_window(rules)}."
        if has_money
        else f"Areas are customers; {told_window(rules)}.",
    )


def _actions(name: str, rows: Rows) -> Grid:
    """What to do about each segment, and how to get the list of its customers."""
    fields = (
        _SEGMENT,
        _CUSTOMERS,
        Field("suggested_action", "what to do"),
        Field("command", "the list of them", "command"),
    )
    told = [
        {**row, "command": ("--segment", row["segment"], "--profile", name)}
        for row in rows
        if row["customers"]
    ]
    return Grid("What to do", Data(fields, told))


def _averages(rows: Rows, *, has_money: bool) -> Grid:
    """A row for each segment: averages beside those of the average customer."""
    fields = [
        _SEGMENT,
        _CUSTOMERS,
        Field("customer_share", "share", "share"),
        Field("average_recency_days", "days since the last time", "days"),
        Field("frequency_times", "frequency, times the average", "number"),
    ]
    if has_money:
        fields += [
            Field("revenue_cents", "revenue", "money"),
            Field("revenue_share", "share", "share", of_money=True),
            Field("average_monetary_cents", "a customer", "money"),
            Field("money_times", "times the average", "number", of_money=True),
        ]
    times = {"frequency_times": "average_frequency", "money_times": "average_monetary_cents"}
    means = {column: _mean(rows, column) for column in times.values()}
    told = [
        {**row, **{key: _ratio(row[column], means[column]) for key, column in times.items()}}
        for row in rows
    ]
    return Grid("The segments", Data(fields, told))


def _mean(rows: Rows, column: str) -> float | None:
    """The average of the averages, each as often as it has customers."""
    customers = sum(row["customers"] for row in rows if row[column] is not None)
    total = sum(row["customers"] * row[column] for row in rows if row[column] is not None)
    return total / customers if customers else None


def _ratio(value: float | None, mean: float | None) -> float | None:
    return None if value is None or not mean or mean < 0 else value / mean


def _trends(stored: Rows, rows: Rows, days: Sequence[date]) -> Iterator[Block]:
    """Customers of each segment over the stored days, on one scale each."""
    shown = set(evenly(days, MOST_DAYS))
    yield Words(f"Customers of each segment, from {days[0]} to {days[-1]}:")
    for segment in (row["segment"] for row in rows):
        of_days = [row for row in stored if row["segment"] == segment and row["as_of"] in shown]
        if not any(row["customers"] for row in of_days):
            continue
        of_days.sort(key=lambda one: one["as_of"])
        fields = (Field("as_of", "day", "date"), _CUSTOMERS)
        yield Chart(segment, Data(fields, of_days), "lines", "as_of", "customers", is_small=True)


def evenly(days: Sequence[date], most: int) -> list[date]:
    """So many days at most, as far apart from each other, the first and the last among them.

    >>> evenly([date(2026, 1, day) for day in range(1, 8)], 3)
    [datetime.date(2026, 1, 1), datetime.date(2026, 1, 4), datetime.date(2026, 1, 7)]
    """
    if len(days) <= most:
        return list(days)
    step = (len(days) - 1) / (most - 1)
    return [days[round(place * step)] for place in range(most)]
