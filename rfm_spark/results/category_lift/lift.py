"""Lift of categories: how much more often a group buys one than all customers do."""

from __future__ import annotations

import math
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.confidence import Z
from rfm_spark.core.look_back import LookBack, in_window, in_years

_GROUP = ("breakdown", "value")


def bought_categories(categories: DataFrame, as_of: date, look_back: LookBack) -> DataFrame:
    """What customers bought in a window and kept.

    Args:
        categories: `customer_day_categories`.
        as_of: the day.
        look_back: the window.

    Returns:
        One row per `customer_id` and `category`: `is_buyer`, whether more items were bought than
        returned, and `net_cents`.
    """
    inside = in_years(as_of, look_back) & in_window("day", as_of, look_back)
    return (
        categories.where(inside & F.col("customer_id").isNotNull())
        .groupBy("customer_id", "category")
        .agg((F.sum("items") > 0).alias("is_buyer"), F.sum("net_cents").alias("net_cents"))
    )


def group_counts(groups: DataFrame, bought: DataFrame) -> tuple[DataFrame, DataFrame]:
    """How large groups are, and who of them bought what.

    Args:
        groups: one row per `customer_id` and `breakdown`: its `value`, a segment or tier.
        bought: `bought_categories`.

    Returns:
        One row per `breakdown` and `value`: `customers`. And one per these and `category`:
        `buyers`, `net_cents`.
    """
    sizes = groups.groupBy(*_GROUP).agg(F.count(F.lit(1)).alias("customers"))
    found = (
        bought.join(groups, "customer_id")
        .groupBy(*_GROUP, "category")
        .agg(F.count_if("is_buyer").alias("buyers"), F.sum("net_cents").alias("net_cents"))
    )
    return sizes, found


def category_lift(sizes: DataFrame, found: DataFrame) -> DataFrame:
    """Lift of every category that somebody bought in every group, observed zeros too.

    The interval is that of the logarithm of the ratio, by the delta method: the group and all
    others are independent samples, of which all customers together are the weighted mean.

    Args:
        sizes: the first of `group_counts`.
        found: the second.

    Returns:
        One row per `breakdown`, `value` and `category`, as the table has them.
    """
    whole = sizes.groupBy("breakdown").agg(F.sum("customers").alias("all_customers"))
    in_all = found.groupBy("breakdown", "category").agg(F.sum("buyers").alias("all_buyers"))
    every = sizes.join(in_all.where("all_buyers > 0"), "breakdown").join(whole, "breakdown")
    counted = every.join(found, [*_GROUP, "category"], "left").na.fill(0, ["buyers", "net_cents"])
    share = F.col("buyers") / F.col("customers")
    lift = share / (F.col("all_buyers") / F.col("all_customers"))
    spread = F.exp(Z * F.sqrt(_log_variance()))
    has_buyers = F.col("buyers") > 0
    return counted.select(
        *_GROUP,
        "category",
        "customers",
        "buyers",
        share.alias("buyer_share"),
        lift.alias("lift"),
        F.when(has_buyers, lift / spread).alias("lift_low"),
        F.when(has_buyers, lift * spread).alias("lift_high"),
        "net_cents",
    )


def _log_variance() -> Column:
    """Variance of the logarithm of the lift of a group that has buyers.

    Half a buyer and half a customer who is none are added to each share: where all of a few buy,
    or none, the interval would else be a point.
    """
    customers, everybody = F.col("customers"), F.col("all_customers")
    others = everybody - customers
    weight = customers / everybody
    own = (F.col("buyers") + 0.5) / (customers + 1)
    share = (F.col("all_buyers") + 0.5) / (everybody + 1)
    rest = (F.col("all_buyers") - F.col("buyers") + 0.5) / (others + 1)
    by_own = F.pow(1 / own - weight / share, F.lit(2.0)) * own * (1 - own) / customers
    by_rest = F.pow((1 - weight) / share, F.lit(2.0)) * rest * (1 - rest)
    return by_own + F.when(others > 0, by_rest / others).otherwise(0.0)


def share_ratio(
    buyers: int, customers: int, other_buyers: int, other_customers: int
) -> tuple[float, float, float] | None:
    """How many times as often one group buys as another one, with its 95 % interval.

    Katz, Baptista, Azen and Pike 1978: the logarithm of a ratio of two shares is nearly normal.
    Its variance is that of half a buyer more in each group, so that no interval is a point.

    Returns:
        The ratio and both ends; None where one of the groups has no buyer.

    >>> [round(one, 3) for one in share_ratio(30, 100, 10, 100)]
    [3.0, 1.575, 5.715]
    """
    if not buyers or not other_buyers:
        return None
    ratio = buyers / customers / (other_buyers / other_customers)
    counts = (buyers, customers, other_buyers, other_customers)
    of_buyers, of_all, of_others, of_all_others = (1 / (count + 0.5) for count in counts)
    spread = math.exp(Z * math.sqrt(of_buyers - of_all + of_others - of_all_others))
    return ratio, ratio / spread, ratio * spread
