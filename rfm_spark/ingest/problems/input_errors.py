"""Input errors: translates Spark errors that the input caused into messages for the user."""

from __future__ import annotations

import re
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from rfm_spark.core.errors import UserError
from rfm_spark.storage.locations import below, plain

_MESSAGES_BY_ERROR = {
    "CAST_INVALID_INPUT": "an expression casts text that is not of that type: use try_cast",
    "ARITHMETIC_OVERFLOW": "an expression overflows: use try_add, try_multiply or a wider type",
    "DIVIDE_BY_ZERO": "an expression divides by zero: use try_divide",
    "NUMERIC_VALUE_OUT_OF_RANGE": "an expression gives a number too large for its type",
    "CSV header does not conform": "the files have different headers, or columns in another "
    "order: give them the same, or run them one after another as they come",
    "Number of column in CSV header is not equal": "the files have different headers: give them "
    "the same columns, or run them one after another as they come",
    "CANNOT_PARSE_TIMESTAMP": "time_format does not fit the times",
    "INVALID_DATETIME_PATTERN": "time_format is no Spark datetime pattern; see its documentation",
    "INCONSISTENT_BEHAVIOR_CROSS_VERSION": "time_format is no pattern of today's Spark, such as "
    "yyyy-MM-dd HH:mm",
    "FAILED_READ_FILE": "a file cannot be read: it is damaged, or not of that format",
    "not a Parquet file": "a file cannot be read: it is damaged, or not of that format",
}


def as_user_error(
    error: PySparkException | Py4JJavaError, source: str, warehouse: str
) -> Exception:
    """User error for a failed query; the Spark error itself if the input did not cause it.

    Spark's message can contain customer data, so only its cause and the file name are repeated.

    Args:
        error: error raised by Spark.
        source: name of the source that was read, for the message.
        warehouse: where the tables are: a file of one of these is not the input's.
    """
    condition = error.getCondition() if isinstance(error, PySparkException) else None
    text = f"{condition or ''} {error}"
    file = re.search(r"while reading file (\S+?)\.?\s", text)
    read = plain(unquote(file[1])) if file else ""
    if read.startswith(below(warehouse, "")):
        return error
    location = f"{read}: " if read else ""
    for name, message in _MESSAGES_BY_ERROR.items():
        if name in text:
            return UserError(f"[{source}] {location}{message}")
    return error
