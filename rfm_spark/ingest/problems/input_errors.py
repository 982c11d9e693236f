"""Errors of the executors that the input caused, told as the user's."""

from __future__ import annotations

import re
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from rfm_spark.core.errors import UserError
from rfm_spark.storage.locations import plain

_CAUSES = {
    "CAST_INVALID_INPUT": "an expression casts text that is not of that type: use try_cast",
    "ARITHMETIC_OVERFLOW": "an expression overflows: use try_add, try_multiply or a wider type",
    "DIVIDE_BY_ZERO": "an expression divides by zero: use try_divide",
    "NUMERIC_VALUE_OUT_OF_RANGE": "an expression gives a number too large for its type",
    "CSV header does not conform": "the files have different headers, or columns in another "
    "order: give them the same, or run them one after another as they come",
    "CANNOT_PARSE_TIMESTAMP": "time_format does not fit the times",
    "INVALID_DATETIME_PATTERN": "time_format is no Spark datetime pattern; see its documentation",
    "INCONSISTENT_BEHAVIOR_CROSS_VERSION": "time_format is no pattern of today's Spark, such as "
    "yyyy-MM-dd HH:mm",
    "FAILED_READ_FILE": "a file cannot be read: it is damaged, or not of that format",
    "not a Parquet file": "a file cannot be read: it is damaged, or not of that format",
}


def explained(error: PySparkException | Py4JJavaError, source: str) -> Exception:
    """The user's error behind a failed query; the error itself where it is not the user's.

    The message of such an error can hold a customer's data, so only its kind is told, and the
    file where it names one.

    Args:
        error: as Spark raised it.
        source: whose rows were read.
    """
    condition = error.getCondition() if isinstance(error, PySparkException) else None
    text = f"{condition or ''} {error}"
    file = re.search(r"while reading file (\S+?)\.?\s", text)
    where = f"{plain(unquote(file[1]))}: " if file else ""
    for name, meaning in _CAUSES.items():
        if name in text:
            return UserError(f"[{source}] {where}{meaning}")
    return error
