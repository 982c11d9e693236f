"""Reconciliation: where every receipt and every cent went.

Each term is counted in the table that holds it, none is a difference of others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.tables.receipts import SUPERSEDED, VOID
from rfm_spark.transforms.receipt_versions import EQUAL_LINE
from rfm_spark.transforms.window import Window

RAW = "raw"
DROPPED = "dropped"
_PLACES = ("guests", "outside_window", "unscored", "scored")
TERMS = (RAW, "rejected", DROPPED, SUPERSEDED, VOID, *_PLACES)
"""All terms of the identity, the left side first."""
RECEIPTS_SOURCE = "receipts"
_COUNTED = ("receipts", "net_cents")


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


def placed_terms(sums: DataFrame, rfm: DataFrame, windows: Mapping[str, Window]) -> DataFrame:
    """The terms ... + guests + outside_window + unscored + scored of every profile.

    Args:
        sums: `customer_sums` of all these windows.
        rfm: `rfm` of the profiles on the same day.
        windows: by profile.

    Returns:
        One row per `profile` and `term` that has something: `receipts` (versions), `net_cents`.
    """
    flags = {profile: f"is_scored_{number}" for number, profile in enumerate(windows)}
    scored = rfm.groupBy("customer_id").agg(
        *[F.max(F.col("profile") == profile).alias(flag) for profile, flag in flags.items()]
    )
    is_guest = F.col("customer_id").isNull()
    parts = [
        F.struct(
            F.lit(profile).alias("profile"),
            F.when(is_guest, "guests").otherwise(term).alias("term"),
            *[F.col(f"{name}_{where}_{window.label}").alias(name) for name in _COUNTED],
        )
        for profile, window in windows.items()
        for where, term in (
            ("inside", F.when(F.col(flags[profile]), "scored").otherwise("unscored")),
            ("outside", F.lit("outside_window")),
        )
    ]
    placed = sums.join(scored, "customer_id", "left").select(F.inline(F.array(*parts)))
    return placed.groupBy("profile", "term").agg(*[_total(name) for name in _COUNTED])


def all_terms(
    profiles: Collection[str], delivered: Iterable[Row], placed: Iterable[Row]
) -> list[dict[str, Any]]:
    """Every term of every profile, also one that has nothing.

    Args:
        profiles: their names.
        delivered: `delivered_terms`, which all of them share.
        placed: `placed_terms`.

    Returns:
        One row per profile and term, in the order of TERMS: the columns of `reconciliation` but
        the day.
    """
    found = {(profile, row["term"]): row for profile in profiles for row in delivered}
    found |= {(row["profile"], row["term"]): row for row in placed}
    return [
        {"profile": profile, "term": term}
        | {name: found[profile, term][name] if (profile, term) in found else 0 for name in _COUNTED}
        for profile in profiles
        for term in TERMS
    ]


def _total(column: str) -> Column:
    return F.coalesce(F.sum(column), F.lit(0)).alias(column)
