"""How clusters and segments, and clusters and cohorts, lie across each other."""

from __future__ import annotations

from pyspark.sql.types import DoubleType, IntegerType, LongType, StringType

from rfm_spark.core.columns import AS_OF
from rfm_spark.core.table import Column, Table

CLUSTER_SEGMENTS = Table(
    name="cluster_segments",
    grain="the customers of one cluster who are in one segment, or in one cohort; those of a "
    "breakdown add up to the cluster",
    columns=(
        Column("model", StringType(), "Name of the clustering", required=True),
        AS_OF,
        Column("cluster", IntegerType(), "Its number", required=True),
        Column(
            "breakdown",
            StringType(),
            "What values are of: segment (of the leading profile) or cohort (month of the first "
            "visit)",
            required=True,
        ),
        Column("value", StringType(), "Segment, NULL of who is not scored; or cohort (2024-05)"),
        Column("customers", LongType(), "How many", required=True),
        Column("cluster_share", DoubleType(), "Of the customers of the cluster", required=True),
        Column("revenue_cents", LongType(), "Their net amount in the model's window", True),
    ),
    key=("model", "as_of", "cluster", "breakdown", "value"),
    partition_by=("model", "as_of"),
)
