"""RFM: values, scores, boundaries, cells and segments of a profile on a day."""

from __future__ import annotations

from pyspark.sql.types import DateType, DoubleType, IntegerType, LongType, StringType

from rfm_spark.core.columns import AS_OF, CUSTOMER_ID, FIRST_VISIT, LAST_VISIT
from rfm_spark.core.table import Column, Table

PROFILE = Column("profile", StringType(), "Name of the set of RFM rules", required=True)


RECENCY_DAYS = Column(
    "recency_days", IntegerType(), "Days from the last visit, or event of the profile, to as_of"
)


FREQUENCY = Column("frequency", LongType(), "Visits, or weighted events, in the window")


MONETARY_CENTS = Column("monetary_cents", LongType(), "Net amount in the window, minor units")


VALUE = Column(
    "value", DoubleType(), "What the monetary score is of, in `value_unit`, in the window", since=2
)


VALUE_UNIT = Column("value_unit", StringType(), "cents (minor units of money) or points", since=2)


R_SCORE = Column("r_score", IntegerType(), "Recency score, the highest is the most recent")


F_SCORE = Column("f_score", IntegerType(), "Frequency score, the highest is the most frequent")


M_SCORE = Column("m_score", IntegerType(), "Monetary score, the highest is the most valuable")


RFM_CELL = Column("rfm_cell", StringType(), "Digits of r_score, f_score and m_score")


RFM_TOTAL = Column("rfm_total", DoubleType(), "Weighted sum of the three scores")


RATIOS = (
    Column("recency_ratio", DoubleType(), "(mean recency + 1) / (recency + 1); above 1 is better"),
    Column("frequency_ratio", DoubleType(), "Frequency / mean frequency of the population"),
    Column("monetary_ratio", DoubleType(), "Value, at least 0, / its mean over the population"),
    Column("rfmr_score", DoubleType(), "Weighted geometric mean of the three ratios"),
)


VERSION = Column("boundary_version", DateType(), "Boundary set used: the day it was fitted on")
EDITION = Column(
    "boundary_edition",
    IntegerType(),
    "2 for the second set of that day; NULL for the first",
    since=3,
)
SEGMENT = Column("segment", StringType(), "Lifecycle segment")
AVERAGES = (
    Column("average_recency_days", DoubleType(), "Mean recency, of who has one"),
    Column("average_frequency", DoubleType(), "Mean frequency"),
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
        VALUE,
        VALUE_UNIT,
        EDITION,
    ),
    key=("profile", "as_of", "customer_id"),
    partition_by=("profile", "as_of"),
    sort_by=("customer_id",),
    schema_version=3,
)

WITHIN = ("within_r_score", "within_f_score")
"""Columns of `rfm_boundaries` that tell within which scores nested cuts lie."""

RFM_BOUNDARIES = Table(
    name="rfm_boundaries",
    grain="one bin of one dimension of one boundary set, where cuts are nested within one R, or R "
    "and F, score; bin 0 has no lower cut",
    columns=(
        PROFILE,
        Column("version", DateType(), "The day the boundary set was fitted on", required=True),
        Column("dimension", StringType(), "recency, frequency or monetary", required=True),
        Column("cut", IntegerType(), "Number of the cut, ascending; 0 for the first bin", True),
        Column(
            "value",
            LongType(),
            "Smallest value past the cut: days, visits or weights, minor units or millionths of a "
            "point",
        ),
        Column("score", IntegerType(), "Score the bin gives", required=True),
        Column("method", StringType(), "How the cuts were chosen", required=True),
        Column(
            "share",
            DoubleType(),
            "Share of the population that fell in the bin at fit; of nested cuts, of who has the "
            "scores they lie within",
        ),
        Column(
            "customers",
            LongType(),
            "Customers the cuts were fitted on: all, or those with the scores they lie within",
            required=True,
        ),
        Column("rank_error", DoubleType(), "Largest share a cut can be away from the exact", True),
        Column("settings_digest", StringType(), "Digest of the rules the set was fitted by", True),
        Column("collapsed", StringType(), "Of a bin that nobody fell in: why, in words", since=2),
        Column(
            "explained",
            DoubleType(),
            "Of natural: share of the sum of squares that is between the bins",
            since=3,
        ),
        Column(
            "explained_error",
            DoubleType(),
            "How much more the best cuts can explain at most",
            since=3,
        ),
        Column(
            "edition",
            IntegerType(),
            "2 for the second set of the day, of other rules or facts; NULL for the first",
            since=3,
        ),
        Column(WITHIN[0], IntegerType(), "Of nested cuts of F and M: the R of their bin", since=4),
        Column(WITHIN[1], IntegerType(), "Of nested cuts of M: the F of their bin", since=4),
    ),
    keeps_decisions=True,
    key=(
        "profile",
        "version",
        "edition",
        "dimension",
        *WITHIN,
        "cut",
    ),
    partition_by=("profile", "version"),
    schema_version=4,
)

RFM_DRIFT = Table(
    name="rfm_drift",
    grain="one dimension of one profile on one day, against the boundary set kept from before it",
    columns=(
        PROFILE,
        AS_OF,
        Column("dimension", StringType(), "recency, frequency or monetary", required=True),
        Column("version", DateType(), "The boundary set: the day it was fitted on", True),
        Column("psi", DoubleType(), "Population stability index against the shares at fit", True),
        Column("edition", IntegerType(), "Of the set, as in rfm_boundaries", since=2),
    ),
    keeps_decisions=True,
    key=("profile", "as_of", "dimension"),
    partition_by=("profile", "as_of"),
    schema_version=2,
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
        Column(
            "segment",
            StringType(),
            "Segment of the cell; where the first visit decides, both: 'New / Returned'. NULL in "
            "rows of 0.1.0",
            since=3,
        ),
    ),
    key=("profile", "as_of", "rfm_cell"),
    partition_by=("profile", "as_of"),
    schema_version=3,
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
        Column(
            "boundary_version", DateType(), "Boundary set used: the day it was fitted on", since=2
        ),
        Column(
            "boundary_edition",
            IntegerType(),
            "2 for the second set of that day; NULL for the first",
            since=2,
        ),
    ),
    key=("profile", "as_of", "segment"),
    partition_by=("profile", "as_of"),
    schema_version=2,
)


RECONCILIATION = Table(
    name="reconciliation",
    grain="one term of the identity for one profile on one day: "
    "`raw` equals the sum of all the others",
    columns=(
        PROFILE,
        AS_OF,
        Column("term", StringType(), "raw, or where the receipts went", required=True),
        Column("receipts", LongType(), "Versions of receipts, or rows of totals", required=True),
        Column("net_cents", LongType(), "Their money in minor units", required=True),
        Column("events", LongType(), "Interactions, of a profile that counts some", since=2),
        Column(
            "unknown_amount_rows",
            LongType(),
            "Rejected rows whose money cannot be told, and is 0 in net_cents",
            since=3,
        ),
    ),
    key=("profile", "as_of", "term"),
    partition_by=("profile", "as_of"),
    schema_version=3,
)
