"""Table `customer_totals`: what customers bought up to a day, where no receipts are delivered."""

from __future__ import annotations

from pyspark.sql.types import DateType, LongType, StringType

from rfm_spark.core.columns import CUSTOMER_ID
from rfm_spark.core.table import Column, Table

CUSTOMER_TOTALS = Table(
    name="customer_totals",
    grain="the totals of one customer up to one day, as one delivery brought them",
    columns=(
        CUSTOMER_ID,
        Column("delivery", StringType(), "Delivery the totals came from", required=True),
        Column("as_of", DateType(), "Day the totals are of, its orders included", required=True),
        Column("orders", LongType(), "Number of orders", required=True),
        Column("net_cents", LongType(), "Their money in minor units, returns subtracted", True),
        Column("first_purchase", DateType(), "Day of the first order; NULL where not delivered"),
        Column("last_purchase", DateType(), "Day of the last order; NULL without orders"),
    ),
    key=("customer_id", "delivery", "as_of"),
    sort_by=("customer_id",),
)
