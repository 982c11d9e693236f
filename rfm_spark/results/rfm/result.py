"""RFM(R) as a result."""

from __future__ import annotations

from pydantic import Field

from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.results.declaration import Result, SettingsSection
from rfm_spark.results.rfm.customer_columns import SCORE_COLUMNS
from rfm_spark.results.rfm.job import profile_asks, score_profiles
from rfm_spark.results.rfm.panels import rfm_panels
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import (
    RECONCILIATION,
    RFM,
    RFM_BOUNDARIES,
    RFM_CELLS,
    RFM_DRIFT,
    SEGMENTS,
)
from rfm_spark.settings.section import Name

RESULT = Result(
    name="rfm",
    summary="Score customers, fit boundaries, fill cells and segments, reconcile.",
    tables=(RFM, RFM_BOUNDARIES, RFM_DRIFT, RFM_CELLS, SEGMENTS, RECONCILIATION),
    reads=(DELIVERIES, QUARANTINE, RECEIPTS),
    make=score_profiles,
    asks=profile_asks,
    rereads=True,
    section=SettingsSection(
        "rfm", dict[Name, Profile], Field(default={"purchase": Profile()}, min_length=1)
    ),
    panels=rfm_panels,
    customer_columns=SCORE_COLUMNS,
    place=10,
)
