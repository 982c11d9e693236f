"""The revenue bridge as a result."""

from __future__ import annotations

from rfm_spark.facts.tables import CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.results.bridge.job import bridge_asks, refresh_bridge
from rfm_spark.results.bridge.page import bridge_pages
from rfm_spark.results.bridge.panels import bridge_panels
from rfm_spark.results.bridge.settings import Bridge
from rfm_spark.results.bridge.tables import REVENUE_BRIDGE
from rfm_spark.results.declaration import Result, SettingsSection
from rfm_spark.results.rfm.tables import RFM

RESULT = Result(
    name="bridge",
    summary="Tell where the change of revenue since the window before comes from.",
    tables=(REVENUE_BRIDGE,),
    reads=(RFM, CUSTOMER_DAYS, CUSTOMER_YEARS),
    make=refresh_bridge,
    asks=bridge_asks,
    section=SettingsSection("bridge", Bridge, Bridge()),
    panels=bridge_panels,
    pages=bridge_pages,
    of_receipts=True,
    of_history=True,
    place=32,
)
