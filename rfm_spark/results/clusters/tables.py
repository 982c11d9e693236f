"""Clusters: features of customers, the model over them, and who belongs where."""

from __future__ import annotations

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DateType,
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
from rfm_spark.results.clusters.features.catalogue import HABITS
from rfm_spark.results.clusters.features.feature import FURTHER

WINDOW = Column("window", StringType(), "Days looked back, or all", required=True)
MODEL = Column("model", StringType(), "Name of the clustering", required=True)
NUMBERS = MapType(StringType(), DoubleType())

NEARNESS = (
    Column("ideal_cluster", IntegerType(), "That a near-ideal one is nearest to", since=2),
    Column(
        "improve",
        NUMBERS,
        "What its mean lacks of that of the ideal cluster, by actionable feature, in its own unit",
        since=2,
    ),
    Column(
        "half_way_cents",
        LongType(),
        "Customers x what they spend less than those of the ideal cluster / 2: arithmetic, not a "
        "forecast",
        since=2,
    ),
)

CUSTOMER_FEATURES = Table(
    name="customer_features",
    grain="one customer with a visit in the window",
    columns=(
        WINDOW,
        AS_OF,
        CUSTOMER_ID,
        *[Column(one.name, DoubleType(), one.comment) for one in HABITS],
        Column(
            "first_half_cents",
            LongType(),
            "Net amount in the first half of the window; of all history, in the year before the "
            "last",
            since=2,
        ),
        Column(
            "second_half_cents",
            LongType(),
            "The same in its second half; of all history, in the last year",
            since=2,
        ),
        Column(
            FURTHER,
            NUMBERS,
            "Features that `clusters.features` names with a colon, by their names: those that the "
            "customer has a value of; one_hot:NAME=VALUE is 1 for the value it has",
            since=3,
        ),
    ),
    key=("window", "as_of", "customer_id"),
    partition_by=("window", "as_of"),
    sort_by=("customer_id",),
    is_composed=True,
    schema_version=3,
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
        Column(
            "version",
            DateType(),
            "The day it was trained on; as_of, where it was not kept",
            since=2,
        ),
        Column(
            "edition",
            IntegerType(),
            "2 for the second model of that day, beside the first, which other days use; NULL for "
            "the first",
            since=4,
        ),
        Column("rules_digest", StringType(), "Digest of the rules it was trained by", since=2),
        Column(
            "k",
            IntegerType(),
            "Clusters asked for, or chosen; 0 where all customers are alike, and have none",
            since=2,
        ),
        Column("k_reason", StringType(), "Why so many were chosen; NULL where k is given", since=2),
        Column(
            "centres",
            ArrayType(
                StructType(
                    [
                        StructField("cluster", IntegerType()),
                        StructField("position", ArrayType(DoubleType())),
                    ]
                )
            ),
            "All centres, also those nobody is nearest to, in standard deviations, features in the "
            "order of `features`",
            since=2,
        ),
        Column(
            "shares",
            ArrayType(DoubleType()),
            "Of the customers it was trained on, nearest to each centre",
            since=2,
        ),
        Column(
            "drift",
            DoubleType(),
            "Of a model that was kept: population stability index of the shares of clusters",
            since=2,
        ),
        Column("last_number", IntegerType(), "Highest number a cluster of it has had", since=2),
        Column("outlier_distance", DoubleType(), "Beyond it is an outlier", since=2),
        Column(
            "start_costs",
            ArrayType(DoubleType()),
            "Of each start, the sum of squared distances of all customers before any pass",
            since=2,
        ),
        Column(
            "pass_costs", ArrayType(DoubleType()), "The same after each pass of the best", since=2
        ),
        Column(
            "group_cuts",
            ArrayType(ArrayType(DoubleType())),
            "Where each feature is cut for micro-groups, in its own unit, lower-inclusive",
            since=2,
        ),
        Column("micro_groups", LongType(), "Micro-groups with customers", since=2),
        Column(
            "missing_values",
            ArrayType(DoubleType()),
            "What counts for who has no value of a feature, in its own unit; NULL where everybody "
            "has one",
            since=3,
        ),
        Column("possible_micro_groups", DoubleType(), "As many as there could be", since=2),
        Column(
            "is_whole",
            BooleanType(),
            "False from the time a day begins to be made again until all its tables are written: "
            "they may be of two models",
            since=4,
        ),
        Column(
            "ranked_values",
            ArrayType(ArrayType(DoubleType())),
            "Of each feature that is ranked, the values in the middle of 1,024 equal steps of rank "
            "of those the model was trained on, in its own unit, ascending; NULL of others",
            since=5,
        ),
    ),
    key=("model", "as_of"),
    partition_by=("model", "as_of"),
    keeps_decisions=True,
    schema_version=5,
)

