"""Table `quarantine`: rejected raw rows with all rejection reasons."""

from __future__ import annotations

from pyspark.sql.types import ArrayType, BooleanType, LongType, StringType

from rfm_spark.core.table import Column, Table

QUARANTINE = Table(
    name="quarantine",
    grain="one rejected raw row of one delivery",
    columns=(
        Column("source", StringType(), "Configured source: receipts, interactions.x, ...", True),
        Column("delivery", StringType(), "Delivery that brought the row", required=True),
        Column("row", StringType(), "Digest of the raw row and its place among equal rows", True),
        Column("reasons", ArrayType(StringType()), "Names of all rules it breaks", required=True),
        Column("receipt_id", StringType(), "Receipt the row belongs to, where it names one"),
        Column(
            "net_cents", LongType(), "Money of the row in minor units; 0 where unreadable", True
        ),
        Column("file", StringType(), "File the row came from, relative to the input", True),
        Column(
            "raw",
            StringType(),
            "The raw row as JSON text; a keyed digest of it where its customer was forgotten",
            required=True,
        ),
        Column(
            "is_amount_unknown",
            BooleanType(),
            "Whether it should tell money, which cannot be read; then 0 in net_cents",
            since=2,
        ),
        Column(
            "customer_id",
            StringType(),
            "Customer the row names, where that can be read; NULL in rows of older releases",
            since=3,
        ),
    ),
    key=("source", "delivery", "row"),
    partition_by=("source",),
    skip_by=("delivery",),
    schema_version=3,
)
