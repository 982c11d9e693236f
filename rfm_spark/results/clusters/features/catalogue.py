"""The features there are: a new one is declared here, and nowhere else."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.look_back import days_before
from rfm_spark.results.clusters.features.feature import Feature, Need

if TYPE_CHECKING:
    from rfm_spark.settings.shop import ShopSettings


def _counts_items(shop: ShopSettings) -> bool:
    if shop.receipts is None:
        return False
    columns = shop.receipts.columns
    return columns.items is not None or columns.quantity is not None


def _tells_promotions(shop: ShopSettings) -> bool:
    return shop.receipts is not None and shop.receipts.columns.promotion is not None


_CATEGORY = Need("receipts.columns.category", lambda shop: shop.has_categories)
_ITEMS = Need("receipts.columns.quantity or items", _counts_items)
_PROMOTION = Need("receipts.columns.promotion", _tells_promotions)
_INTERACTIONS = Need("a section [interactions.<name>]", lambda shop: bool(shop.interactions))


def _visit_gap(_: date) -> Column:
    span = F.datediff("last_visit", "first_in_window")
    gaps = F.col("visit_days") - 1
    return F.when(gaps > 0, span / gaps).otherwise(F.col("window_days").cast("double"))


FEATURES = (
    Feature(
        "recency_days",
        "Days since the last visit",
        lambda as_of: days_before(as_of, F.col("last_visit")),
        low="recent",
        high="long absent",
    ),
    Feature(
        "frequency",
        "Visits",
        lambda _: F.col("visits"),
        low="rare visits",
        high="frequent visits",
    ),
    Feature(
        "monetary_cents",
        "Net amount, minor units",
        lambda _: F.col("net_cents"),
        low="low spend",
        high="high spend",
        is_actionable=False,
    ),
    Feature(
        "tenure_days",
        "Days since the first visit ever",
        lambda as_of: days_before(as_of, F.col("first_visit")),
        low="newer customers",
        high="long-standing customers",
        is_actionable=False,
        transform="none",
    ),
    Feature(
        "average_receipt_cents",
        "Net amount / visits, minor units",
        lambda _: F.col("net_cents") / F.col("visits"),
        low="small receipts",
        high="large receipts",
        is_actionable=False,
    ),
    Feature(
        "product_range",
        "Different categories; NULL without categories",
        lambda _: F.col("categories"),
        low="narrow range",
        high="wide range",
        need=_CATEGORY,
    ),
    Feature(
        "basket_size",
        "Items a visit",
        lambda _: F.col("items") / F.col("visits"),
        low="small baskets",
        high="large baskets",
        need=_ITEMS,
    ),
    Feature(
        "promotion_response",
        "Share of visits with a promotion or coupon",
        lambda _: F.col("promo_visits") / F.col("visits"),
        low="ignore promotions",
        high="love promotions",
        transform="none",
        need=_PROMOTION,
    ),
    Feature(
        "visit_gap_days",
        "Mean days between visit days; with one, the window",
        _visit_gap,
        low="short gaps",
        high="long gaps",
    ),
    Feature(
        "return_share",
        "Share of receipts with a return",
        lambda _: F.col("returns") / F.col("receipts"),
        low="few returns",
        high="many returns",
        transform="none",
    ),
    Feature(
        "touch_points",
        "Interactions; NULL without an interactions feed",
        lambda _: F.col("events"),
        low="few touch points",
        high="many touch points",
        need=_INTERACTIONS,
    ),
)
"""In the order of the table's columns."""

FEATURE_NAMES = tuple(feature.name for feature in FEATURES)

BY_NAME = {feature.name: feature for feature in FEATURES}


def features_without_input(shop: ShopSettings) -> dict[str, str]:
    """Features that the input does not allow, and the setting that would."""
    return {
        feature.name: feature.need.setting
        for feature in FEATURES
        if feature.need is not None and not feature.need.is_met(shop)
    }
