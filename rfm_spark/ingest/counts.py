"""Counts: what deliveries held, found before anything of them is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.rules import is_bad

_FEW_MONTHS = 3
_WIDE_SHARE = 0.1
"""Of all receipts, those that deliveries of many months may have."""


@dataclass
class Count:
    """What a delivery held: columns of `deliveries`."""

    rows: int = 0
    rejected_rows: int = 0
    dropped_rows: int = 0
    receipts: int = 0
    rejected_receipts: int = 0
    net_cents: int = 0


Counts = dict[tuple[str, str], Count]
"""By source and delivery."""


@dataclass(frozen=True)
class ReceiptCounts:
    """What deliveries of receipts held.

    Attributes:
        counts: of raw rows, and of those receipts that are single.
        single_days: days on which single receipts are accepted.
        months: by delivery with single receipts the first day of the month of most of them;
            empty where deliveries hold many months each.
    """

    counts: Counts
    single_days: set[date]
    months: dict[str, date]


def row_counts(rows: DataFrame, deliveries: Iterable[tuple[str, str]]) -> Counts:
    """Counts of raw rows.

    Args:
        rows: one checked row per raw row, with `source` and `delivery`.
        deliveries: sources and names, those without rows too.
    """
    found = rows.groupBy("source", "delivery").agg(
        F.count(F.lit(1)).alias("rows"), F.count_if(is_bad()).alias("rejected_rows")
    )
    return _collected(found, deliveries)


def tallies(rows: DataFrame, has_lines: bool) -> DataFrame:
    """Raw rows of receipts counted, those that do not go straight to the table kept: in one pass.

    A single row is never dropped: the row it would equal has its id.

    Args:
        rows: one checked row per raw row, with `source`, `delivery` and `is_single`.
        has_lines: receipts are given as lines: none is kept, for all would be.

    Returns:
        One row per `source`, `delivery`, `business_date` and `kept`: a row that is rejected or not
        single, NULL for all others; with the counts of `Count`, of receipts those that are single.
    """
    single, dropped, bad = F.col("is_single"), F.col("is_dropped"), is_bad()
    alone = (single | F.col("receipt_id").isNull()) & bad & ~dropped
    kept = F.when(F.lit(not has_lines) & (~single | bad), F.struct(*rows.columns))
    return rows.groupBy("source", "delivery", "business_date", kept.alias("kept")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_if(alone).alias("rejected_rows"),
        F.count_if(dropped).alias("dropped_rows"),
        F.count_if(single).alias("receipts"),
        F.count_if(single & bad).alias("rejected_receipts"),
        F.sum("cents").alias("net_cents"),
    )


def kept_rows(found: DataFrame) -> DataFrame:
    """The rows that `tallies` kept, equal ones as often as they came."""
    of_each = F.array_repeat("kept", F.col("rows").cast("int"))
    return found.where("kept IS NOT NULL").select(F.inline(of_each))


def receipt_counts(found: DataFrame, deliveries: Iterable[tuple[str, str]]) -> ReceiptCounts:
    """Counts of raw rows, before any rule; rows of receipts that are not single come on top.

    Args:
        found: `tallies`.
        deliveries: sources and names, those without rows too.
    """
    sums = [F.sum(name).alias(name) for name in vars(Count())]
    by_day = found.groupBy("source", "delivery", "business_date").agg(*sums)
    by_day.persist()
    try:
        counts = _collected(by_day.groupBy("source", "delivery").agg(*sums), deliveries)
        accepted = by_day.where("receipts > rejected_receipts")
        days = {row[0] for row in accepted.select("business_date").distinct().collect()}
        return ReceiptCounts(counts, days, _months(accepted))
    finally:
        by_day.unpersist()


def add_versions(counts: Counts, source: str, versions: DataFrame) -> None:
    """Adds receipts that were made of several rows, and the rows that are rejected with them."""
    rejected = F.col("is_rejected")
    found = versions.groupBy("delivery").agg(
        F.count(F.lit(1)).alias("receipts"),
        F.count_if(rejected).alias("rejected_receipts"),
        F.sum(F.col("lines") * rejected.cast("bigint")).alias("rejected_rows"),
    )
    for row in found.collect():
        count = counts[source, row["delivery"]]
        count.receipts += row["receipts"]
        count.rejected_receipts += row["rejected_receipts"]
        count.rejected_rows += row["rejected_rows"]


def told(counts: Counts) -> str:
    """What came in, for a person."""
    read = sum(count.rows for count in counts.values())
    rejected = sum(count.rejected_rows for count in counts.values())
    dropped = sum(count.dropped_rows for count in counts.values())
    more = f", {rejected:,} rejected" if rejected else ""
    more += f", {dropped:,} equal lines dropped" if dropped else ""
    plural = "delivery" if len(counts) == 1 else "deliveries"
    return f"{read:,} rows from {len(counts)} {plural}{more}"


def _collected(found: DataFrame, deliveries: Iterable[tuple[str, str]]) -> Counts:
    counts = {delivery: Count() for delivery in deliveries}
    for row in found.collect():
        told = {name: row[name] for name in found.columns if name not in ("source", "delivery")}
        counts[row["source"], row["delivery"]] = Count(**told)
    return counts


def _months(by_day: DataFrame) -> dict[str, date]:
    """The month of most single receipts of each delivery; empty if many come with other months.

    Every delivery that has some on these days has a month.

    A delivery has as many months as there would be if they were all alike, n^2 / sum(n_month^2):
    a few late receipts make no other month.
    """
    month = F.trunc("business_date", "month").alias("month")
    by_month = by_day.groupBy("delivery", month).agg(F.sum("receipts").cast("double").alias("n"))
    found = by_month.groupBy("delivery").agg(
        F.sum("n").alias("receipts"),
        F.try_divide(F.sum("n") ** 2, F.sum(F.col("n") ** 2)).alias("months"),
        F.max_by("month", "n").alias("month"),
    )
    rows = found.collect()
    in_wide = sum(row["receipts"] for row in rows if row["months"] > _FEW_MONTHS)
    if in_wide > _WIDE_SHARE * sum(row["receipts"] for row in rows):
        return {}
    return {row["delivery"]: row["month"] for row in rows}
