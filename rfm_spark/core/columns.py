"""Columns that several tables share, so that a word means the same everywhere."""

from __future__ import annotations

from pyspark.sql.types import DateType, StringType

from rfm_spark.core.table import Column

AS_OF = Column("as_of", DateType(), "The day the row describes; later data are not in it", True)

CUSTOMER_ID = Column("customer_id", StringType(), "Customer as delivered, trimmed", required=True)

FIRST_VISIT = Column("first_visit", DateType(), "Day of the first visit ever, up to as_of")

LAST_VISIT = Column("last_visit", DateType(), "Day of the last visit up to as_of")
