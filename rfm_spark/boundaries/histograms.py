"""Histograms of a column of whole numbers, gathered from Spark in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.boundaries.cuts import Cut, Histogram, quantile_cuts

MAX_BUCKETS = 65_536
"""Rows one pass may bring to the driver."""

MAX_EXACT_VALUES = 4_096
"""Distinct values up to which `balanced` cuts are exact."""


@dataclass(frozen=True)
class Bucket:
    """Neighbouring values that occur.

    Attributes:
        first: the smallest seen.
        last: the largest seen.
        count: occurrences of all of them, at least 1.
    """

    first: int
    last: int
    count: int


def values_histogram(
    rows: DataFrame, column: str, whole: Bucket, max_rank_error: float
) -> Histogram:
    """A histogram exact up to 4,096 distinct values, and within max_rank_error beyond.

    Passes over `rows` until no bucket of several values holds more than its share; each pass
    brings at most 65,536 rows to the driver.

    Args:
        rows: any rows; NULLs are left out. Persisted by the caller where costly.
        column: a column of whole numbers.
        whole: all of its values that are not NULL: the least, the greatest, and how many.
        max_rank_error: largest share a bucket of several values may hold.
    """
    counted = rows.where(F.col(column).isNotNull()).groupBy(F.col(column).alias("value")).count()
    exact = counted.limit(MAX_EXACT_VALUES + 1).collect()
    if len(exact) <= MAX_EXACT_VALUES:
        alone = [Bucket(row["value"], row["value"], row["count"]) for row in exact]
        return _histogram(_all_of(whole, sorted(alone, key=lambda bucket: bucket.first)))
    most = whole.count * max_rank_error
    buckets = _refined(rows, column, whole, lambda found: _too_full(found, most))
    return _histogram(_merged(buckets, int(most)))


def exact_quantile_cuts(
    rows: DataFrame, column: str, whole: Bucket, parts: int
) -> tuple[list[Cut], Histogram]:
    """The exact `quantile` cuts, however many distinct values there are.

    Only the buckets that can hold a cut are looked into again: two passes for values that span
    up to 2^32, four for all of BIGINT.

    Args:
        rows: any rows; NULLs are left out. Persisted by the caller where costly.
        column: a column of whole numbers.
        whole: all of its values that are not NULL: the least, the greatest, and how many.
        parts: number of scores.

    Returns:
        The parts - 1 cuts, and a histogram fine enough to give each bin's exact share.
    """
    buckets = _refined(rows, column, whole, lambda found: _holding_cuts(found, parts))
    histogram = _histogram(buckets)
    return quantile_cuts(histogram, parts), histogram


def _refined(
    rows: DataFrame, column: str, whole: Bucket, pick: Callable[[list[Bucket]], list[Bucket]]
) -> list[Bucket]:
    buckets = [whole]
    coarse = buckets if whole.first < whole.last else []
    while coarse:
        finer = _split(rows, column, coarse)
        kept = [bucket for bucket in buckets if bucket not in coarse]
        buckets = _all_of(whole, sorted(kept + finer, key=lambda bucket: bucket.first))
        coarse = pick(buckets)
    return buckets


def _all_of(whole: Bucket, buckets: list[Bucket]) -> list[Bucket]:
    found = sum(bucket.count for bucket in buckets)
    if found != whole.count:
        raise AssertionError(f"{whole.count} values were to be put into buckets, {found} were")
    return buckets


def _split(rows: DataFrame, column: str, coarse: list[Bucket]) -> list[Bucket]:
    value = F.col(column)
    parts = max(MAX_BUCKETS // len(coarse), 2)
    bucket: Column | None = None
    for place, old in enumerate(coarse):
        width = (old.last - old.first) // parts + 1
        inside = (value >= old.first) & (value <= old.last)
        # A span beyond 2^63 would overflow as BIGINT.
        wide = value.cast("decimal(20,0)") if old.last - old.first >= 2**63 else value
        step = F.call_function("div", wide - F.lit(old.first), F.lit(width))
        number = F.lit(place * parts) + step
        bucket = F.when(inside, number) if bucket is None else bucket.when(inside, number)
    if bucket is None:
        return []
    found = (
        rows.where(value.isNotNull())
        .groupBy(bucket.alias("bucket"))
        .agg(F.min(value).alias("first"), F.max(value).alias("last"), F.count(value).alias("count"))
        .where(F.col("bucket").isNotNull())
    )
    return [
        Bucket(int(row["first"]), int(row["last"]), int(row["count"])) for row in found.collect()
    ]


def _holding_cuts(buckets: list[Bucket], parts: int) -> list[Bucket]:
    """Buckets of several values in which the rank of a cut is passed."""
    after = np.cumsum([bucket.count for bucket in buckets])
    holding = np.searchsorted(after * parts, np.arange(1, parts) * after[-1], side="left")
    picked = [buckets[place] for place in np.unique(holding)]
    return [bucket for bucket in picked if bucket.first < bucket.last]


def _too_full(buckets: list[Bucket], most: float) -> list[Bucket]:
    return [one for one in buckets if one.first < one.last and one.count > most]


def _merged(buckets: list[Bucket], most: int) -> list[Bucket]:
    """Neighbours put together while they hold at most `most`: about 2 / share of them remain."""
    merged = [buckets[0]]
    for bucket in buckets[1:]:
        last = merged[-1]
        if last.count + bucket.count <= most:
            merged[-1] = Bucket(last.first, bucket.last, last.count + bucket.count)
        else:
            merged.append(bucket)
    return merged


def _histogram(buckets: list[Bucket]) -> Histogram:
    total = sum(bucket.count for bucket in buckets)
    several = [bucket.count for bucket in buckets if bucket.first < bucket.last]
    return Histogram(
        values=np.array([bucket.first for bucket in buckets], dtype=np.int64),
        counts=np.array([bucket.count for bucket in buckets], dtype=np.int64),
        rank_error=max(several, default=0) / total if total else 0.0,
    )
