"""RFM: values, scores, boundaries, cells and segments of a profile on a day."""

from __future__ import annotations

from pyspark.sql.types import DateType, DoubleType, IntegerType, LongType, StringType

from rfm_spark.tables.columns import (
    AS_OF,
    CUSTOMER_ID,
    F_SCORE,
    FIRST_VISIT,
    FREQUENCY,
    LAST_VISIT,
    M_SCORE,
    MONETARY_CENTS,
    PROFILE,
    R_SCORE,
    RATIOS,
    RECENCY_DAYS,
    RFM_CELL,
    RFM_TOTAL,
)
from rfm_spark.tables.model import Column, Table

VERSION = Column("boundary_version", DateType(), "Boundary set used: the day it was fitted on")
SEGMENT = Column("segment", StringType(), "Lifecycle segment")
AVERAGES = (
    Column("average_recency_days", DoubleType(), "Mean days since the last visit"),
    Column("average_frequency", DoubleType(), "Mean visits in the window"),
    Column("average_monetary_cents", DoubleType(), "Mean net amount, minor units"),
)

RFM = Table(
    name="rfm",
    grain="one customer in the population of one profile on one day",
    columns=(
        PROFILE,
        AS_OF,
        CUSTOMER_ID,
        RECENCY_DAYS,
        FREQUENCY,
        MONETARY_CENTS,
        *RATIOS,
        R_SCORE,
        F_SCORE,
        M_SCORE,
        RFM_CELL,
        RFM_TOTAL,
        SEGMENT,
        FIRST_VISIT,
        LAST_VISIT,
        VERSION,
    ),
    key=("profile", "as_of", "customer_id"),
    partition_by=("profile", "as_of"),
    sort_by=("customer_id",),
)

RFM_BOUNDARIES = Table(
    name="rfm_boundaries",
    grain="one bin of one dimension of one boundary set; bin 0 has no lower cut",
    columns=(
        PROFILE,
        Column("version", DateType(), "The day the boundary set was fitted on", required=True),
        Column("dimension", StringType(), "recency, frequency or monetary", required=True),
        Column("cut", IntegerType(), "Number of the cut, ascending; 0 for the first bin", True),
        Column("value", LongType(), "Smallest value past the cut (days, visits or minor units)"),
        Column("score", IntegerType(), "Score the bin gives", required=True),
        Column("method", StringType(), "How the cuts were chosen", required=True),
        Column("share", DoubleType(), "Share of the population that fell in the bin at fit"),
        Column("customers", LongType(), "Customers the set was fitted on", required=True),
        Column("rank_error", DoubleType(), "Largest share a cut can be away from the exact", True),
        Column("settings_digest", StringType(), "Digest of the rules the set was fitted by", True),
    ),
    key=("profile", "version", "dimension", "cut"),
    partition_by=("profile", "version"),
)

RFM_CELLS = Table(
    name="rfm_cells",
    grain="one cell of one profile on one day, empty ones too",
    columns=(
        PROFILE,
        AS_OF,
        Column("rfm_cell", StringType(), "Digits of the three scores", required=True),
        R_SCORE,
        F_SCORE,
        M_SCORE,
        Column("customers", LongType(), "Customers in the cell", required=True),
        Column("revenue_cents", LongType(), "Their net amount in the window", required=True),
        *AVERAGES,
    ),
    key=("profile", "as_of", "rfm_cell"),
    partition_by=("profile", "as_of"),
)

SEGMENTS = Table(
    name="segments",
    grain="one segment of the grid of one profile on one day, empty ones too",
    columns=(
        PROFILE,
        AS_OF,
        Column("segment", StringType(), "Lifecycle segment", required=True),
        Column("customers", LongType(), "Customers in the segment", required=True),
        Column("customer_share", DoubleType(), "Of all customers in the population"),
        Column("revenue_cents", LongType(), "Their net amount in the window", required=True),
        Column("revenue_share", DoubleType(), "Of the population's net amount"),
        *AVERAGES,
        Column("suggested_action", StringType(), "One line on what to do", required=True),
    ),
    key=("profile", "as_of", "segment"),
    partition_by=("profile", "as_of"),
)
