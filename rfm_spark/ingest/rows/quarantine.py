"""Quarantine rows: rejected raw rows in the schema of the `quarantine` table."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.delivered import with_row_digest
from rfm_spark.ingest.rows.rules import DROPPED, SEPARATOR


def quarantine_rows(rows: DataFrame) -> DataFrame:
    """Rejected rows in the schema of the `quarantine` table.

    Args:
        rows: one row per rejected raw row: `source`, `delivery`, `file`, `raw`, `reasons`, and
            for receipts `receipt_id`, where they name one `customer_id`, and where they tell money
            `cents` and `is_amount_unknown`.

    Returns:
        One row per rejected raw row: the columns of `quarantine`.
    """
    defaults: dict[str, Column] = {
        "receipt_id": F.lit(None).cast("string"),
        "cents": F.lit(0).cast("bigint"),
        "is_amount_unknown": F.lit(False),
        "customer_id": F.lit(None).cast("string"),
    }
    with_defaults = rows.withColumns({n: c for n, c in defaults.items() if n not in rows.columns})
    return with_row_digest(with_defaults, "source").select(
        "source",
        "delivery",
        "row",
        F.split("reasons", SEPARATOR).alias("reasons"),
        "receipt_id",
        F.col("cents").alias("net_cents"),
        "file",
        "raw",
        # The money of a dropped row is not in question: another row stands for it.
        (F.col("is_amount_unknown") & ~F.col("reasons").isin(*DROPPED)).alias("is_amount_unknown"),
        "customer_id",
    )
