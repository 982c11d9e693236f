"""Customer 360 as a result: made of what all others add to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rfm_spark.facts.asks import EVENTS_EVER, RECEIPTS_EVER
from rfm_spark.facts.tables import (
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_YEAR_EVENTS,
    MERGED_CUSTOMERS,
)
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.customer_360.job import refresh_customer_360
from rfm_spark.results.customer_360.tables import customer_360_table
from rfm_spark.results.declaration import AnyResult, Result


def customer_360_result(others: Sequence[AnyResult]) -> Result[None]:
    """The result, with the columns of the others in their order."""
    added = [one.customer_columns for one in others if one.customer_columns is not None]
    table = customer_360_table(column for columns in added for column in columns.columns)
    return Result(
        name="customer-360",
        summary="Put together one wide row per customer; needs rfm and clusters of the same day.",
        tables=(table,),
        reads=(
            CUSTOMERS,
            MERGED_CUSTOMERS,
            CUSTOMER_DAY_EVENTS,
            CUSTOMER_YEAR_EVENTS,
            *(read for columns in added for read in columns.reads),
        ),
        make=partial(refresh_customer_360, table, others),
        asks=lambda _, __: (RECEIPTS_EVER, EVENTS_EVER),
        place=40,
    )
