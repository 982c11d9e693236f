"""Reconciliation: where every receipt and every cent went.

Each term is counted in the table that holds it, none is a difference of others. Scores do not keep
receipts: those of scored customers are counted in the facts, and their money in the scores.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import reduce
from itertools import product
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.tables.receipts import SUPERSEDED, VOID
from rfm_spark.transforms.receipt_versions import EQUAL_LINE
from rfm_spark.transforms.rfm_values import bought_in
from rfm_spark.transforms.window import Window

RAW = "raw"
DROPPED = "dropped"
_GUESTS, _OUTSIDE, _UNSCORED, _SCORED = "guests", "outside_window", "unscored", "scored"
TERMS = (RAW, "rejected", DROPPED, SUPERSEDED, VOID, _GUESTS, _OUTSIDE, _UNSCORED, _SCORED)
"""All terms of the identity, the left side first."""
RECEIPTS_SOURCE = "receipts"
_COUNTED = ("receipts", "net_cents")
_PLACES = ("inside", "outside")


def delivered_terms(deliveries: DataFrame, quarantine: DataFrame, receipts: DataFrame) -> DataFrame:
    """The terms of raw = rejected + dropped + superseded + void + ... that all profiles share.

    Dropped lines are money without a receipt: their equals keep it.

    Args:
        deliveries: all deliveries, with what they held before any rule.
        quarantine: all rejected rows.
        receipts: all versions.

    Returns:
        One row per term that has something: `term`, `receipts` (versions), `net_cents`.
    """
    taken = deliveries.where(F.col("source") == RECEIPTS_SOURCE)
    kept_out = quarantine.where(F.col("source") == RECEIPTS_SOURCE)
    only_dropped = F.col("reasons") == F.array(F.lit(EQUAL_LINE))
    parts = [
        taken.agg(_total("receipts"), _total("net_cents")).select(
            F.lit(RAW).alias("term"), "receipts", "net_cents"
        ),
        kept_out.where(~only_dropped)
        .agg(F.count_distinct("delivery", "receipt_id").alias("receipts"), _total("net_cents"))
        .select(F.lit("rejected").alias("term"), "receipts", "net_cents"),
        kept_out.where(only_dropped)
        .agg(_total("net_cents"))
        .select(F.lit(DROPPED).alias("term"), F.lit(0).alias("receipts"), "net_cents"),
        receipts.where(F.col("status").isin(SUPERSEDED, VOID))
        .groupBy(F.col("status").alias("term"))
        .agg(F.count(F.lit(1)).alias("receipts"), _total("net_cents")),
    ]
    return reduce(DataFrame.unionByName, parts)


def placed_sums(sums: DataFrame, windows: Mapping[str, Window]) -> DataFrame:
    """What guests, scored and unscored customers did inside and outside of every profile's window.

    Args:
        sums: `customer_sums` of all these windows.
        windows: by profile.

    Returns:
        One row per `profile` and `who` (`guests`, `scored`, `unscored`) that has something:
        `receipts` (versions) and `net_cents` of its `inside` and `outside`.
    """
    parts = [
        sums.groupBy(
            F.lit(profile).alias("profile"),
            F.when(F.col("customer_id").isNull(), _GUESTS)
            .when(bought_in(window), _SCORED)
            .otherwise(_UNSCORED)
            .alias("who"),
        ).agg(
            *[
                _total(f"{name}_{place}_{window.label}", f"{name}_{place}")
                for name in _COUNTED
                for place in _PLACES
            ]
        )
        for profile, window in windows.items()
    ]
    return reduce(DataFrame.unionByName, parts)


def all_terms(
    delivered: Iterable[Row], placed: Iterable[Row], scored_cents: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Every term of every profile, also one that has nothing.

    Args:
        delivered: `delivered_terms`, which all profiles share.
        placed: `placed_sums`.
        scored_cents: by profile, what the stored rows of its scored customers add up to.

    Returns:
        One row per profile and term, in the order of TERMS: the columns of `reconciliation` but
        the day.
    """
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for profile, row in product(scored_cents, delivered):
        found[profile, row["term"]].update({name: row[name] for name in _COUNTED})
    for row, place in product(placed, _PLACES):
        term = _OUTSIDE if place == "outside" and row["who"] != _GUESTS else row["who"]
        found[row["profile"], term].update({name: row[f"{name}_{place}"] for name in _COUNTED})
    for profile, cents in scored_cents.items():
        found[profile, _SCORED]["net_cents"] = cents
    return [
        {"profile": profile, "term": term} | {name: found[profile, term][name] for name in _COUNTED}
        for profile, term in product(scored_cents, TERMS)
    ]


def _total(column: str, name: str | None = None) -> Column:
    return F.coalesce(F.sum(column), F.lit(0)).alias(name or column)
