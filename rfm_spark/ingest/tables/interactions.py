"""Table `interactions`: versions of dated customer events that are not purchases."""

from __future__ import annotations

from pyspark.sql.types import DateType, DecimalType, StringType, TimestampType

from rfm_spark.core.columns import CUSTOMER_ID
from rfm_spark.core.table import Column, Table
from rfm_spark.ingest.tables.receipts import STATUS_COMMENT

INTERACTIONS = Table(
    name="interactions",
    grain="one version of one interaction, as one delivery brought it",
    columns=(
        Column("interaction_id", StringType(), "Source's id, or a digest of all its fields", True),
        Column("source", StringType(), "Configured source that brought it", required=True),
        Column("delivery", StringType(), "Delivery that brought this version", required=True),
        Column("status", StringType(), STATUS_COMMENT, required=True),
        CUSTOMER_ID,
        Column("kind", StringType(), "Kind of event, such as registration or click", True),
        Column("interaction_ts", TimestampType(), "Instant of the event", required=True),
        Column("business_date", DateType(), "Calendar day in the business time zone", True),
        Column("month", StringType(), "Month of business_date, as 2026-01", required=True),
        Column("value", DecimalType(18, 6), "Seconds stayed, pages or weight, where given"),
    ),
    key=("interaction_id", "delivery"),
    partition_by=("month",),
    gather=True,
    skip_by=("interaction_id", "delivery", "business_date"),
)
