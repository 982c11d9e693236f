"""The sums of customers that the results of a day are made of, added up once for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from pyspark import StorageLevel
from pyspark.sql import DataFrame

from rfm_spark.facts.asks import Ask, united
from rfm_spark.facts.customer_sums import CustomerFacts, customer_sums
from rfm_spark.facts.tables import (
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_YEAR_EVENTS,
    CUSTOMER_YEARS,
)
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.run import Run
from rfm_spark.session import in_parts


@contextmanager
def sums_of_customers(
    run: Run, as_of: date, asks: Iterable[Ask], kept: bool
) -> Iterator[DataFrame]:
    """`customer_sums` with all that any result asks for.

    Args:
        run: the run.
        as_of: the day described.
        asks: of all results.
        kept: while the context lasts, for more than one pass over them.
    """
    asked = united(asks)
    sources = {ask.source for ask in asked}
    with_events, with_attributes = "interactions" in sources, "attributes" in sources
    facts = CustomerFacts(
        run.read(CUSTOMER_DAYS),
        run.read(CUSTOMER_YEARS),
        run.read_or_empty(CUSTOMER_DAY_EVENTS) if with_events else None,
        run.read_or_empty(CUSTOMER_YEAR_EVENTS) if with_events else None,
        run.read_or_empty(CUSTOMERS) if with_attributes else None,
        run.read_or_empty(CUSTOMER_TOTALS) if run.settings.customer_totals is not None else None,
    )
    sums = customer_sums(facts, as_of, asked, run.last_day)
    if not kept:
        yield sums
        return
    with in_parts(run.spark, run.warehouse.detail(CUSTOMER_DAYS)[1]):
        sums.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield sums
    finally:
        sums.unpersist()
