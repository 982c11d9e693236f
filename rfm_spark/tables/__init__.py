"""The tables: one definition for the writer, the tests and the data dictionary."""

from __future__ import annotations

from rfm_spark.tables.clusters import (
    CLUSTER_ASSIGNMENTS,
    CLUSTER_MODELS,
    CLUSTERS,
    CUSTOMER_FEATURES,
)
from rfm_spark.tables.cohorts import COHORTS
from rfm_spark.tables.customer_360 import CUSTOMER_360
from rfm_spark.tables.customers import CUSTOMERS
from rfm_spark.tables.deliveries import DELIVERIES
from rfm_spark.tables.facts import (
    CUSTOMER_DAY_CATEGORIES,
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_YEARS,
)
from rfm_spark.tables.interactions import INTERACTIONS
from rfm_spark.tables.model import Column, Table
from rfm_spark.tables.quarantine import QUARANTINE
from rfm_spark.tables.receipts import RECEIPTS
from rfm_spark.tables.reconciliation import RECONCILIATION
from rfm_spark.tables.rfm import RFM, RFM_BOUNDARIES, RFM_CELLS, SEGMENTS
from rfm_spark.tables.runs import RUNS

ALL_TABLES: tuple[Table, ...] = (
    RECEIPTS,
    INTERACTIONS,
    CUSTOMERS,
    QUARANTINE,
    DELIVERIES,
    CUSTOMER_DAYS,
    CUSTOMER_YEARS,
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAY_CATEGORIES,
    RFM,
    RFM_BOUNDARIES,
    RFM_CELLS,
    SEGMENTS,
    RECONCILIATION,
    COHORTS,
    CUSTOMER_FEATURES,
    CLUSTER_MODELS,
    CLUSTERS,
    CLUSTER_ASSIGNMENTS,
    CUSTOMER_360,
    RUNS,
)
"""Every table of a warehouse, from the raw to the refined."""

__all__ = [
    "ALL_TABLES",
    "CLUSTERS",
    "CLUSTER_ASSIGNMENTS",
    "CLUSTER_MODELS",
    "COHORTS",
    "CUSTOMERS",
    "CUSTOMER_360",
    "CUSTOMER_DAYS",
    "CUSTOMER_DAY_CATEGORIES",
    "CUSTOMER_DAY_EVENTS",
    "CUSTOMER_FEATURES",
    "CUSTOMER_YEARS",
    "Column",
    "DELIVERIES",
    "INTERACTIONS",
    "QUARANTINE",
    "RECEIPTS",
    "RECONCILIATION",
    "RFM",
    "RFM_BOUNDARIES",
    "RFM_CELLS",
    "RUNS",
    "SEGMENTS",
    "Table",
]
