"""The habits that are features of every shop: a new one is declared here, and nowhere else."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.look_back import days_before
from rfm_spark.results.clusters.features.feature import Habit, Need

if TYPE_CHECKING:
    from rfm_spark.settings.shop import ShopSettings


def _counts_items(shop: ShopSettings) -> bool:
    columns = [feed.columns for feed in shop.feeds.values()]
    return any(one.items is not None or one.quantity is not None for one in columns)


def _tells_promotions(shop: ShopSettings) -> bool:
    return "promotion" in shop.receipt_context


CATEGORY = Need("receipts.columns.category", lambda shop: shop.has_categories)
_ITEMS = Need("receipts.columns.quantity or items", _counts_items)
_PROMOTION = Need("receipts.columns.promotion", _tells_promotions)
INTERACTIONS = Need("a section [interactions.<name>]", lambda shop: bool(shop.interactions))


def _visit_gap(_: date) -> Column:
    span = F.datediff("last_visit", "first_in_window")
    gaps = F.col("visit_days") - 1
    return F.when(gaps > 0, span / gaps).otherwise(F.col("window_days").cast("double"))


HABITS = (
    Habit(
        "recency_days",
        comment="Days since the last visit",
        value=lambda as_of: days_before(as_of, F.col("last_visit")),
        low="recent",
        high="long absent",
    ),
    Habit(
        "frequency",
        comment="Visits",
        value=lambda _: F.col("visits"),
        low="rare visits",
        high="frequent visits",
    ),
    Habit(
        "monetary_cents",
        comment="Net amount, minor units",
        value=lambda _: F.col("net_cents"),
        low="low spend",
        high="high spend",
        is_actionable=False,
    ),
    Habit(
        "tenure_days",
        comment="Days since the first visit ever",
        value=lambda as_of: days_before(as_of, F.col("first_visit")),
        low="newer customers",
        high="long-standing customers",
        is_actionable=False,
        transform="none",
    ),
    Habit(
        "average_receipt_cents",
        comment="Net amount / visits, minor units",
        value=lambda _: F.col("net_cents") / F.col("visits"),
        low="small receipts",
        high="large receipts",
        is_actionable=False,
    ),
    Habit(
        "product_range",
        comment="Different categories; NULL without categories",
        value=lambda _: F.col("categories"),
        low="narrow range",
        high="wide range",
        need=CATEGORY,
    ),
    Habit(
        "basket_size",
        comment="Items a visit",
        value=lambda _: F.col("items") / F.col("visits"),
        low="small baskets",
        high="large baskets",
        need=_ITEMS,
    ),
    Habit(
        "promotion_response",
        comment="Share of visits with a promotion or coupon",
        value=lambda _: F.col("promo_visits") / F.col("visits"),
        low="ignore promotions",
        high="love promotions",
        transform="none",
        need=_PROMOTION,
    ),
    Habit(
        "visit_gap_days",
        comment="Mean days between visit days; with one, the window",
        value=_visit_gap,
        low="short gaps",
        high="long gaps",
    ),
    Habit(
        "return_share",
        comment="Share of receipts with a return",
        value=lambda _: F.col("returns") / F.col("receipts"),
        low="few returns",
        high="many returns",
        transform="none",
    ),
    Habit(
        "touch_points",
        comment="Interactions; NULL without an interactions feed",
        value=lambda _: F.col("events"),
        low="few touch points",
        high="many touch points",
        need=INTERACTIONS,
    ),
)
"""In the order of the table's columns."""

HABIT_NAMES = tuple(habit.name for habit in HABITS)
