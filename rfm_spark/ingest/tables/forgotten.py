"""Table `forgotten_customers`: who is to be kept out, by keyed hashes of their ids."""

from __future__ import annotations

from pyspark.sql.types import DateType, StringType

from rfm_spark.core.table import Column, Table

FORGOTTEN_CUSTOMERS = Table(
    name="forgotten_customers",
    grain="one customer who was forgotten",
    columns=(
        Column("customer_hash", StringType(), "HMAC-SHA256 of the id, hexadecimal", required=True),
        Column(
            "key_check", StringType(), "What tells whether a key is the one it was made by", True
        ),
        Column(
            "forgotten_on",
            DateType(),
            "The shop's calendar day; of who is forgotten again, the last with rows left to remove",
            required=True,
        ),
    ),
    key=("customer_hash",),
    keeps_decisions=True,
)
