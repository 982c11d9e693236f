"""Customer 360: one wide row per known customer as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from rfm_spark.core.columns import CUSTOMER_ID
from rfm_spark.core.table import Table
from rfm_spark.facts.history import event_history
from rfm_spark.facts.merging import attributes_of_customers
from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_YEAR_EVENTS
from rfm_spark.results.customer_360.wide_rows import (
    known_customers,
    last_interactions,
    wide_rows,
)
from rfm_spark.results.declaration import AnyResult, Request, required
from rfm_spark.run import Run
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.renewal import renew
from rfm_spark.storage.warehouse import as_of_slice


def refresh_customer_360(
    table: Table,
    adding: Sequence[AnyResult],
    request: Request[None],
    sums: DataFrame | None,
) -> None:
    """Puts together everything known of each customer.

    Args:
        table: to be written.
        adding: the results that add columns, in the order of these.
        request: the run and the day.
        sums: `customer_sums` as of that day, with RECEIPTS_EVER and EVENTS_EVER.

    Raises:
        UserError: if what a result adds is not there as of the day.
    """
    run, as_of = request.run, request.as_of
    with run.progress.step("customer 360") as step:
        attributes = attributes_of_customers(run)
        known = known_customers(required(sums), attributes, _last_interactions(run, as_of), as_of)
        added = [
            (
                result.customer_columns.selected(result.rules(run.settings)),
                _rows_of(result, request),
            )
            for result in adding
            if result.customer_columns is not None
        ]
        wide = wide_rows(known, added, as_of)
        if run.warehouse.is_there(table):  # made when there were other results, perhaps
            renew(run.warehouse, table, is_made_again=True)
        commit = run.replace(table, wide, as_of_slice(as_of))
        step.says(f"{commit.rows:,} known customers")


def _last_interactions(run: Run, as_of: date) -> DataFrame | None:
    days, years = map(run.read_or_empty, (CUSTOMER_DAY_EVENTS, CUSTOMER_YEAR_EVENTS))
    if not run.warehouse.is_there(CUSTOMER_YEAR_EVENTS):
        return None
    return last_interactions(event_history(days, years, [as_of], []), as_of)


def _rows_of(result: AnyResult, request: Request[None]) -> DataFrame | None:
    columns, run = result.customer_columns, request.run
    if columns is None or columns.rows is None:
        return None
    if not result.is_made_for(run.settings):
        fields = [CUSTOMER_ID.field(), *(column.field() for column in columns.columns)]
        return local_rows(run.spark, [], StructType(fields))
    return columns.rows(Request(run, result.rules(run.settings), request.as_of))
