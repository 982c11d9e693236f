"""Clusters: features of customers, the model over them, and who belongs where."""

from __future__ import annotations

from pyspark.sql.types import (
    ArrayType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from rfm_spark.core.columns import AS_OF, CUSTOMER_ID
from rfm_spark.core.table import Column, Table
from rfm_spark.results.clusters.features.catalogue import FEATURES

WINDOW = Column("window", StringType(), "Days looked back, or all", required=True)
MODEL = Column("model", StringType(), "Name of the clustering", required=True)
NUMBERS = MapType(StringType(), DoubleType())

CUSTOMER_FEATURES = Table(
    name="customer_features",
    grain="one customer with a visit in the window",
    columns=(
        WINDOW,
        AS_OF,
        CUSTOMER_ID,
        *[Column(one.name, DoubleType(), one.comment) for one in FEATURES],
    ),
    key=("window", "as_of", "customer_id"),
    partition_by=("window", "as_of"),
    sort_by=("customer_id",),
    is_composed=True,
)

CLUSTER_MODELS = Table(
    name="cluster_models",
    grain="one clustering on one day, with all that is needed to score a new customer",
    columns=(
        MODEL,
        AS_OF,
        WINDOW,
        Column("seed", LongType(), "Seed of the initial centres", required=True),
        Column("customers", LongType(), "Customers clustered", required=True),
        Column("fitted_on", LongType(), "Customers in the sample the centres came from", True),
        Column("cost", DoubleType(), "Sum of squared distances, all customers", required=True),
        Column("variance_explained", DoubleType(), "1 - cost / total sum of squares", True),
        Column(
            "features",
            ArrayType(
                StructType(
                    [
                        StructField("feature", StringType()),
                        StructField("transform", StringType()),
                        StructField("low", DoubleType()),
                        StructField("high", DoubleType()),
                        StructField("mean", DoubleType()),
                        StructField("sd", DoubleType()),
                    ]
                )
            ),
            "Transform, winsorising bounds, mean and standard deviation of each feature",
            required=True,
        ),
    ),
    key=("model", "as_of"),
    partition_by=("model", "as_of"),
)

CLUSTERS = Table(
    name="clusters",
    grain="one cluster of one clustering on one day",
    columns=(
        MODEL,
        AS_OF,
        Column("cluster", IntegerType(), "1 has the highest revenue per customer", required=True),
        Column("persona", StringType(), "What sets it apart, in words", required=True),
        Column("customers", LongType(), "Customers in it", required=True),
        Column("customer_share", DoubleType(), "Of all customers clustered", required=True),
        Column("revenue_cents", LongType(), "Their net amount in the window", required=True),
        Column("revenue_share", DoubleType(), "Of the net amount of all customers clustered"),
        Column("revenue_per_customer_cents", DoubleType(), "revenue / customers"),
        Column("means", NUMBERS, "Mean of each feature, in its own unit", required=True),
        Column("centre", NUMBERS, "Centre in standard deviations from the average", required=True),
    ),
    key=("model", "as_of", "cluster"),
    partition_by=("model", "as_of"),
)

CLUSTER_ASSIGNMENTS = Table(
    name="cluster_assignments",
    grain="one customer in one clustering on one day",
    columns=(
        MODEL,
        AS_OF,
        CUSTOMER_ID,
        Column("cluster", IntegerType(), "Nearest centre", required=True),
        Column("distance", DoubleType(), "To its centre, in standard deviations", required=True),
        Column("runner_up", IntegerType(), "Second nearest; NULL with one cluster"),
        Column("runner_up_distance", DoubleType(), "To the second nearest centre"),
    ),
    key=("model", "as_of", "customer_id"),
    partition_by=("model", "as_of"),
    sort_by=("customer_id",),
)
