"""The sums of customers that the results of a day are made of, added up once for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from pyspark import StorageLevel
from pyspark.sql import DataFrame

from rfm_spark.pipeline.context import Job
from rfm_spark.session import in_parts
from rfm_spark.tables import CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.transforms.customer_sums import Wanted, customer_sums
from rfm_spark.transforms.window import Window


@contextmanager
def sums_of_customers(
    job: Job, as_of: date, wanted: Iterable[Wanted], kept: bool
) -> Iterator[DataFrame]:
    """`customer_sums` with all that any result wants.

    Args:
        job: the run.
        as_of: the day described.
        wanted: by each result.
        kept: while the context lasts, for more than one pass over them.
    """
    days, years = job.read(CUSTOMER_DAYS), job.read(CUSTOMER_YEARS)
    sums = customer_sums(days, years, as_of, _together(wanted), job.last_day)
    if not kept:
        yield sums
        return
    with in_parts(job.spark, job.warehouse.detail(CUSTOMER_DAYS)[1]):
        sums.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield sums
    finally:
        sums.unpersist()


def _together(wanted: Iterable[Wanted]) -> Wanted:
    whole: defaultdict[Window, set[str]] = defaultdict(set)
    for one in wanted:
        for window, names in one.items():
            whole[window].update(names)
    return {window: sorted(whole[window]) for window in sorted(whole, key=lambda one: one.label)}
