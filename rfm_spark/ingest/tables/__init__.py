"""Schemas of the tables that the ingest job writes."""

from __future__ import annotations

from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.forgotten import FORGOTTEN_CUSTOMERS
from rfm_spark.ingest.tables.identities import IDENTITIES
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS

INGEST_TABLES = (
    RECEIPTS,
    CUSTOMER_TOTALS,
    INTERACTIONS,
    CUSTOMERS,
    IDENTITIES,
    QUARANTINE,
    DELIVERIES,
    FORGOTTEN_CUSTOMERS,
)
"""All tables of the ingest job."""
