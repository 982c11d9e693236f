"""Side by side: queries of one task each, which would leave other cores idle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar
from uuid import uuid4

from pyspark.sql import SparkSession
from pyspark.util import inheritable_thread_target

_AT_ONCE = 4
_BETWEEN_CANCELLATIONS = 0.5
"""Seconds: a thread that is between two queries would go on with the next one."""

_One = TypeVar("_One")
_Found = TypeVar("_Found")


def side_by_side(
    spark: SparkSession, work: Callable[[_One], _Found], things: Sequence[_One]
) -> list[_Found]:
    """What is found for each thing, in their order; some are worked on at once.

    Where one fails, or the run is stopped, the queries of all others are cancelled before the error
    is raised.

    Args:
        spark: the session; what this thread has set for its queries holds for theirs too.
        work: starts queries and waits for them.
        things: to work on.
    """
    if len(things) < 2:
        return [work(one) for one in things]
    context, tag = spark.sparkContext, f"side-by-side-{uuid4()}"
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        context.addJobTag(tag)
        try:
            # Each has a copy of its own: Spark writes into it.
            found = [threads.submit(_inheriting(spark, work), one) for one in things]
        finally:
            context.removeJobTag(tag)
        try:
            for one in wait(found, return_when=FIRST_EXCEPTION).done:
                one.result()  # raises what has failed, while others before it still work
            return [one.result() for one in found]
        except BaseException:
            for one in found:
                one.cancel()
            while wait(found, _BETWEEN_CANCELLATIONS).not_done:
                context.cancelJobsWithTag(tag)
            raise


def _inheriting(spark: SparkSession, work: Callable[[_One], _Found]) -> Callable[[_One], _Found]:
    wrap: object = inheritable_thread_target(spark)
    if not callable(wrap):  # the session, of Spark 4.1 without threads of the JVM for Python's
        return work
    inheriting: Callable[[_One], _Found] = wrap(work)
    return inheriting
