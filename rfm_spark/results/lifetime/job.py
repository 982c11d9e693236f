"""Lifetime value of a day: models fitted on histograms, and what they expect of every customer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.core.errors import RunFailure
from rfm_spark.results.declaration import Request, required
from rfm_spark.results.lifetime.asks import before_horizon
from rfm_spark.results.lifetime.cells import (
    AgePairs,
    Extent,
    age_pairs,
    extent_of,
    money_cells,
    visit_cells,
)
from rfm_spark.results.lifetime.expectations import (
    customers_before,
    customers_so_far,
    expectations,
    lifetime_classes,
)
from rfm_spark.results.lifetime.fitting import (
    Outlook,
    Refused,
    check_rows,
    fitted_spending,
    interval_around,
    outlook,
    parameter_rows,
    relative_error_of_money,
)
from rfm_spark.results.lifetime.maximum_likelihood import Fit
from rfm_spark.results.lifetime.money_model import MoneyCells
from rfm_spark.results.lifetime.settings import LifetimeValue
from rfm_spark.results.lifetime.suitability import correlation_of_money
from rfm_spark.results.lifetime.tables import (
    LIFETIME_CHECKS,
    LIFETIME_CLASSES,
    LIFETIME_MODELS,
    LIFETIME_PARAMETERS,
    LIFETIME_VALUE,
    MONEY,
    VISITS,
)
from rfm_spark.results.lifetime.visits_model import DAYS_A_WEEK, VisitCells
from rfm_spark.storage.warehouse import as_of_slice

_NEEDS_VISITS = "it is told by expected visits, and their model is refused"


def refresh_lifetime(request: Request[LifetimeValue], sums: DataFrame | None) -> None:
    """Fits both models, tells what they expect of customers, and how well a model of then did.

    Raises:
        RunFailure: if not every customer has one row; the row of the models is then not written.
    """
    run, as_of, horizon = request.run, request.as_of, request.rules.horizon_days
    with run.progress.step("lifetime value") as step:
        customers = customers_so_far(required(sums), as_of)
        extent = extent_of(customers)
        cells, pairs = (
            visit_cells(customers, extent.cells).cells,
            age_pairs(customers, extent.pairs),
        )
        spent = money_cells(customers)
        visits, why_no_visits = _visits(cells, pairs, extent, horizon / DAYS_A_WEEK)
        money, why_no_money = _money(spent, visits)
        rows = run.warehouse.read_or_empty(LIFETIME_VALUE).where("false")
        if visits is not None:
            found = expectations(
                customers,
                _if_alive(run.spark, pairs, visits),
                extent.pairs,
                visits.fit.values,
                None if money is None else money.values,
            )
            rows = _of_day(found, request)
        commit = run.replace(LIFETIME_VALUE, rows, as_of_slice(as_of))
        if visits is not None and commit.rows != int(cells.total):
            raise RunFailure(
                f"lifetime value: {commit.rows:,} rows of {int(cells.total):,} customers"
            )
        classes = _replace_classes(request)
        _replace_checks(request, required(sums), extent)
        about = {"horizon_days": horizon, "history_days": extent.history_days}
        about["is_beyond_history"] = horizon > extent.history_days
        told = [
            {**about, **_row_of_visits(cells, extent, visits, classes), "refused": why_no_visits},
            {**about, **_row_of_money(spent, visits, money, classes), "refused": why_no_money},
        ]
        _replace_parameters(request, visits, money)
        run.replace_by(
            LIFETIME_MODELS, [{"as_of": as_of, **row} for row in told], as_of_slice(as_of)
        )
        step.says(f"{commit.rows:,} customers" if visits else f"refused: {why_no_visits}")


def _visits(
    cells: VisitCells, pairs: AgePairs, extent: Extent, weeks: float
) -> tuple[Outlook | None, str | None]:
    try:
        return outlook(cells, pairs, extent.history_days, weeks), None
    except Refused as refused:
        return None, str(refused)


def _money(cells: MoneyCells, visits: Outlook | None) -> tuple[Fit | None, str | None]:
    if visits is None:
        return None, _NEEDS_VISITS
    try:
        return fitted_spending(cells), None
    except Refused as refused:
        return None, str(refused)


def _if_alive(spark: SparkSession, pairs: AgePairs, visits: Outlook) -> DataFrame:
    """The pairs with their expected visits, as Arrow."""
    columns = {
        "repeats_key": pa.array(pairs.repeats_key, pa.int64()),
        "age_key": pa.array(pairs.age_key, pa.int64()),
        "visits_if_alive": pa.array(visits.visits_if_alive, pa.float64()),
    }
    return spark.createDataFrame(pa.table(columns))


def _of_day(rows: DataFrame, request: Request[LifetimeValue]) -> DataFrame:
    return rows.withColumns(
        {"as_of": F.lit(request.as_of), "horizon_days": F.lit(request.rules.horizon_days)}
    )


def _replace_classes(request: Request[LifetimeValue]) -> list[dict[str, Any]]:
    run, of_day = request.run, as_of_slice(request.as_of)
    classes = lifetime_classes(run.warehouse.read(LIFETIME_VALUE).where(of_day))
    rows = [row.asDict() for row in classes.collect()]
    run.replace_by(LIFETIME_CLASSES, rows, of_day)
    return rows


def _replace_checks(request: Request[LifetimeValue], sums: DataFrame, extent: Extent) -> None:
    """How a model of a horizon ago did since."""
    run, as_of, horizon = request.run, request.as_of, request.rules.horizon_days
    rows: list[dict[str, Any]] = []
    if extent.history_days > horizon:
        day = as_of - timedelta(days=horizon)
        then = visit_cells(customers_before(sums, day, before_horizon(horizon)), extent.cells)
        rows = check_rows(then, extent.history_days - horizon, horizon / DAYS_A_WEEK)
    same = {"as_of": as_of, "horizon_days": horizon}
    run.replace_by(LIFETIME_CHECKS, [{**same, **row} for row in rows], as_of_slice(as_of))


def _row_of_visits(
    cells: VisitCells, extent: Extent, visits: Outlook | None, classes: list[dict[str, Any]]
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model": VISITS,
        "customers": int(cells.total),
        "cells": len(cells.age),
        "cell_days": extent.cells.days,
    }
    if visits is not None:
        total = sum(one["expected_visits"] for one in classes)
        row["log_likelihood"] = visits.fit.log_likelihood
        row |= _total(total, visits.relative_error)
    return row


def _row_of_money(
    cells: MoneyCells, visits: Outlook | None, money: Fit | None, classes: list[dict[str, Any]]
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model": MONEY,
        "customers": int(cells.total),
        "cells": len(cells.mean),
        "correlation": correlation_of_money(cells),
    }
    if visits is not None and money is not None:
        total = sum(one["expected_value_cents"] for one in classes)
        error = (visits.relative_error**2 + relative_error_of_money(money) ** 2) ** 0.5
        row["log_likelihood"] = money.log_likelihood
        row |= _total(total, error)
    return row


def _total(total: float, relative_error: float) -> dict[str, float]:
    low, high = interval_around(total, relative_error)
    return {"expected_total": total, "expected_low": low, "expected_high": high}


def _replace_parameters(
    request: Request[LifetimeValue], visits: Outlook | None, money: Fit | None
) -> None:
    fits = {VISITS: None if visits is None else visits.fit, MONEY: money}
    rows = [
        {"as_of": request.as_of, **row}
        for model, fit in fits.items()
        if fit is not None
        for row in parameter_rows(model, fit)
    ]
    request.run.replace_by(LIFETIME_PARAMETERS, rows, as_of_slice(request.as_of))
