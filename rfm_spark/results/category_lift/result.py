"""Category lift as a result."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.facts.tables import CUSTOMER_DAY_CATEGORIES
from rfm_spark.results.category_lift.job import refresh_category_lift
from rfm_spark.results.category_lift.page import lift_pages
from rfm_spark.results.category_lift.panels import lift_panels
from rfm_spark.results.category_lift.settings import CategoryLift
from rfm_spark.results.category_lift.tables import CATEGORY_LIFT
from rfm_spark.results.clusters.tables import CLUSTER_ASSIGNMENTS, CLUSTERS
from rfm_spark.results.declaration import Result, SettingsSection
from rfm_spark.results.rfm.tables import RFM
from rfm_spark.settings.shop import ShopSettings


def lift_misfits(rules: CategoryLift | None, shop: ShopSettings) -> Iterator[str]:
    """A section where no categories come in."""
    if rules is not None and not shop.has_categories:
        yield "category_lift: needs receipts.columns.category"


RESULT = Result(
    name="category-lift",
    summary="Tell what the customers of each segment and tier buy more often than all.",
    tables=(CATEGORY_LIFT,),
    reads=(CUSTOMER_DAY_CATEGORIES, RFM, CLUSTERS, CLUSTER_ASSIGNMENTS),
    make=refresh_category_lift,
    section=SettingsSection("category_lift", CategoryLift | None, None),
    misfits=lift_misfits,
    panels=lift_panels,
    pages=lift_pages,
    of_receipts=True,
    of_history=True,
    place=24,
)
