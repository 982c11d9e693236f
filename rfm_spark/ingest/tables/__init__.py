"""Tables of what was taken in, and of what was kept out."""

from __future__ import annotations

from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS

INGEST_TABLES = (RECEIPTS, INTERACTIONS, CUSTOMERS, QUARANTINE, DELIVERIES)
"""All of them."""
