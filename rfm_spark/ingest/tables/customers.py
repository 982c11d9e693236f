"""Table `customers`: customer attributes as delivered, by day from which they are valid."""

from __future__ import annotations

from pyspark.sql.types import DateType, MapType, StringType

from rfm_spark.core.columns import CUSTOMER_ID
from rfm_spark.core.table import Column, Table

CUSTOMERS = Table(
    name="customers",
    grain="the attributes of one customer, as one delivery brought them, from one day on",
    columns=(
        CUSTOMER_ID,
        Column("delivery", StringType(), "Delivery the attributes came from", required=True),
        Column("valid_from", DateType(), "Day from which they hold; NULL where not delivered"),
        Column(
            "attributes",
            MapType(StringType(), StringType()),
            "Attribute name to value, as text; an absent attribute is unknown",
        ),
    ),
    key=("customer_id", "delivery", "valid_from"),
    sort_by=("customer_id",),
)
