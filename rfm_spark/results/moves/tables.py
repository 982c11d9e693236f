"""Moves between segments."""

from __future__ import annotations

from pyspark.sql.types import DateType, LongType, StringType

from rfm_spark.core.columns import AS_OF
from rfm_spark.core.table import Column, Table
from rfm_spark.results.rfm.tables import PROFILE

SEGMENT_MOVES = Table(
    name="segment_moves",
    grain="the customers of one profile who went from one segment to one other, or stayed, "
    "between two days for one cause; every customer of either day is in one row",
    columns=(
        PROFILE,
        AS_OF,
        Column("since", DateType(), "The earlier day", required=True),
        Column("segment_before", StringType(), "As of the earlier day; NULL for who was not in it"),
        Column("segment_after", StringType(), "As of as_of; NULL for who is not in it"),
        Column(
            "cause",
            StringType(),
            "stayed, activity, inactivity, boundary, both, rules, correction, first, returned, "
            "left or merged",
            required=True,
        ),
        Column("customers", LongType(), "How many", required=True),
        Column(
            "revenue_cents",
            LongType(),
            "Revenue at stake: their net amount in the window of the earlier day, minor units; "
            "0 for who was not in it",
            required=True,
        ),
    ),
    key=("profile", "as_of", "since", "segment_before", "segment_after", "cause"),
    partition_by=("profile", "as_of"),
)
