"""Quarantine: rejected rows as they came, with every reason."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.delivered import with_row_digest
from rfm_spark.ingest.rows.rules import SEPARATOR


def quarantine_rows(rows: DataFrame) -> DataFrame:
    """Rejected rows in the form of the table `quarantine`.

    Args:
        rows: `source`, `delivery`, `file`, `raw`, `reasons`, and for receipts `receipt_id` and
            `cents`.
    """
    nothing: dict[str, Column] = {
        "receipt_id": F.lit(None).cast("string"),
        "cents": F.lit(0).cast("bigint"),
    }
    filled = rows.withColumns({n: c for n, c in nothing.items() if n not in rows.columns})
    return with_row_digest(filled, "source").select(
        "source",
        "delivery",
        "row",
        F.split("reasons", SEPARATOR).alias("reasons"),
        "receipt_id",
        F.col("cents").alias("net_cents"),
        "file",
        "raw",
    )
