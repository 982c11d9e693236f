"""Reconciliation: where every receipt and every cent went.

Each term is counted in the table that holds it, none is a difference of others.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
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


def delivered_terms(deliveries: DataFrame, quarantine: DataFrame, receipts: DataFrame) -> DataFrame:
    """The terms of raw = rejected + dropped + superseded + void + ... that all profiles share.

    Dropped lines are money without a receipt: their equals keep it.

    Args:
        deliveries: all deliveries, with what they held before any rule.
        quarantine: all rejected rows.
        receipts: all versions.

    Returns:
        One row per term: `term`, `receipts` (versions), `net_cents`.
    """
    taken = deliveries.where(F.col("source") == RECEIPTS_SOURCE)
    kept_out = quarantine.where(F.col("source") == RECEIPTS_SOURCE)
    only_dropped = F.col("reasons") == F.array(F.lit(EQUAL_LINE))
    parts = [
        taken.agg(_total("receipts", "receipts"), _total("net_cents")).select(
            F.lit(RAW).alias("term"), "receipts", "net_cents"
        ),
        kept_out.where(~only_dropped)
        .agg(F.count_distinct("delivery", "receipt_id").alias("receipts"), _total("net_cents"))
        .select(F.lit("rejected").alias("term"), "receipts", "net_cents"),
        kept_out.where(only_dropped)
        .agg(_total("net_cents"))
        .select(F.lit(DROPPED).alias("term"), F.lit(0).alias("receipts"), "net_cents"),
        _term_sums(
            receipts.select(F.col("status").alias("term"), F.lit(1).alias("receipts"), "net_cents"),
            (SUPERSEDED, VOID),
        ),
    ]
    return reduce(DataFrame.unionByName, parts)


def placed_terms(sums: DataFrame, rfm: DataFrame, window: Window) -> DataFrame:
    """The terms ... + guests + outside_window + unscored + scored of one profile.

    Args:
        sums: `customer_sums`, of this window among others.
        rfm: `rfm` of the profile on the same day.
        window: the profile's.

    Returns:
        One row per term: `term`, `receipts` (versions), `net_cents`.
    """
    measures = ("receipts", "net_cents")
    scored = rfm.select("customer_id", F.lit(True).alias("is_scored"))
    is_guest = F.col("customer_id").isNull()
    inside = F.when(F.col("is_scored"), "scored").otherwise("unscored")
    terms = {"inside": inside, "outside": F.lit("outside_window")}
    parts = [
        F.struct(
            F.when(is_guest, "guests").otherwise(term).alias("term"),
            *[F.col(f"{name}_{where}_{window.label}").alias(name) for name in measures],
        )
        for where, term in terms.items()
    ]
    placed = sums.join(scored, "customer_id", "left").select(F.inline(F.array(*parts)))
    return _term_sums(placed, _PLACES)


def _term_sums(rows: DataFrame, terms: tuple[str, ...]) -> DataFrame:
    """One row for each term, also for one that has nothing."""
    listed = F.explode(F.array(*[F.lit(term) for term in terms]))
    sums = rows.groupBy("term").agg(_total("receipts", "receipts"), _total("net_cents"))
    every = rows.sparkSession.range(1).select(listed.alias("term"))
    zero = F.lit(0)
    return every.join(sums, "term", "left").select(
        "term",
        F.coalesce("receipts", zero).alias("receipts"),
        F.coalesce("net_cents", zero).alias("net_cents"),
    )


def _total(column: str, name: str | None = None) -> Column:
    return F.coalesce(F.sum(column), F.lit(0)).alias(name or column)
