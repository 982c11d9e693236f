"""Lifetime value as a result."""

from __future__ import annotations

from pyspark.sql import DataFrame

from rfm_spark.core.errors import UserError
from rfm_spark.facts.asks import Ask
from rfm_spark.results.declaration import CustomerColumns, Request, Result, SettingsSection
from rfm_spark.results.lifetime.asks import SO_FAR, before_horizon
from rfm_spark.results.lifetime.page import lifetime_pages
from rfm_spark.results.lifetime.panels import lifetime_panels
from rfm_spark.results.lifetime.settings import LifetimeValue
from rfm_spark.results.lifetime.tables import (
    EXPECTED_VALUE,
    EXPECTED_VISITS,
    LIFETIME_CHECKS,
    LIFETIME_CLASSES,
    LIFETIME_MODELS,
    LIFETIME_PARAMETERS,
    LIFETIME_VALUE,
    PROBABILITY_ALIVE,
)
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.storage.warehouse import as_of_slice

_COLUMNS = (PROBABILITY_ALIVE, EXPECTED_VISITS, EXPECTED_VALUE)


def lifetime_asks(rules: LifetimeValue, _: ShopSettings) -> list[Ask]:
    """What is known of customers, and was a horizon ago."""
    return [SO_FAR, before_horizon(rules.horizon_days)]


def _make(request: Request[LifetimeValue], sums: DataFrame | None) -> None:
    from rfm_spark.results.lifetime.job import refresh_lifetime  # scipy takes half a second

    refresh_lifetime(request, sums)


def _rows(request: Request[LifetimeValue]) -> DataFrame:
    run = request.run
    if not run.warehouse.rows(LIFETIME_MODELS, {"as_of": request.as_of}, ["model"]):
        raise UserError(
            f"{run.warehouse.path(LIFETIME_MODELS)}: has no rows as of {request.as_of}: run "
            "`rfm-spark lifetime` for that day first"
        )
    of_day = run.read(LIFETIME_VALUE).where(as_of_slice(request.as_of))
    return of_day.select("customer_id", *[column.name for column in _COLUMNS])


RESULT = Result(
    name="lifetime",
    summary="Tell who still comes, how often they will come, and what they will spend.",
    tables=(
        LIFETIME_VALUE,
        LIFETIME_CLASSES,
        LIFETIME_MODELS,
        LIFETIME_PARAMETERS,
        LIFETIME_CHECKS,
    ),
    make=_make,
    asks=lifetime_asks,
    rereads=True,
    section=SettingsSection("lifetime_value", LifetimeValue | None, None),
    panels=lifetime_panels,
    pages=lifetime_pages,
    customer_columns=CustomerColumns(columns=_COLUMNS, rows=_rows, reads=(LIFETIME_VALUE,)),
    of_receipts=True,
    of_history=True,
    place=36,
)
