"""Left-out rows: those that the filter of a source leaves out, counted by delivery."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.delivered import DELIVERY


def left_out_counts(rows: DataFrame, where: Column) -> DataFrame:
    """How many rows a filter leaves out, those apart for which it is unknown.

    Args:
        rows: one row per raw row: `typed_rows`, joined with the source's look-ups.
        where: the filter: true for rows that belong to the source.

    Returns:
        One row per delivery with rows that are left out: `delivery`, `left_out_rows`, and of these
        `left_out_unknown_rows`, for which the filter is NULL.
    """
    return (
        rows.select(F.col(DELIVERY).alias("delivery"), where.alias("belongs"))
        .where(~F.coalesce("belongs", F.lit(False)))
        .groupBy("delivery")
        .agg(
            F.count(F.lit(1)).alias("left_out_rows"),
            F.count_if(F.col("belongs").isNull()).alias("left_out_unknown_rows"),
        )
    )