TRAINED = (
    "version",
    "edition",
    "rules_digest",
    "window",
    "seed",
    "k",
    "k_reason",
    "fitted_on",
    "features",
    "centres",
    "shares",
    "outlier_distance",
    "start_costs",
    "pass_costs",
    "group_cuts",
    "missing_values",
    "ranked_values",
    "possible_micro_groups",
    "last_number",
)
"""Columns of `cluster_models` that stay as they are while a model is kept."""

CLUSTERS = Table(
    name="clusters",
    grain="one cluster of one clustering on one day",
    columns=(
        MODEL,
        AS_OF,
        Column(
            "cluster",
            IntegerType(),
            "Its number: at first 1 has the highest revenue per customer, then it is kept",
            required=True,
        ),
        Column("persona", StringType(), "What sets it apart, in words", required=True),
        Column(
            "description",
            StringType(),
            "The features that stand out most: mean, mean of all, and the effect size: how far the "
            "centre lies from the average, in standard deviations",
            since=2,
        ),
        Column("customers", LongType(), "Customers in it", required=True),
        Column("customer_share", DoubleType(), "Of all customers clustered", required=True),
        Column("revenue_cents", LongType(), "Their net amount in the window", required=True),
        Column("revenue_share", DoubleType(), "Of the net amount of all customers clustered"),
        Column("revenue_per_customer_cents", DoubleType(), "revenue / customers"),
        Column("outliers", LongType(), "Customers far from every centre", since=2),
        Column("first_half_cents", LongType(), "Net amount in the window's first half", since=2),
        Column("second_half_cents", LongType(), "The same in its second half", since=2),
        Column(
            "tier",
            StringType(),
            "ideal, near_ideal, low_potential or regular, the first that fits",
            since=2,
        ),
        *NEARNESS,
        Column("means", NUMBERS, "Mean of each feature, in its own unit", required=True),
        Column("centre", NUMBERS, "Centre in standard deviations from the average", required=True),
    ),
    key=("model", "as_of", "cluster"),
    partition_by=("model", "as_of"),
    schema_version=2,
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
        Column("margin", DoubleType(), "runner_up_distance - distance", since=2),
        Column(
            "is_outlier",
            BooleanType(),
            "Whether it is three times as far from its centre as customers are, by the root mean "
            "square of those the model was trained on",
            since=2,
        ),
    ),
    key=("model", "as_of", "customer_id"),
    partition_by=("model", "as_of"),
    sort_by=("customer_id",),
    schema_version=2,
)

CLUSTER_REPRESENTATIVES = Table(
    name="cluster_representatives",
    grain="one of the few customers nearest to the centre of one cluster on one day",
    columns=(
        MODEL,
        AS_OF,
        Column("cluster", IntegerType(), "Its number", required=True),
        Column("place", IntegerType(), "1 the nearest; of equals the first by id", required=True),
        CUSTOMER_ID,
        Column("distance", DoubleType(), "To the centre, in standard deviations", required=True),
    ),
    key=("model", "as_of", "cluster", "place"),
    partition_by=("model", "as_of"),
)

