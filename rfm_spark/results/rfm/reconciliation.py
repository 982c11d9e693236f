"""Reconciliation: where every receipt and every cent went.

Each term is counted in the table that holds it, none is a difference of other terms. Scores do not
keep receipts: those of scored customers are counted in the facts, and their money in the scores.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import reduce
from itertools import product
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.core.look_back import LookBack
from rfm_spark.ingest.tables.receipts import SUPERSEDED, VOID
from rfm_spark.ingest.versions.receipt_versions import EQUAL_LINE
from rfm_spark.results.rfm.populations import COUNTED, GUESTS, SCORED, UNSCORED

RAW = "raw"
DROPPED = "dropped"
_OUTSIDE = "outside_window"
TERMS = (RAW, "rejected", DROPPED, SUPERSEDED, VOID, GUESTS, _OUTSIDE, UNSCORED, SCORED)
"""All terms of the identity, the left side first."""
RECEIPTS_SOURCE = "receipts"


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


def all_terms(
    delivered: Iterable[Row],
    totals: Iterable[Row],
    windows: Mapping[str, LookBack],
    scored_cents: Mapping[str, int],
) -> list[dict[str, Any]]:
    """Every term of every profile, also one that has nothing.

    Args:
        delivered: `delivered_terms`, which all profiles share.
        totals: `window_totals`.
        windows: by profile.
        scored_cents: by profile, what the stored rows of its scored customers add up to.

    Returns:
        One row per profile and term, in the order of TERMS: the columns of `reconciliation` but
        the day.
    """
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for profile, row in product(windows, delivered):
        found[profile, row["term"]].update({name: row[name] for name in COUNTED})
    for profile, row in product(windows, totals):
        if row["window"] == windows[profile].label:
            whole = Counter({name: row[name] for name in COUNTED})
            inside = Counter({name: row[f"{name}_inside"] for name in COUNTED})
            if row["who"] == GUESTS:
                found[profile, GUESTS].update(whole)
            else:
                found[profile, row["who"]].update(inside)
                found[profile, _OUTSIDE].update(whole)
                found[profile, _OUTSIDE].subtract(inside)
    for profile, cents in scored_cents.items():
        found[profile, SCORED]["net_cents"] = cents
    return [
        {"profile": profile, "term": term} | {name: found[profile, term][name] for name in COUNTED}
        for profile, term in product(windows, TERMS)
    ]


def _total(column: str) -> Column:
    return F.coalesce(F.sum(column), F.lit(0)).alias(column)
