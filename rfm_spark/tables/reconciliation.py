"""Reconciliation: every receipt and every cent accounted for."""

from __future__ import annotations

from pyspark.sql.types import LongType, StringType

from rfm_spark.tables.columns import AS_OF, PROFILE
from rfm_spark.tables.model import Column, Table

RECONCILIATION = Table(
    name="reconciliation",
    grain="one term of the identity for one profile on one day: "
    "`raw` equals the sum of all the others",
    columns=(
        PROFILE,
        AS_OF,
        Column("term", StringType(), "raw, or where the receipts went", required=True),
        Column("receipts", LongType(), "Versions of receipts", required=True),
        Column("net_cents", LongType(), "Their money in minor units", required=True),
    ),
    key=("profile", "as_of", "term"),
    partition_by=("profile", "as_of"),
)
