"""Table of category lift."""

from __future__ import annotations

from pyspark.sql.types import DoubleType, LongType, StringType

from rfm_spark.core.columns import AS_OF
from rfm_spark.core.table import Column, Table

CATEGORY_LIFT = Table(
    name="category_lift",
    grain="one product category among the customers of one segment or tier; of every category "
    "that somebody bought, also where nobody of the group did",
    columns=(
        AS_OF,
        Column("window", StringType(), "Days of purchases, or all", required=True),
        Column(
            "breakdown",
            StringType(),
            "What groups are of: segment (of the leading profile) or tier (of the first model of "
            "clusters)",
            required=True,
        ),
        Column("value", StringType(), "Segment or tier", required=True),
        Column("category", StringType(), "Product category", required=True),
        Column("customers", LongType(), "Of the group", required=True),
        Column("buyers", LongType(), "Of these, who kept an item of the category", required=True),
        Column("buyer_share", DoubleType(), "buyers / customers", required=True),
        Column("lift", DoubleType(), "buyer_share / that of all groups together", required=True),
        Column("lift_low", DoubleType(), "Lower end of its 95 % interval; NULL without a buyer"),
        Column("lift_high", DoubleType(), "Upper end of its 95 % interval; NULL without a buyer"),
        Column("net_cents", LongType(), "What they spent on it, returns subtracted", required=True),
    ),
    key=("as_of", "breakdown", "value", "category"),
    partition_by=("as_of",),
    sort_by=("breakdown", "value", "category"),
)
