"""The trace of an unforeseen failure, for experts."""

from __future__ import annotations

import sys
import traceback

from pyspark.errors import PySparkException

from rfm_spark.session import error_log


def trace_to_file(error: BaseException) -> str:
    """Keeps the trace in a file of this user alone, and tells where."""
    log = error_log()
    with log.open("a", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    return f"the details are in {log}"


def trace_to_driver_log(error: BaseException) -> str:
    """Prints where it happened: files of a driver in a cluster are gone with it, its log is kept.

    Many can read that log, and messages can quote values of customers: they are left out. What is
    printed of them is Spark's name for the error, or that of the operating system.
    """
    for one in reversed(_chain(error)):
        told = ["Traceback (most recent call last):\n", *traceback.format_tb(one.__traceback__)]
        sys.stderr.write("".join(told) + f"{type(one).__module__}.{type(one).__qualname__}")
        sys.stderr.write(f": {name}\n" if (name := _name(one)) else "\n")
    sys.stderr.flush()
    return "where is told above, in the log of the driver"


def _chain(error: BaseException) -> list[BaseException]:
    """An error, and those it was raised for."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return chain


def _name(error: BaseException) -> str | None:
    if isinstance(error, PySparkException):
        return error.getCondition()
    return error.strerror if isinstance(error, OSError) else None
