"""Customer 360: one wide row a customer."""

from __future__ import annotations

from pyspark.sql.types import DateType, DoubleType, IntegerType, LongType, MapType, StringType

from rfm_spark.tables.columns import (
    AS_OF,
    CUSTOMER_ID,
    F_SCORE,
    FIRST_VISIT,
    FREQUENCY,
    LAST_VISIT,
    M_SCORE,
    MONETARY_CENTS,
    R_SCORE,
    RATIOS,
    RECENCY_DAYS,
    RFM_CELL,
    RFM_TOTAL,
)
from rfm_spark.tables.model import Column, Table

CUSTOMER_360 = Table(
    name="customer_360",
    grain="one known customer on one day: anyone with a receipt, an interaction or attributes",
    columns=(
        AS_OF,
        CUSTOMER_ID,
        Column("segment", StringType(), "Lifecycle segment; Lapsed or Prospect outside it", True),
        RECENCY_DAYS,
        FREQUENCY,
        MONETARY_CENTS,
        *RATIOS,
        R_SCORE,
        F_SCORE,
        M_SCORE,
        RFM_CELL,
        RFM_TOTAL,
        Column("cluster", IntegerType(), "Cluster; NULL for customers outside the window"),
        Column("persona", StringType(), "What sets the cluster apart, in words"),
        Column("cohort_month", DateType(), "First day of the month of the first visit"),
        FIRST_VISIT,
        LAST_VISIT,
        Column("lifetime_visits", LongType(), "Visits up to as_of", required=True),
        Column("lifetime_revenue_cents", LongType(), "Net amount up to as_of", required=True),
        Column("average_receipt_cents", DoubleType(), "Lifetime revenue / visits"),
        Column("interactions", LongType(), "Interactions up to as_of", required=True),
        Column("last_interaction", DateType(), "Day of the last interaction"),
        Column("attributes", MapType(StringType(), StringType()), "Attributes as delivered"),
    ),
    key=("as_of", "customer_id"),
    partition_by=("as_of",),
    sort_by=("customer_id",),
)
