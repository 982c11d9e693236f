"""Reconciliation: where every receipt, every cent and every event went.

Each term is counted in the table that holds it, none is a difference of other terms. Scores do not
keep receipts: those of scored customers are counted in the facts, and their money in the scores.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from itertools import product
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.customer_totals import totals_by
from rfm_spark.ingest.rows.labels import is_of_receipts
from rfm_spark.ingest.rows.rules import DROPPED as DROPPED_REASONS
from rfm_spark.ingest.tables.receipts import CURRENT, FORGOTTEN, SUPERSEDED, VOID
from rfm_spark.results.rfm.populations import COUNTED, GUESTS, SCORED, UNSCORED
from rfm_spark.results.rfm.values import Basis

RAW = "raw"
DROPPED = "dropped"
_REJECTED = "rejected"
_OTHER_KINDS = "other_kinds"
_OUTSIDE = "outside_window"
TERMS = (
    RAW,
    _REJECTED,
    DROPPED,
    SUPERSEDED,
    VOID,
    FORGOTTEN,
    GUESTS,
    _OTHER_KINDS,
    _OUTSIDE,
    UNSCORED,
    SCORED,
)
"""All terms of the identity, the left side first."""
TOTALS_SOURCE = "customer_totals"
INTERACTION_SOURCES = "interactions."
_STORED = "stored"


def delivered_terms(deliveries: DataFrame, quarantine: DataFrame, receipts: DataFrame) -> DataFrame:
    """The terms of raw = rejected + dropped + superseded + ... that all profiles share.

    Dropped rows are money without a receipt: an equal or newer one of their delivery keeps it.

    Args:
        deliveries: all deliveries, with what they held before any rule.
        quarantine: all rejected rows.
        receipts: all versions.

    Returns:
        One row per term that has something: `term`, `receipts` (versions), `net_cents`.
    """
    taken = deliveries.where(is_of_receipts())
    kept_out = quarantine.where(is_of_receipts())
    only_dropped = _is_only_dropped()
    parts = [
        taken.agg(_total("receipts"), _total("net_cents")).select(
            F.lit(RAW).alias("term"), "receipts", "net_cents"
        ),
        kept_out.where(~only_dropped)
        .agg(F.count_distinct("delivery", "receipt_id").alias("receipts"), _total("net_cents"))
        .select(F.lit(_REJECTED).alias("term"), "receipts", "net_cents"),
        kept_out.where(only_dropped)
        .agg(_total("net_cents"))
        .select(F.lit(DROPPED).alias("term"), F.lit(0).alias("receipts"), "net_cents"),
        receipts.where(F.col("status").isin(SUPERSEDED, VOID, FORGOTTEN))
        .groupBy(F.col("status").alias("term"))
        .agg(F.count(F.lit(1)).alias("receipts"), _total("net_cents")),
    ]
    return reduce(DataFrame.unionByName, parts)


def totals_terms(
    deliveries: DataFrame, quarantine: DataFrame, totals: DataFrame, as_of: date
) -> DataFrame:
    """The same where customers are given as totals, of which older ones are superseded by the day.

    Args:
        deliveries: all deliveries, with what they held before any rule.
        quarantine: all rejected rows.
        totals: `customer_totals`.
        as_of: the day described.

    Returns:
        One row per term that has something: `term`, `receipts` (rows), `net_cents`.
    """
    is_of_totals = F.col("source") == TOTALS_SOURCE
    is_forgotten = F.col("reasons") == F.array(F.lit(FORGOTTEN))
    kept_out = (
        F.when(is_forgotten, FORGOTTEN).when(_is_only_dropped(), DROPPED).otherwise(_REJECTED)
    )
    older = totals_by(totals, as_of).where(F.col("status") == SUPERSEDED)
    counted = (F.count(F.lit(1)).alias("receipts"), _total("net_cents"))
    parts = [
        deliveries.where(is_of_totals)
        .agg(_total("rows"), _total("net_cents"))
        .select(F.lit(RAW).alias("term"), F.col("rows").alias("receipts"), "net_cents"),
        quarantine.where(is_of_totals).groupBy(kept_out.alias("term")).agg(*counted),
        older.groupBy(F.col("status").alias("term")).agg(*counted),
    ]
    return reduce(DataFrame.unionByName, parts)


def event_terms(interactions: DataFrame, quarantine: DataFrame) -> DataFrame:
    """The terms of interactions that all profiles share: raw is all stored or rejected.

    Args:
        interactions: all versions.
        quarantine: all rejected rows.

    Returns:
        One row per term that has something: `term`, `events`.
    """
    of_interactions = F.col("source").startswith(INTERACTION_SOURCES)
    rejected = quarantine.where(of_interactions).select(F.lit(_REJECTED).alias("term"))
    stored = interactions.select(
        F.when(F.col("status") == CURRENT, _STORED).otherwise(F.col("status")).alias("term")
    )
    return rejected.unionByName(stored).groupBy("term").agg(F.count(F.lit(1)).alias("events"))


def events_by_kind(event_years: DataFrame) -> dict[str, int]:
    """Number of current interactions of all days, by kind.

    Args:
        event_years: `customer_year_events`.
    """
    rows = event_years.groupBy("kind").agg(F.sum("events").alias("events")).collect()
    return {row["kind"]: row["events"] for row in rows}


@dataclass(frozen=True)
class Delivered:
    """What was delivered, of whatever profile.

    Attributes:
        receipts: rows of `delivered_terms`, or of `totals_terms`.
        unknown_amount_rows: rejected rows whose money cannot be told, and counts as 0.
        events: rows of `event_terms`.
        by_kind: `events_by_kind`.
    """

    receipts: Sequence[Row]
    unknown_amount_rows: int = 0
    events: Sequence[Row] = ()
    by_kind: Mapping[str, int] = field(default_factory=dict)


def all_terms(
    delivered: Delivered,
    totals: Iterable[Row],
    bases: Mapping[str, Basis],
    scored_cents: Mapping[str, int],
) -> list[dict[str, Any]]:
    """Every term of every profile, also one that has nothing.

    Args:
        delivered: which all profiles share.
        totals: `population_totals`.
        bases: by profile.
        scored_cents: by profile, what the stored rows of its scored customers add up to.

    Returns:
        One row per profile and term, in the order of TERMS: the columns of `reconciliation` but
        the day; `events` is NULL in a profile that counts none. There is no term of forgotten
        customers where none has receipts.
    """
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for profile, row in product(bases, delivered.receipts):
        found[profile, row["term"]].update({name: row[name] for name in COUNTED})
    for row in totals:
        profile, who = row["profile"], row["who"]
        whole = Counter({name: row[name] for name in COUNTED})
        inside = Counter({name: row[f"{name}_inside"] or 0 for name in COUNTED})
        if who == GUESTS:
            found[profile, GUESTS].update(whole)
        else:
            found[profile, who].update(inside)
            found[profile, _OUTSIDE].update(whole)
            found[profile, _OUTSIDE].subtract(inside)
        found[profile, who]["events"] += row["events_inside"]
        found[profile, _OUTSIDE]["events"] -= row["events_inside"]
    for profile, basis in bases.items():
        _add_events(found, profile, basis, delivered)
    for profile, cents in scored_cents.items():
        found[profile, SCORED]["net_cents"] = cents
    return [
        {
            "profile": profile,
            "term": term,
            **{name: found[profile, term][name] for name in COUNTED},
            "events": found[profile, term]["events"] if bases[profile].interactions else None,
            "unknown_amount_rows": delivered.unknown_amount_rows if term == _REJECTED else 0,
        }
        for profile, term in product(bases, TERMS)
        if (term != _OTHER_KINDS or bases[profile].interactions)
        and (term != FORGOTTEN or found[profile, term]["receipts"])
    ]


def _add_events(
    found: Mapping[tuple[str, str], Counter[str]], profile: str, basis: Basis, delivered: Delivered
) -> None:
    """Interactions that are no part of any customer's window."""
    for row in delivered.events:
        found[profile, RAW]["events"] += row["events"]
        if row["term"] != _STORED:
            found[profile, row["term"]]["events"] += row["events"]
    for kind, events in delivered.by_kind.items():
        term = _OUTSIDE if basis.counts_kind(kind) else _OTHER_KINDS
        found[profile, term]["events"] += events


def _is_only_dropped() -> Column:
    return F.col("reasons").isin(*[F.array(F.lit(reason)) for reason in DROPPED_REASONS])


def _total(column: str) -> Column:
    return F.coalesce(F.sum(column), F.lit(0)).alias(column)