MICRO_GROUPS = Table(
    name="micro_groups",
    grain="one combination of groups of the model's features that customers occupy, on one day",
    columns=(
        MODEL,
        AS_OF,
        Column(
            "micro_group",
            StringType(),
            "The group of each feature, 1 the lowest values: a digit each, in the order of "
            "cluster_models.features",
            required=True,
        ),
        Column(
            "cluster",
            IntegerType(),
            "It was merged into: of the centre nearest to the mean of its customers",
            required=True,
        ),
        Column(
            "distance", DoubleType(), "Of that mean to that centre, in standard deviations", True
        ),
        Column("customers", LongType(), "Customers in it", required=True),
        Column("revenue_cents", LongType(), "Their net amount in the window", required=True),
        Column("revenue_per_customer_cents", DoubleType(), "revenue / customers"),
        Column("means", NUMBERS, "Mean of each feature, in its own unit", required=True),
        Column(
            "tier",
            StringType(),
            "Of its cluster; near_ideal inside a regular or low one where it is so itself",
            since=2,
        ),
        *NEARNESS,
    ),
    key=("model", "as_of", "micro_group"),
    partition_by=("model", "as_of"),
    schema_version=2,
)

CLUSTER_TIERS = Table(
    name="cluster_tiers",
    grain="one tier of one clustering on one day",
    columns=(
        MODEL,
        AS_OF,
        Column("tier", StringType(), "ideal, near_ideal, low_potential, regular", required=True),
        Column("clusters", LongType(), "Clusters of the tier", required=True),
        Column("customers", LongType(), "Customers in them", required=True),
        Column("revenue_cents", LongType(), "Their net amount in the window", required=True),
        Column(
            "half_way_cents",
            LongType(),
            "Of near_ideal clusters, the sum of theirs: arithmetic, not a forecast",
        ),
        Column(
            "micro_groups",
            LongType(),
            "Micro-groups that are of the tier themselves, inside clusters of other tiers",
            required=True,
        ),
        Column("micro_group_customers", LongType(), "Customers in these", required=True),
        Column("micro_group_revenue_cents", LongType(), "Their net amount", required=True),
        Column("micro_group_half_way_cents", LongType(), "The same of these micro-groups"),
    ),
    key=("model", "as_of", "tier"),
    partition_by=("model", "as_of"),
)

CLUSTER_MOVES = Table(
    name="cluster_moves",
    grain="customers of one model who went from one cluster to another for one cause",
    columns=(
        MODEL,
        AS_OF,
        Column("since", DateType(), "The last stored day before", required=True),
        Column("from_cluster", IntegerType(), "Then; 0 for who was in none", required=True),
        Column("to_cluster", IntegerType(), "As of the day; 0 for who is in none", required=True),
        Column(
            "cause",
            StringType(),
            "stayed; behaviour: the model of then puts them there too; model: it would leave them; "
            "both: it would put them elsewhere; entered, left: clustered on one day only",
            required=True,
        ),
        Column("customers", LongType(), "Customers", required=True),
    ),
    key=("model", "as_of", "from_cluster", "to_cluster", "cause"),
    partition_by=("model", "as_of"),
)

CLUSTER_CANDIDATES = Table(
    name="cluster_candidates",
    grain="one number of clusters that was tried when a model was trained on the day",
    columns=(
        MODEL,
        AS_OF,
        Column("k", IntegerType(), "Number of clusters", required=True),
        Column("silhouette", DoubleType(), "Mean over the sample, squared distances", True),
        Column(
            "stability",
            DoubleType(),
            "Adjusted Rand index of models of two halves of the sample, on all of it",
            required=True,
        ),
        Column("is_chosen", BooleanType(), "Whether it is the model's", required=True),
    ),
    key=("model", "as_of", "k"),
    partition_by=("model", "as_of"),
)
