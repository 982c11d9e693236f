"""Lifetime value of a day: models fitted on histograms, and what they expect of every customer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.core.errors import RunFailure
from rfm_spark.core.table import Table
from rfm_spark.results.declaration import Request, required
from rfm_spark.results.lifetime.asks import before_horizon
from rfm_spark.results.lifetime.cells import (
    AgePairs,
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
from rfm_spark.results.lifetime.fitting import Counted, Models, Outlook, fitted_models
from rfm_spark.results.lifetime.rows import Row, check_rows, model_rows, parameter_rows
from rfm_spark.results.lifetime.settings import LifetimeValue
from rfm_spark.results.lifetime.tables import (
    LIFETIME_CHECKS,
    LIFETIME_CLASSES,
    LIFETIME_MODELS,
    LIFETIME_PARAMETERS,
    LIFETIME_VALUE,
    VISITS,
)
from rfm_spark.results.lifetime.visits_model import DAYS_A_WEEK
from rfm_spark.storage.warehouse import as_of_slice


def refresh_lifetime(request: Request[LifetimeValue], sums: DataFrame | None) -> None:
    """Fits both models, tells what they expect of customers, and how well a model of then did.

    Raises:
        RunFailure: if not every customer has one row; nothing is told of the models then.
    """
    with request.run.progress.step("lifetime value") as step:
        customers = customers_so_far(required(sums), request.as_of)
        counted = _counted(customers)
        horizon = request.rules.horizon_days
        models = fitted_models(counted, horizon / DAYS_A_WEEK)
        if models.visits is None:
            rows, told = 0, f"refused: {models.refused[VISITS]}"
        else:
            rows, told = int(counted.cells.total), f"{counted.cells.total:,.0f} customers"
        written = _replace_customers(request, customers, counted, models)
        if written != rows:
            raise RunFailure(f"lifetime value: {written:,} rows of {rows:,} customers")
        classes = _replace_classes(request)
        _replace(request, LIFETIME_CHECKS, _checked(request, required(sums), counted))
        _replace(request, LIFETIME_PARAMETERS, parameter_rows(models))
        _replace(request, LIFETIME_MODELS, model_rows(counted, models, horizon, classes))
        step.says(told)


def _counted(customers: DataFrame) -> Counted:
    extent = extent_of(customers)
    return Counted(
        extent,
        visit_cells(customers, extent.cells).cells,
        age_pairs(customers, extent.pairs),
        money_cells(customers),
    )


def _replace_customers(
    request: Request[LifetimeValue], customers: DataFrame, counted: Counted, models: Models
) -> int:
    """How many rows were written: none where the model of visits is refused."""
    run = request.run
    rows = run.warehouse.read_or_empty(LIFETIME_VALUE).where("false")
    if models.visits is not None:
        money = None if models.money is None else models.money.values
        if_alive = _if_alive(run.spark, counted.pairs, models.visits)
        rows = expectations(
            customers, if_alive, counted.extent.pairs, models.visits.fit.values, money
        ).withColumns(
            {"as_of": F.lit(request.as_of), "horizon_days": F.lit(request.rules.horizon_days)}
        )
    return run.replace(LIFETIME_VALUE, rows, as_of_slice(request.as_of)).rows


def _if_alive(spark: SparkSession, pairs: AgePairs, visits: Outlook) -> DataFrame:
    """The pairs with their expected visits, sent as Arrow: they are many for rows of Python."""
    columns = {
        "repeats_key": pa.array(pairs.repeats_key, pa.int64()),
        "age_key": pa.array(pairs.age_key, pa.int64()),
        "visits_if_alive": pa.array(visits.visits_if_alive, pa.float64()),
        "visit_pairs_if_alive": pa.array(visits.visit_pairs_if_alive, pa.float64()),
    }
    return spark.createDataFrame(pa.table(columns))


def _replace_classes(request: Request[LifetimeValue]) -> list[dict[str, Any]]:
    of_day = request.run.warehouse.read(LIFETIME_VALUE).where(as_of_slice(request.as_of))
    rows = [row.asDict() for row in lifetime_classes(of_day).collect()]
    _replace(request, LIFETIME_CLASSES, rows)
    return rows


def _checked(request: Request[LifetimeValue], sums: DataFrame, counted: Counted) -> list[Row]:
    """Rows of `lifetime_checks`, but for their day."""
    horizon, extent = request.rules.horizon_days, counted.extent
    if extent.history_days <= horizon:
        return []
    day = request.as_of - timedelta(days=horizon)
    then = visit_cells(customers_before(sums, day, before_horizon(horizon)), extent.cells)
    rows = check_rows(then, extent.history_days - horizon, horizon / DAYS_A_WEEK)
    return [{"horizon_days": horizon, **row} for row in rows]


def _replace(request: Request[LifetimeValue], table: Table, rows: Iterable[Row]) -> None:
    of_day = [{**row, "as_of": request.as_of} for row in rows]
    request.run.replace_by(table, of_day, as_of_slice(request.as_of))
