"""Columns that several tables share, so that a word means the same everywhere."""

from __future__ import annotations

from pyspark.sql.types import DateType, DoubleType, IntegerType, LongType, StringType

from rfm_spark.tables.model import Column

PROFILE = Column("profile", StringType(), "Name of the set of RFM rules", required=True)
AS_OF = Column("as_of", DateType(), "The day the row describes; later data are not in it", True)
CUSTOMER_ID = Column("customer_id", StringType(), "Customer as delivered, trimmed", required=True)
DAY = Column("day", DateType(), "Business day", required=True)
YEAR = Column("year", IntegerType(), "Calendar year of the business day", required=True)
GUEST_OR_CUSTOMER_ID = Column(
    "customer_id", StringType(), "Customer as delivered, trimmed; NULL holds all guests together"
)

ADDITIVE = (
    Column("receipts", LongType(), "Receipts of any sort: visits, returns and neither", True),
    Column("visits", LongType(), "Receipts that count as a visit", required=True),
    Column("returns", LongType(), "Receipts with at least one returned line", required=True),
    Column("items", LongType(), "Items bought less items returned", required=True),
    Column("net_cents", LongType(), "Money in minor units, returns and discounts subtracted", True),
    Column("gross_cents", LongType(), "Money in minor units before returns", required=True),
    Column("promo_visits", LongType(), "Visits with a promotion or coupon", required=True),
)
"""Sums that add up over days, years and customers."""

RECENCY_DAYS = Column("recency_days", IntegerType(), "Days from the last visit to as_of, >= 0")
FREQUENCY = Column("frequency", LongType(), "Visits in the window")
MONETARY_CENTS = Column("monetary_cents", LongType(), "Net amount in the window, minor units")
R_SCORE = Column("r_score", IntegerType(), "Recency score, the highest is the most recent")
F_SCORE = Column("f_score", IntegerType(), "Frequency score, the highest is the most frequent")
M_SCORE = Column("m_score", IntegerType(), "Monetary score, the highest is the most valuable")
RFM_CELL = Column("rfm_cell", StringType(), "Digits of r_score, f_score and m_score")
RFM_TOTAL = Column("rfm_total", DoubleType(), "Weighted sum of the three scores")
RATIOS = (
    Column("recency_ratio", DoubleType(), "(mean recency + 1) / (recency + 1); above 1 is better"),
    Column("frequency_ratio", DoubleType(), "Frequency / mean frequency of the population"),
    Column("monetary_ratio", DoubleType(), "Money, at least 0, / its mean over the population"),
    Column("rfmr_score", DoubleType(), "Weighted geometric mean of the three ratios"),
)
FIRST_VISIT = Column("first_visit", DateType(), "Day of the first visit ever, up to as_of")
LAST_VISIT = Column("last_visit", DateType(), "Day of the last visit up to as_of")
