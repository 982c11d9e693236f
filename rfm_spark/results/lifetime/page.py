"""What lifetime value tells the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.page import Data, Field, Figure, Figures, Grid, Page, Words
from rfm_spark.results.declaration import Request
from rfm_spark.results.lifetime.settings import LifetimeValue
from rfm_spark.results.lifetime.tables import (
    LIFETIME_CHECKS,
    LIFETIME_CLASSES,
    LIFETIME_MODELS,
    MONEY,
    VISITS,
    class_name,
)

Row = Mapping[str, Any]

_REPEATS = Field("repeats", "repeat visit days")
_CUSTOMERS = Field("customers", "customers", "count")


def lifetime_pages(request: Request[LifetimeValue]) -> Iterator[Page]:
    """What is expected of all customers, by how often they came again, and how a model did."""
    run, where = request.run, {"as_of": request.as_of}
    models = {row["model"]: row for row in run.warehouse.rows(LIFETIME_MODELS, where)}
    if not models:
        return
    visits, money = models[VISITS], models[MONEY]
    if visits["refused"] is not None:
        yield Page("Lifetime value", [Words(f"Not told: {visits['refused']}.")])
        return
    classes = run.warehouse.rows(LIFETIME_CLASSES, where)
    horizon = f"the next {visits['horizon_days']:,} days"
    again = [row for row in classes if row["repeat_visit_days"] > 0]
    alive, came = (sum(row[name] for row in again) for name in ("customers_alive", "customers"))
    figures = [
        Figure("still come", round(alive), note=f"of the {came:,} who came again"),
        Figure(f"visit days in {horizon}", round(visits["expected_total"])),
    ]
    if money["refused"] is None:
        total = round(money["expected_total"])
        figures.append(Figure(f"spent in {horizon}", total, "money", customers=visits["customers"]))
    notes = _intervals(visits, money, run.settings.business.money_format)
    if money["refused"] is not None:
        notes.append(f"Money is not told: {money['refused']}.")
    if visits["is_beyond_history"]:
        notes.append(f"This is longer than the {visits['history_days']:,} days of history.")
    grid = Grid(
        f"Expected in {horizon}",
        Data(
            (
                _REPEATS,
                _CUSTOMERS,
                Field("customers_alive", "still come", "count"),
                Field("expected_visits", "visit days", "count"),
                Field("expected_value_cents", "money", "money"),
            ),
            _named(classes),
        ),
        note=" ".join(notes),
    )
    checks = _named(run.warehouse.rows(LIFETIME_CHECKS, where))
    yield Page("Lifetime value", [Figures(figures), grid, *_check(checks, visits["horizon_days"])])


def _intervals(visits: Row, money: Row, written: MoneyFormat) -> list[str]:
    told = [f"Visit days: {visits['expected_low']:,.0f} to {visits['expected_high']:,.0f} (95 %)."]
    if money["expected_low"] is not None:
        low, high = (written.rounded(money[f"expected_{end}"]) for end in ("low", "high"))
        told.append(f"Money: {low} to {high} {written.currency} (95 %).")
    return told


def _check(checks: list[dict[str, Any]], days: int) -> list[Grid]:
    if not checks:
        return []
    fields = (
        _REPEATS,
        _CUSTOMERS,
        Field("expected_visits", "expected visit days", "count"),
        Field("visits", "that came", "count"),
    )
    note = "Fitted on the days before, as if nothing were known of those since."
    return [Grid(f"A model of {days:,} days ago", Data(fields, checks), note=note)]


def _named(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a table with the name of their class, and in whole customers and days."""
    whole = ("customers_alive", "expected_visits")
    return [
        {
            **row,
            **{name: round(row[name]) for name in whole if name in row},
            "repeats": class_name(row["repeat_visit_days"]),
        }
        for row in sorted(rows, key=lambda row: row["repeat_visit_days"])
    ]
