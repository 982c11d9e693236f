"""Row, receipt and money counts of deliveries, computed before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.rules import DROPPED, is_invalid

_FEW_MONTHS = 3
_MAX_MANY_MONTHS_SHARE = 0.1
"""Largest share of receipts in deliveries of many months with which months are still used."""


@dataclass
class DeliveryCounts:
    """Counts of one delivery: the count columns of `deliveries`.

    Those of what the source's filter leaves out are None without a filter.
    """

    rows: int = 0
    rejected_rows: int = 0
    dropped_rows: int = 0
    receipts: int = 0
    rejected_receipts: int = 0
    net_cents: int = 0
    left_out_rows: int | None = None
    left_out_unknown_rows: int | None = None
    unknown_amount_rows: int = 0


CountsByDelivery = dict[tuple[str, str], DeliveryCounts]
"""Counts by source and delivery name."""


@dataclass(frozen=True)
class ReceiptCounts:
    """Counts, business days and months of deliveries of receipts.

    Attributes:
        counts: counts by delivery, of single rows only.
        single_days: business days with accepted single receipts.
        months: first day of the month with most single receipts, by delivery that has any; empty
            where deliveries contain many months each.
    """

    counts: CountsByDelivery
    single_days: set[date]
    months: dict[str, date]


def row_counts(rows: DataFrame, deliveries: Iterable[tuple[str, str]]) -> CountsByDelivery:
    """Counts of raw, rejected and dropped rows by delivery, and their money where they have any.

    Args:
        rows: one validated row per raw row, with `source`, `delivery` and perhaps `cents`.
        deliveries: source and name of every delivery, including those without rows.
    """
    is_dropped = F.col("reasons").isin(*DROPPED)
    cents = F.col("cents") if "cents" in rows.columns else F.lit(0)
    counts = rows.groupBy("source", "delivery").agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_if(is_invalid() & ~is_dropped).alias("rejected_rows"),
        F.count_if(is_dropped).alias("dropped_rows"),
        F.sum(cents).alias("net_cents"),
    )
    return _collected_counts(counts, deliveries)


def daily_receipt_counts(rows: DataFrame) -> DataFrame:
    """Daily counts of single rows that also keep, in one pass, the rows that need a merge.

    A single row is never dropped, as a row equal to it would have the same id.

    Args:
        rows: one validated row per raw row, with `source`, `delivery` and `is_single`.

    Returns:
        One row per `source`, `delivery`, `business_date` and `kept` (the raw row as a struct if it
        is rejected or not single, else NULL): `copies` (number of raw rows), and the counts of
        `DeliveryCounts` of single rows.
    """
    is_single, is_bad = F.col("is_single"), is_invalid()
    kept_row = F.when(~is_single | is_bad, F.struct(*rows.columns))
    is_single_and_bad = F.count_if(is_single & is_bad)
    return rows.groupBy("source", "delivery", "business_date", kept_row.alias("kept")).agg(
        F.count(F.lit(1)).alias("copies"),
        F.count_if(is_single).alias("rows"),
        is_single_and_bad.alias("rejected_rows"),
        F.lit(0).alias("dropped_rows"),
        F.count_if(is_single).alias("receipts"),
        is_single_and_bad.alias("rejected_receipts"),
        F.sum(F.when(is_single, F.col("cents"))).alias("net_cents"),
    )


def kept_rows(daily_counts: DataFrame) -> DataFrame:
    """Rejected and non-single rows that were kept with the counts.

    Args:
        daily_counts: `daily_receipt_counts`.

    Returns:
        One row per kept raw row; equal rows as often as they were delivered.
    """
    copies = F.array_repeat("kept", F.col("copies").cast("int"))
    return daily_counts.where("kept IS NOT NULL").select(F.inline(copies))


def receipt_counts(daily_counts: DataFrame, deliveries: Iterable[tuple[str, str]]) -> ReceiptCounts:
    """Counts by delivery, with business days and months, of single rows.

    Args:
        daily_counts: `daily_receipt_counts`.
        deliveries: source and name of every delivery, including those without rows.
    """
    names = [name for name in vars(DeliveryCounts()) if name in daily_counts.columns]
    accepted = F.col("receipts") - F.col("rejected_receipts")
    # Rejected rows have groups of their own, so a group with accepted receipts has no others. A day
    # is a bit of its month: one row a month tells all, and one query.
    day_bit = F.when(accepted > 0, F.expr("shiftleft(1, dayofmonth(business_date) - 1)"))
    by_month = (
        daily_counts.groupBy("source", "delivery", F.trunc("business_date", "month").alias("month"))
        .agg(
            *[F.sum(name).alias(name) for name in names],
            F.sum(accepted).alias("accepted"),
            F.bit_or(day_bit).alias("days"),
        )
        .collect()
    )
    counts = {delivery: DeliveryCounts() for delivery in deliveries}
    days: set[date] = set()
    months: dict[str, dict[date, int]] = {}
    for row in by_month:
        count = counts[row["source"], row["delivery"]]
        for name in names:
            if row[name] is not None:  # money of unreadable amounts alone
                setattr(count, name, getattr(count, name) + row[name])
        if row["accepted"] > 0:
            first: date = row["month"]
            days |= {first.replace(day=day) for day in range(1, 32) if row["days"] >> day - 1 & 1}
            months.setdefault(row["delivery"], {})[first] = row["accepted"]
    return ReceiptCounts(counts, days, _dominant_months(months))


def add_receipt_version_counts(counts: CountsByDelivery, source: str, versions: DataFrame) -> None:
    """Adds the rows and receipts that are not single to the counts.

    Args:
        counts: counts by delivery, changed in place.
        source: name of the source of the receipts.
        versions: `receipt_versions` of the rows: one row per version, and rows of no version.
    """
    has_version = F.col("receipt_id").isNotNull()
    is_rejected = has_version & F.col("is_rejected")
    rejected_rows = F.when(has_version, F.when(is_rejected, F.col("lines")).otherwise(0)).otherwise(
        F.col("rejected_lines")
    )
    version_counts = versions.groupBy("delivery").agg(
        F.sum("lines").alias("rows"),
        F.sum(rejected_rows).alias("rejected_rows"),
        F.sum("dropped_lines").alias("dropped_rows"),
        F.count_if(has_version).alias("receipts"),
        F.count_if(is_rejected).alias("rejected_receipts"),
        F.sum("net_cents").alias("net_cents"),
    )
    for row in version_counts.collect():
        count = counts[source, row["delivery"]]
        for name in version_counts.columns[1:]:
            setattr(count, name, getattr(count, name) + row[name])


def add_left_out_counts(counts: CountsByDelivery, source: str, left_out: DataFrame) -> None:
    """Adds the rows that the filter of a source leaves out to the counts.

    Args:
        counts: counts by delivery, changed in place.
        source: name of the source that has the filter.
        left_out: `left_out_counts` of its deliveries.
    """
    for (label, _), count in counts.items():
        if label == source:
            count.left_out_rows = count.left_out_unknown_rows = 0
    for row in left_out.collect():
        count = counts[source, row["delivery"]]
        count.left_out_rows = row["left_out_rows"]
        count.left_out_unknown_rows = row["left_out_unknown_rows"]


def add_unknown_amounts(counts: CountsByDelivery, quarantine: DataFrame) -> None:
    """Adds the rejected rows whose money cannot be told to the counts.

    Args:
        counts: counts by delivery, changed in place.
        quarantine: the rejected rows of these deliveries.
    """
    unknown = quarantine.where("is_amount_unknown").groupBy("source", "delivery").count()
    for row in unknown.collect():
        counts[row["source"], row["delivery"]].unknown_amount_rows = row["count"]


def describe_counts(counts: CountsByDelivery, replacing_receipts: int = 0) -> str:
    """Summary of the counts as text, such as `1,000 rows from 2 deliveries, 3 rejected`."""
    total_rows = sum(count.rows for count in counts.values())
    rejected = sum(count.rejected_rows for count in counts.values())
    dropped = sum(count.dropped_rows for count in counts.values())
    unknown = sum(count.unknown_amount_rows for count in counts.values())
    details = f", {rejected:,} rejected" if rejected else ""
    details += f", {unknown:,} of unknown amount" if unknown else ""
    details += f", {dropped:,} dropped as equal or older" if dropped else ""
    if replacing_receipts:
        details += f", {replacing_receipts:,} in the place of another customer's of another day"
    if left_out := describe_left_out(counts.values()):
        details += f", {left_out}"
    plural = "delivery" if len(counts) == 1 else "deliveries"
    return f"{total_rows:,} rows from {len(counts)} {plural}{details}"


def describe_left_out(counts: Collection[DeliveryCounts]) -> str:
    """What filters left out as text, such as `where left out 4 of 5 rows`; empty for nothing."""
    left_out = sum(count.left_out_rows or 0 for count in counts)
    if not left_out:
        return ""
    total_rows = left_out + sum(count.rows for count in counts if count.left_out_rows is not None)
    told = f"where left out {left_out:,} of {total_rows:,} rows"
    if unknown := sum(count.left_out_unknown_rows or 0 for count in counts):
        told += f", {unknown:,} of them because it is unknown (NULL)"
    return told


def _collected_counts(rows: DataFrame, deliveries: Iterable[tuple[str, str]]) -> CountsByDelivery:
    counts = {delivery: DeliveryCounts() for delivery in deliveries}
    for row in rows.collect():
        measures = {name: row[name] for name in rows.columns if name not in ("source", "delivery")}
        counts[row["source"], row["delivery"]] = DeliveryCounts(**measures)
    return counts


def _dominant_months(accepted: Mapping[str, Mapping[date, int]]) -> dict[str, date]:
    """Month with most single receipts, by delivery; empty if many receipts are in other months.

    The number of months of a delivery is its effective number, n^2 / sum(n_month^2), to which a
    few late receipts add little.

    Args:
        accepted: accepted single receipts by month, by name of the delivery.

    Returns:
        First day of the month, by name of the delivery.
    """
    receipts = {name: sum(by_month.values()) for name, by_month in accepted.items()}
    of_many_months = sum(
        receipts[name]
        for name, by_month in accepted.items()
        if receipts[name] ** 2 > _FEW_MONTHS * sum(n**2 for n in by_month.values())
    )
    if of_many_months > _MAX_MANY_MONTHS_SHARE * sum(receipts.values()):
        return {}
    return {
        name: max(by_month, key=lambda month: (by_month[month], month))
        for name, by_month in accepted.items()
    }
