"""Side by side: queries of one task each, which would leave other cores idle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pyspark.sql import SparkSession
from pyspark.util import inheritable_thread_target

_AT_ONCE = 4

_One = TypeVar("_One")
_Found = TypeVar("_Found")


def side_by_side(
    spark: SparkSession, work: Callable[[_One], _Found], things: Iterable[_One]
) -> list[_Found]:
    """What is found for each thing, in their order; some are worked on at once.

    Args:
        spark: the session, whose properties of this thread hold in the others too.
        work: starts queries and waits for them.
        things: to work on.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(inheritable_thread_target(spark)(work), things))
