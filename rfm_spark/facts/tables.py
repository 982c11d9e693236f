"""Facts: small additive sums at the grain of a customer's day."""

from __future__ import annotations

from pyspark.sql.types import (
    BooleanType,
    DateType,
    DecimalType,
    IntegerType,
    LongType,
    StringType,
)

from rfm_spark.core.columns import CUSTOMER_ID
from rfm_spark.core.table import Column, Table

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

MERGED_CUSTOMERS = Table(
    name="merged_customers",
    grain="one customer id that is another one now",
    columns=(
        Column("customer_id", StringType(), "The old id, as receipts still have it", required=True),
        Column(
            "merged_into",
            StringType(),
            "Who it is in the end, whatever came between: facts and results have this id",
            required=True,
        ),
        Column("valid_from", DateType(), "Day of its own merge; NULL where not delivered"),
    ),
    key=("customer_id",),
    sort_by=("customer_id",),
    skip_by=("customer_id", "merged_into"),
)

CUSTOMER_DAYS = Table(
    name="customer_days",
    grain="one customer on one day with at least one receipt; guests are one row a day",
    columns=(GUEST_OR_CUSTOMER_ID, DAY, YEAR, *ADDITIVE),
    key=("customer_id", "day"),
    partition_by=("year",),
    sort_by=("customer_id", "day"),
    plain=("customer_id", "day", *(column.name for column in ADDITIVE)),
)

CUSTOMER_YEARS = Table(
    name="customer_years",
    grain="one customer in one calendar year; guests are one row a year",
    columns=(
        GUEST_OR_CUSTOMER_ID,
        YEAR,
        *ADDITIVE,
        Column("visit_days", LongType(), "Different days with a visit", required=True),
        Column("first_visit", DateType(), "Day of the first visit in the year"),
        Column("last_visit", DateType(), "Day of the last visit in the year"),
    ),
    key=("customer_id", "year"),
    partition_by=("year",),
    sort_by=("customer_id",),
)

EVENT_SUMS = (
    Column("events", LongType(), "Number of events", required=True),
    Column("value", DecimalType(28, 6), "Sum of the events' values"),
    Column(
        "points",
        DecimalType(28, 6),
        "Sum of the events' values, where an event without one counts 1",
        since=2,
    ),
)
"""Sums of interactions that add up over days and years."""

CUSTOMER_DAY_EVENTS = Table(
    name="customer_day_events",
    grain="one kind of interaction of one customer on one day",
    columns=(
        CUSTOMER_ID,
        DAY,
        YEAR,
        Column("kind", StringType(), "Kind of event, such as registration or click", True),
        *EVENT_SUMS,
    ),
    key=("customer_id", "day", "kind"),
    partition_by=("year",),
    sort_by=("customer_id", "day", "kind"),
    schema_version=2,
)

CUSTOMER_YEAR_EVENTS = Table(
    name="customer_year_events",
    grain="one kind of interaction of one customer in one calendar year",
    columns=(
        CUSTOMER_ID,
        YEAR,
        Column("kind", StringType(), "Kind of event, such as registration or click", True),
        *EVENT_SUMS,
        Column("first_event", DateType(), "Day of the first event in the year", required=True),
        Column("last_event", DateType(), "Day of the last event in the year", required=True),
    ),
    key=("customer_id", "year", "kind"),
    partition_by=("year",),
    sort_by=("customer_id", "kind"),
    schema_version=2,
)

CUSTOMER_DAY_CATEGORIES = Table(
    name="customer_day_categories",
    grain="one product category bought by one customer on one day; guests are one row",
    columns=(
        GUEST_OR_CUSTOMER_ID,
        DAY,
        YEAR,
        Column("category", StringType(), "Product category as delivered or looked up", True),
        Column("items", LongType(), "Items bought less items returned", required=True),
        Column("net_cents", LongType(), "Money in minor units, returns subtracted", required=True),
    ),
    key=("customer_id", "day", "category"),
    partition_by=("year",),
    sort_by=("customer_id", "day", "category"),
)

ACQUISITION = (
    Column("first_store", StringType(), "Store of the first receipt; NULL where not delivered"),
    Column("first_channel", StringType(), "Channel of the first receipt; NULL where not delivered"),
    Column(
        "first_promotion",
        BooleanType(),
        "Whether the first receipt had a promotion or coupon; NULL where none are delivered",
    ),
    Column(
        "first_category",
        StringType(),
        "Product category with the most net money on the first receipt; of equals the first by "
        "name; NULL where not delivered",
    ),
)
"""How a customer was won."""

FIRST_RECEIPTS = Table(
    name="first_receipts",
    grain="the first receipt of one customer that counts as a visit",
    columns=(
        CUSTOMER_ID,
        Column("day", DateType(), "Business day of the first visit ever", required=True),
        YEAR,
        *ACQUISITION,
    ),
    key=("customer_id",),
    partition_by=("year",),
    sort_by=("customer_id",),
    skip_by=("customer_id", "day"),
)

FACT_TABLES = (
    MERGED_CUSTOMERS,
    CUSTOMER_DAYS,
    CUSTOMER_YEARS,
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_YEAR_EVENTS,
    CUSTOMER_DAY_CATEGORIES,
    FIRST_RECEIPTS,
)
"""All facts."""
