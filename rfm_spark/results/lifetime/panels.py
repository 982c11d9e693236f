"""What is shown of lifetime value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.declaration import Request
from rfm_spark.results.lifetime.settings import LifetimeValue
from rfm_spark.results.lifetime.tables import (
    LIFETIME_CHECKS,
    LIFETIME_CLASSES,
    LIFETIME_MODELS,
    LIFETIME_PARAMETERS,
    MONEY,
    VISITS,
    class_name,
)
from rfm_spark.run import Run

WEEKS_A_YEAR = 365 / 7

MEANING = {
    (VISITS, "r"): "how alike visit rates are: the higher, the more",
    (VISITS, "alpha"): "weeks; r / alpha is the mean visit days a week",
    (VISITS, "a"): "a / (a + b) leave after a repeat visit, in the mean",
    (VISITS, "b"): "the higher a and b, the more alike",
    (MONEY, "p"): "how alike the visits of one customer are in money",
    (MONEY, "q"): "how alike customers are in money",
    (MONEY, "gamma"): "p x gamma / (q - 1) is the mean of all",
}
"""What a parameter tells, for a person."""


def lifetime_panels(request: Request[LifetimeValue]) -> Iterator[Panel]:
    """The same of the day that is asked for."""
    yield from day_panels(request.run, request.as_of)


def day_panels(run: Run, as_of: date) -> Iterator[Panel]:
    """What is expected of all customers, why not, and whether a model of then was right."""
    where = {"as_of": as_of}
    models = {row["model"]: row for row in run.warehouse.rows(LIFETIME_MODELS, where)}
    if not models:
        return
    classes = run.warehouse.rows(LIFETIME_CLASSES, where)
    money = run.settings.business.money_format
    days = f"{models[VISITS]['horizon_days']:,} days"
    yield Panel(f"Lifetime value, the next {days}", _outlook(models, classes, money))
    if classes:
        yield _classes_panel(classes, money)
    if checks := run.warehouse.rows(LIFETIME_CHECKS, where):
        yield _checks_panel(checks, days)


def parameter_panels(run: Run, as_of: date) -> Iterator[Panel]:
    """The parameters of both models with their intervals."""
    rows = run.warehouse.rows(LIFETIME_PARAMETERS, {"as_of": as_of})
    by_name = {(row["model"], row["parameter"]): row for row in rows}
    lines = [
        (
            model,
            name,
            f"{row['value']:,.3f}",
            f"{row['low']:,.3f} to {row['high']:,.3f}",
            meaning,
        )
        for (model, name), meaning in MEANING.items()
        if (row := by_name.get((model, name))) is not None
    ]
    if lines:
        values = {key: row["value"] for key, row in by_name.items()}
        yield Panel("By these models", _in_words(values, run.settings.business.money_format))
        yield Panel(
            "Parameters",
            ", with 95 % intervals",
            (
                PanelColumn("model"),
                PanelColumn("parameter"),
                PanelColumn("value", is_number=True),
                PanelColumn("between", is_number=True),
                PanelColumn("", is_long=True),
            ),
            lines,
        )


def _in_words(values: Mapping[tuple[str, str], float], money: MoneyFormat) -> str:
    rate = values[VISITS, "r"] / values[VISITS, "alpha"]
    a, b = values[VISITS, "a"], values[VISITS, "b"]
    told = (
        f": {rate * WEEKS_A_YEAR:,.1f} visit days a year of a customer who still comes, in the "
        f"mean; {percent(a / (a + b))} leave for ever after a repeat visit"
    )
    if (MONEY, "p") in values:
        mean = values[MONEY, "p"] * values[MONEY, "gamma"] / (values[MONEY, "q"] - 1)
        told += f"; {money.exact(round(mean))} {money.currency} on a visit day"
    return told


def _outlook(
    models: Mapping[str, Mapping[str, Any]],
    classes: list[dict[str, Any]],
    money: MoneyFormat,
) -> str:
    visits, spent = models[VISITS], models[MONEY]
    if visits["refused"] is not None:
        return f": none, {visits['refused']}"
    again = [row for row in classes if row["repeat_visit_days"] > 0]
    alive, came = (sum(row[name] for row in again) for name in ("customers_alive", "customers"))
    told = (
        f": {alive:,.0f} of the {came:,} customers who came again still come; "
        f"{visits['expected_total']:,.0f} visit days are expected "
        f"({visits['expected_low']:,.0f} to {visits['expected_high']:,.0f})"
    )
    if spent["refused"] is not None:
        told += f", and no money: {spent['refused']}"
    else:
        told += f", and {money.rounded(spent['expected_total'])} {money.currency}"
        if spent["expected_low"] is not None:
            low, high = (money.rounded(spent[f"expected_{end}"]) for end in ("low", "high"))
            told += f" ({low} to {high})"
    if visits["is_beyond_history"]:
        told += f"; beyond the {visits['history_days']:,} days of history: take it with care"
    return told


def _classes_panel(classes: list[dict[str, Any]], money: MoneyFormat) -> Panel:
    def of_money(cents: float | None) -> str:
        return "" if cents is None else money.rounded(cents)

    lines = [
        (
            class_name(row["repeat_visit_days"]),
            f"{row['customers']:,}",
            percent(row["customers_alive"] / row["customers"]),
            f"{row['expected_visits'] / row['customers']:.2f}",
            of_money(row["expected_value_cents"]),
        )
        for row in sorted(classes, key=lambda row: row["repeat_visit_days"])
    ]
    columns = (
        PanelColumn("repeat visit days"),
        PanelColumn("customers", is_number=True),
        PanelColumn("still come", is_number=True),
        PanelColumn("visit days each", is_number=True),
        PanelColumn(f"{money.currency} in all", is_number=True),
    )
    return Panel("Expected by repeat visit days so far", "", columns, lines)


def _checks_panel(checks: list[dict[str, Any]], days: str) -> Panel:
    expected, seen = (sum(row[name] for row in checks) for name in ("expected_visits", "visits"))
    lines = [
        (
            class_name(row["repeat_visit_days"]),
            f"{row['customers']:,}",
            f"{row['expected_visits'] / row['customers']:.2f}",
            f"{row['visits'] / row['customers']:.2f}",
        )
        for row in sorted(checks, key=lambda row: row["repeat_visit_days"])
    ]
    columns = (
        PanelColumn("repeat visit days by then"),
        PanelColumn("customers", is_number=True),
        PanelColumn("expected each", is_number=True),
        PanelColumn("came", is_number=True),
    )
    return Panel(
        f"A model of {days} ago",
        f": it expected {expected:,.0f} visit days since, and {seen:,} came",
        columns,
        lines,
    )
