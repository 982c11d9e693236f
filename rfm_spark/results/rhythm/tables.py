"""The rhythm of customers, how soon they came again, and what the lost would have spent."""

from __future__ import annotations

from pyspark.sql.types import DateType, DoubleType, LongType, StringType

from rfm_spark.core.columns import AS_OF, CUSTOMER_ID, FIRST_VISIT
from rfm_spark.core.table import Column, Table

STATUS = Column(
    "status", StringType(), "active, or lost: away for more than lost_after_days days", True
)
STATUS_BY_RHYTHM = Column(
    "status_by_rhythm",
    StringType(),
    "active, or lost by the own rhythm; NULL with fewer than three days with a visit",
)
MEDIAN_GAP = Column(
    "median_gap_days",
    DoubleType(),
    "Median of the days from one day with a visit to the next; NULL with fewer than three",
)
SECOND_VISIT = Column("second_visit", DateType(), "Second day with a visit, up to as_of")
MISSED = Column(
    "missed_opportunity_cents",
    DoubleType(),
    "Of the lost: net amount of the 365 days up to the last visit / 365 x days since they were "
    "lost, 365 at most; NULL of the active",
)

CUSTOMER_RHYTHM = Table(
    name="customer_rhythm",
    grain="one customer with a visit up to as_of",
    columns=(
        AS_OF,
        CUSTOMER_ID,
        FIRST_VISIT,
        SECOND_VISIT,
        Column("last_visit", DateType(), "Day of the last visit up to as_of", required=True),
        Column("visit_days", LongType(), "Different days with a visit", required=True),
        MEDIAN_GAP,
        STATUS,
        STATUS_BY_RHYTHM,
        Column(
            "last_year_cents",
            LongType(),
            "Net amount of the 365 days up to the last visit",
            required=True,
        ),
        MISSED,
    ),
    key=("as_of", "customer_id"),
    partition_by=("as_of",),
    sort_by=("customer_id",),
)

CUSTOMER_STATUS = Table(
    name="customer_status",
    grain="the customers of one status by days and by rhythm",
    columns=(
        AS_OF,
        STATUS,
        STATUS_BY_RHYTHM,
        Column("customers", LongType(), "How many", required=True),
        Column("last_year_cents", LongType(), "Their sum", required=True),
        Column("missed_opportunity_cents", DoubleType(), "Their sum; NULL of the active"),
    ),
    key=("as_of", "status", "status_by_rhythm"),
    partition_by=("as_of",),
)


def _within(days: int) -> tuple[Column, ...]:
    return (
        Column(
            f"eligible_{days}", LongType(), f"Customers whose first {days} days have passed", True
        ),
        Column(f"within_{days}", LongType(), f"Of them, who came again in {days} days", True),
        Column(f"share_{days}", DoubleType(), f"within_{days} / eligible_{days}; NULL without any"),
    )


SECOND_PURCHASE_DAYS = (30, 60, 90)

SECOND_PURCHASES = Table(
    name="second_purchases",
    grain="the customers of one cohort, by month of the first visit, and all customers",
    columns=(
        AS_OF,
        Column("cohort", DateType(), "First day of the month of the first visit; NULL for all"),
        Column("customers", LongType(), "Members", required=True),
        Column("came_again", LongType(), "Members with a second day with a visit", required=True),
        Column(
            "days_median", DoubleType(), "Median days from the first to the second, of who came"
        ),
        *[column for days in SECOND_PURCHASE_DAYS for column in _within(days)],
    ),
    key=("as_of", "cohort"),
    partition_by=("as_of",),
)
