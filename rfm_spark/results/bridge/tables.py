"""Where the change of revenue comes from."""

from __future__ import annotations

from pyspark.sql.types import BooleanType, IntegerType, LongType, StringType

from rfm_spark.core.columns import AS_OF
from rfm_spark.core.table import Column, Table

REVENUE_BRIDGE = Table(
    name="revenue_bridge",
    grain="the customers of one group who came or not in two windows of equal length, one after "
    "the other; the changes of a breakdown add up to that of all revenue",
    columns=(
        AS_OF,
        Column("window_days", IntegerType(), "Days of each window; the second ends on as_of", True),
        Column(
            "breakdown",
            StringType(),
            "What values are of: all, segment (of the leading profile, today) or cohort (month of "
            "the first visit)",
            required=True,
        ),
        Column("value", StringType(), "Segment or cohort (2024-05); NULL of all, and for neither"),
        Column(
            "cause",
            StringType(),
            "new, reactivated, expanded, contracted, unchanged, lost, returns (money without a "
            "visit in either window) or guests",
            required=True,
        ),
        Column(
            "is_whole",
            BooleanType(),
            "Whether the data reach back to the first day of both windows; else nearly all is new",
            required=True,
        ),
        Column("customers", LongType(), "How many; 0 of guests", required=True),
        Column("revenue_before_cents", LongType(), "Net amount in the first window", True),
        Column("revenue_cents", LongType(), "Net amount in the second window", required=True),
        Column("change_cents", LongType(), "revenue_cents - revenue_before_cents", required=True),
    ),
    key=("as_of", "window_days", "breakdown", "value", "cause"),
    partition_by=("as_of",),
)
