"""Version order: which of several rows of one receipt the shop wrote last."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NullType, NumericType, StringType

from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day

_TYPE = "DECIMAL(38,9)"

LAST_OF_ALL = Decimal("9" * 29)
"""Order of a version that cannot be read: it may be the last, so no other is taken for it."""


def version_order(
    version: Column, data_type: DataType, time_format: str | None, calendar: Calendar
) -> Column:
    """Order of a delivered version: a number as it is, a time by its microseconds.

    Args:
        version: the delivered column.
        data_type: type of the column: a number, a time or text of either; NullType if not mapped.
        time_format: Spark datetime pattern of text times; None for ISO 8601.
        calendar: time zone of times that name none.

    Returns:
        A DECIMAL Column; NULL, which comes before all others, where nothing was delivered, or
        where it is neither a number nor a time.
    """
    if isinstance(data_type, NullType):
        return F.lit(None).cast(_TYPE)
    number = version.try_cast(_TYPE)
    if isinstance(data_type, NumericType):
        return number
    instant, _ = instant_and_day(version, data_type, time_format, calendar)
    microseconds = F.unix_micros(instant).cast(_TYPE)
    return F.coalesce(number, microseconds) if isinstance(data_type, StringType) else microseconds
