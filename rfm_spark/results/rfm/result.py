"""RFM(R) as a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from rfm_spark.facts.tables import CUSTOMER_YEAR_EVENTS
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.results.declaration import Result, SettingsSection
from rfm_spark.results.rfm.boundaries.units import units_of
from rfm_spark.results.rfm.customer_columns import SCORE_COLUMNS
from rfm_spark.results.rfm.customer_numbers import SCORES_OF_CUSTOMERS
from rfm_spark.results.rfm.filters import Filter
from rfm_spark.results.rfm.job import profile_asks, score_profiles
from rfm_spark.results.rfm.page import rfm_pages
from rfm_spark.results.rfm.panels import rfm_panels
from rfm_spark.results.rfm.settings import VISITS, Profile
from rfm_spark.results.rfm.tables import (
    RECONCILIATION,
    RFM,
    RFM_BOUNDARIES,
    RFM_CELLS,
    RFM_DRIFT,
    SEGMENTS,
)
from rfm_spark.settings.section import Name
from rfm_spark.settings.shop import ShopSettings


def _implied_profiles(written: Mapping[str, Any]) -> dict[str, Any]:
    """The profiles of a shop that says nothing of them: one for what it delivers of each sort."""
    of_totals = {"window_days": "all"} if "customer_totals" in written else {}
    purchase: dict[str, Any] = {"purchase": {**of_totals}}
    engagement = {"engagement": {"events": "all", "window_days": 90, **of_totals}}
    if not written.get("interactions"):
        return purchase
    is_told = "receipts" in written or "customer_totals" in written
    return purchase | engagement if is_told else engagement


def _profile_misfits(profiles: Mapping[str, Profile], shop: ShopSettings) -> Iterator[str]:
    """Events without any source of them, filters that cannot be, and cuts of another unit."""
    leading = [name for name, profile in profiles.items() if profile.leads]
    if len(leading) > 1:
        yield f"rfm: {' and '.join(leading)} cannot lead customer_360 together: let one do it"
    attributes = shop.customers.columns.attributes if shop.customers else ()
    for name, profile in profiles.items():
        if profile.kinds and not shop.interactions:
            yield (
                f"rfm.{name}.events: {', '.join(profile.kinds)}: no [interactions] are configured "
                "that could bring them"
            )
        if not shop.tells_purchases and profile.events != "all" and VISITS in profile.events:
            yield f"rfm.{name}.events: `{VISITS}` are visits, and no [receipts] are configured"
        if shop.customer_totals is not None and profile.window_days != "all":
            yield (
                f"rfm.{name}.window_days: [customer_totals] do not tell what was bought in "
                f'{profile.window_days} days: write window_days = "all"'
            )
        if profile.filter is not None:
            for problem in Filter(profile.filter).problems(attributes):
                yield f"rfm.{name}.filter: {problem}"
        for dimension, unit in units_of(profile.basis, shop.business.money_format).items():
            for cut in getattr(profile, dimension).cuts or ():
                try:
                    unit.parsed(cut)
                except ValueError as error:
                    yield f"rfm.{name}.{dimension}.cuts: {error}"


RESULT = Result(
    name="rfm",
    summary="Score customers, fit boundaries, fill cells and segments, reconcile.",
    tables=(RFM, RFM_BOUNDARIES, RFM_DRIFT, RFM_CELLS, SEGMENTS, RECONCILIATION),
    reads=(
        DELIVERIES,
        QUARANTINE,
        RECEIPTS,
        CUSTOMER_TOTALS,
        INTERACTIONS,
        CUSTOMER_YEAR_EVENTS,
    ),
    make=score_profiles,
    asks=profile_asks,
    rereads=True,
    section=SettingsSection(
        "rfm",
        dict[Name, Profile],
        Field(
            default={"purchase": Profile()},
            min_length=1,
            description="named sets of RFM rules, of which one leads customer_360; without "
            "any, `purchase`, and where interactions are configured `engagement` as well: "
            '`events = "all"` over 90 days; with customer_totals both look at all time',
        ),
        _implied_profiles,
    ),
    misfits=_profile_misfits,
    keeps_decisions=lambda profiles: any(one.keeps_boundaries for one in profiles.values()),
    panels=rfm_panels,
    pages=rfm_pages,
    customer_columns=SCORE_COLUMNS,
    customer_numbers=SCORES_OF_CUSTOMERS,
    place=10,
)
