"""The rhythm of customers as a result."""

from __future__ import annotations

from pyspark.sql import DataFrame

from rfm_spark.core.errors import UserError
from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.results.declaration import CustomerColumns, Request, Result, SettingsSection
from rfm_spark.results.rhythm.job import refresh_rhythm
from rfm_spark.results.rhythm.page import rhythm_pages
from rfm_spark.results.rhythm.panels import rhythm_panels
from rfm_spark.results.rhythm.settings import Rhythm
from rfm_spark.results.rhythm.tables import (
    CUSTOMER_RHYTHM,
    CUSTOMER_STATUS,
    MEDIAN_GAP,
    MISSED,
    SECOND_PURCHASES,
    SECOND_VISIT,
    STATUS_BY_RHYTHM,
)
from rfm_spark.storage.warehouse import as_of_slice

_COLUMNS = (SECOND_VISIT, MEDIAN_GAP, STATUS_BY_RHYTHM, MISSED)


def _rows(request: Request[Rhythm]) -> DataFrame:
    run = request.run
    if not run.warehouse.rows(CUSTOMER_STATUS, {"as_of": request.as_of}, ["status"]):
        raise UserError(
            f"{run.warehouse.path(CUSTOMER_STATUS)}: has no rows as of {request.as_of}: run "
            "`rfm-spark rhythm` for that day first"
        )
    of_day = run.read(CUSTOMER_RHYTHM).where(as_of_slice(request.as_of))
    return of_day.select("customer_id", *[column.name for column in _COLUMNS])


RESULT = Result(
    name="rhythm",
    summary="Tell how regularly customers come, who is lost, and what that costs.",
    tables=(CUSTOMER_RHYTHM, CUSTOMER_STATUS, SECOND_PURCHASES),
    reads=(CUSTOMER_DAYS,),
    make=refresh_rhythm,
    section=SettingsSection("rhythm", Rhythm, Rhythm()),
    panels=rhythm_panels,
    pages=rhythm_pages,
    customer_columns=CustomerColumns(columns=_COLUMNS, rows=_rows, reads=(CUSTOMER_RHYTHM,)),
    of_receipts=True,
    of_history=True,
    place=35,
)
