"""Clusters as a result."""

from __future__ import annotations

from rfm_spark.facts.tables import CUSTOMER_DAY_CATEGORIES, CUSTOMER_DAYS
from rfm_spark.results.clusters.customer_columns import CLUSTER_COLUMNS
from rfm_spark.results.clusters.job import (
    cluster_asks,
    cluster_misfits,
    cluster_uses,
    refresh_clusters,
)
from rfm_spark.results.clusters.page import cluster_pages
from rfm_spark.results.clusters.panels import cluster_panels
from rfm_spark.results.clusters.settings import MODELS_TYPE, Clusters
from rfm_spark.results.clusters.tables import (
    CLUSTER_ASSIGNMENTS,
    CLUSTER_CANDIDATES,
    CLUSTER_MODELS,
    CLUSTER_MOVES,
    CLUSTER_REPRESENTATIVES,
    CLUSTER_TIERS,
    CLUSTERS,
    CUSTOMER_FEATURES,
    MICRO_GROUPS,
)
from rfm_spark.results.declaration import Result, SettingsSection

RESULT = Result(
    name="clusters",
    summary="Group customers by their habits.",
    tables=(
        CUSTOMER_FEATURES,
        CLUSTER_MODELS,
        CLUSTERS,
        CLUSTER_ASSIGNMENTS,
        CLUSTER_REPRESENTATIVES,
        MICRO_GROUPS,
        CLUSTER_TIERS,
        CLUSTER_MOVES,
        CLUSTER_CANDIDATES,
    ),
    reads=(CUSTOMER_DAYS, CUSTOMER_DAY_CATEGORIES),
    make=refresh_clusters,
    asks=cluster_asks,
    section=SettingsSection("clusters", MODELS_TYPE, Clusters()),
    misfits=cluster_misfits,
    uses=cluster_uses,
    # Numbers of clusters are kept from the models of days before, whatever the rules.
    keeps_decisions=lambda _: True,
    panels=cluster_panels,
    pages=cluster_pages,
    customer_columns=CLUSTER_COLUMNS,
    of_receipts=True,
    place=20,
)
