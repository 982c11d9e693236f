"""Table `identities`: merges of customers as delivered."""

from __future__ import annotations

from pyspark.sql.types import DateType, StringType

from rfm_spark.core.table import Column, Table

MERGED_INTO = "merged_into"

IDENTITIES = Table(
    name="identities",
    grain="one merge of a customer into another, as one delivery brought it",
    columns=(
        Column("customer_id", StringType(), "The old id, as delivered, trimmed", required=True),
        Column(MERGED_INTO, StringType(), "The new id; the old one where undone", True),
        Column("delivery", StringType(), "Delivery the merge came from", required=True),
        Column("valid_from", DateType(), "Day of the merge; NULL where not delivered"),
    ),
    key=("customer_id", "delivery", "valid_from"),
    sort_by=("customer_id",),
)
