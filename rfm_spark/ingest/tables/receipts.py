"""Table `receipts`: all accepted receipt versions, one of which is current."""

from __future__ import annotations

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DateType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from rfm_spark.core.table import Column, Table

CURRENT = "current"
SUPERSEDED = "superseded"
VOID = "void"
FORGOTTEN = "forgotten"
STATUS_COMMENT = (
    "current: the version that counts; superseded: a newer delivery replaced it; "
    "void: the newest version, by which the shop cancelled it"
)

REPLACES_OTHER = "replaces_other"
IS_FORGOTTEN = "is_forgotten"

CATEGORIES = ArrayType(
    StructType(
        [
            StructField("category", StringType()),
            StructField("items", LongType()),
            StructField("net_cents", LongType()),
        ]
    )
)

RECEIPTS = Table(
    name="receipts",
    grain="one version of one receipt, as one delivery brought it, what was brought back later "
    "apart; exactly one version of a purchase that was not voided is `current`",
    columns=(
        Column("receipt_id", StringType(), "Purchase document, as delivered, trimmed", True),
        Column("delivery", StringType(), "Delivery that brought this version", required=True),
        Column(
            "status",
            StringType(),
            f"{STATUS_COMMENT}; forgotten: of a customer who was, whatever else it would be",
            required=True,
        ),
        Column("customer_id", StringType(), "Customer as delivered, trimmed; NULL is a guest"),
        Column("receipt_ts", TimestampType(), "Instant of the earliest line", required=True),
        Column("business_date", DateType(), "Calendar day in the business time zone", True),
        Column("month", StringType(), "Month of business_date, as 2026-01", required=True),
        Column("net_cents", LongType(), "Money in minor units, returns and discounts off", True),
        Column("gross_cents", LongType(), "Money in minor units before returns", required=True),
        Column("items", LongType(), "Items bought less items returned", required=True),
        Column("lines", IntegerType(), "Lines; 1 where receipts are given as one row", True),
        Column("is_visit", BooleanType(), "Counts towards frequency and recency", required=True),
        Column("is_return", BooleanType(), "Has at least one returned line", required=True),
        Column("has_promotion", BooleanType(), "Bought with a promotion or coupon", True),
        Column("is_void", BooleanType(), "By this version the shop cancelled the receipt", True),
        Column("store_id", StringType(), "Store as delivered, where mapped"),
        Column("channel", StringType(), "Channel as delivered, where mapped"),
        Column("categories", CATEGORIES, "Items and net minor units by product category"),
        Column(
            REPLACES_OTHER,
            BooleanType(),
            "The version before it is of another customer and another day: perhaps a receipt of "
            "its own, where numbers begin again",
            since=2,
        ),
        Column(
            IS_FORGOTTEN,
            BooleanType(),
            "Whether its customer was forgotten: customer, store, channel and categories are NULL",
            since=3,
        ),
    ),
    key=("receipt_id", "delivery", "receipt_ts"),
    partition_by=("month",),
    gather=True,
    skip_by=("receipt_id", "delivery", "business_date"),
    plain=("receipt_id", "customer_id", "receipt_ts", "net_cents", "gross_cents"),
    schema_version=3,
)
