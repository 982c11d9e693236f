"""The sums of customers that results are made of, added up once for all that need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from pyspark import StorageLevel
from pyspark.sql import DataFrame

from rfm_spark.facts.asks import Ask, united
from rfm_spark.facts.customer_sums import CustomerFacts, sums_as_of, sums_of_days
from rfm_spark.facts.merging import attributes_of_customers
from rfm_spark.facts.tables import (
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_YEAR_EVENTS,
    CUSTOMER_YEARS,
)
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.run import Run
from rfm_spark.session import in_parts
from rfm_spark.settings.shop import ShopSettings

SUMS_A_PASS = 128
"""Of one customer, which one pass over the facts adds up for as many days as that allows."""


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
    with sums_by_day(run, [as_of], asks, kept) as sums:
        yield sums[as_of]


@contextmanager
def sums_by_day(
    run: Run, days: Sequence[date], asks: Iterable[Ask], kept: bool
) -> Iterator[dict[date, DataFrame]]:
    """The same as of several days, by day, in one pass over the facts.

    Args:
        run: the run.
        days: the days described, `days_a_pass` of them at most.
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
        attributes_of_customers(run) if with_attributes else None,
        run.read_or_empty(CUSTOMER_TOTALS) if run.settings.customer_totals is not None else None,
    )
    sums = sums_of_days(facts, days, asked, run.last_day)
    by_day = {day: sums_as_of(sums, day, asked) for day in days}
    if not kept:
        yield by_day
        return
    with in_parts(run.spark, run.warehouse.detail(CUSTOMER_DAYS)[1]):
        sums.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield by_day
    finally:
        sums.unpersist()


def days_a_pass(asks: Iterable[Ask], settings: ShopSettings) -> int:
    """As of how many days one pass over the facts adds up what is asked for, at least one.

    Customers given as totals have other rows on each day, and none to add up.
    """
    if settings.customer_totals is not None:
        return 1
    measures = 1 + sum(len(ask.measures) for ask in united(asks))
    return max(SUMS_A_PASS // measures, 1)
