"""Histograms of columns of whole numbers, gathered from Spark in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.rfm.boundaries.cuts import Histogram

MAX_BUCKETS = 2**20
"""Rows one pass may bring to the driver, of all columns together."""

MAX_EXACT_VALUES = 4_096
"""Distinct values up to which a histogram for `balanced` cuts is exact."""

_FEWEST_PARTS = 8
"""Into which a bucket is split."""

_Name = TypeVar("_Name", bound=Hashable)


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


class Fineness(Protocol):
    """What a histogram is to be good for."""

    def too_coarse(self, buckets: Sequence[Bucket]) -> list[Bucket]:
        """Which of these buckets, in ascending order, are to be looked into again."""

    def enough(self, buckets: Sequence[Bucket]) -> Sequence[Bucket]:
        """What to keep of buckets of which none is too coarse."""


@dataclass(frozen=True)
class ExactCuts:
    """The exact `quantile` cuts, however many distinct values there are.

    Only the buckets that can hold a cut are looked into again.

    Attributes:
        scores: one more than there are cuts.
    """

    scores: int

    def too_coarse(self, buckets: Sequence[Bucket]) -> list[Bucket]:
        """Buckets of several values in which the rank of a cut is passed."""
        after = np.cumsum([bucket.count for bucket in buckets])
        ranks = np.arange(1, self.scores) * after[-1]
        holding = np.searchsorted(after * self.scores, ranks, side="left")
        return _of_several(buckets[place] for place in np.unique(holding))

    def enough(self, buckets: Sequence[Bucket]) -> Sequence[Bucket]:
        """All of them."""
        return buckets


@dataclass(frozen=True)
class WithinRank:
    """Exact up to 4,096 distinct values, and within a rank error beyond.

    Attributes:
        max_error: largest share of all occurrences that a bucket of several values may hold.
    """

    max_error: float

    def too_coarse(self, buckets: Sequence[Bucket]) -> list[Bucket]:
        """All that are not exact while few enough are known, else those that hold too many."""
        several = _of_several(buckets)
        if len(buckets) <= MAX_EXACT_VALUES:
            return several
        most = self._most(buckets)
        return [bucket for bucket in several if bucket.count > most]

    def enough(self, buckets: Sequence[Bucket]) -> Sequence[Bucket]:
        """Neighbours put together while they hold few enough: about 2 / max_error remain."""
        if len(buckets) <= MAX_EXACT_VALUES:
            return buckets
        most = self._most(buckets)
        merged = [buckets[0]]
        for bucket in buckets[1:]:
            last = merged[-1]
            if last.count + bucket.count <= most:
                merged[-1] = Bucket(last.first, bucket.last, last.count + bucket.count)
            else:
                merged.append(bucket)
        return merged

    def _most(self, buckets: Sequence[Bucket]) -> float:
        return sum(bucket.count for bucket in buckets) * self.max_error


@dataclass(frozen=True)
class Sought:
    """A histogram to be made.

    Attributes:
        column: of whole numbers; NULLs are left out.
        whole: all of its values that are not NULL: the least, the greatest, and how many.
        fineness: what it is to be good for.
    """

    column: str
    whole: Bucket
    fineness: Fineness


def histograms(rows: DataFrame, sought: Mapping[_Name, Sought]) -> dict[_Name, Histogram]:
    """Histograms of several columns, each as fine as it has to be.

    Passes over `rows` until no bucket of any of them is too coarse: usually two, each one query
    for all columns that brings at most 1,048,576 rows to the driver.

    Args:
        rows: any rows; persisted by the caller where costly.
        sought: what to make, by any name.

    Returns:
        The same names.

    Raises:
        AssertionError: if `rows` do not hold the values they were said to hold.
    """
    buckets = {name: [one.whole] for name, one in sought.items()}
    coarse = {name: _of_several(buckets[name]) for name in sought}
    while any(coarse.values()):
        for name, finer in _split(rows, sought, coarse).items():
            old = set(coarse[name])
            kept = [bucket for bucket in buckets[name] if bucket not in old]
            found = sorted(kept + finer, key=lambda bucket: bucket.first)
            buckets[name] = _all_of(sought[name].whole, found)
        coarse = {
            name: sought[name].fineness.too_coarse(buckets[name]) if old else []
            for name, old in coarse.items()
        }
    return {name: _histogram(one.fineness.enough(buckets[name])) for name, one in sought.items()}


def _all_of(whole: Bucket, buckets: list[Bucket]) -> list[Bucket]:
    found = sum(bucket.count for bucket in buckets)
    if found != whole.count:
        raise AssertionError(f"{whole.count} values were to be put into buckets, {found} were")
    return buckets


def _split(
    rows: DataFrame, sought: Mapping[_Name, Sought], coarse: Mapping[_Name, Sequence[Bucket]]
) -> dict[_Name, list[Bucket]]:
    """Finer buckets in place of coarse ones, those of all columns numbered one after another."""
    owners = [name for name, buckets in coarse.items() for _ in buckets]
    parts = max(MAX_BUCKETS // len(owners), _FEWEST_PARTS)
    numbered = [
        F.struct(
            _number(F.col(sought[name].column), buckets, owners.index(name), parts).alias("number"),
            F.col(sought[name].column).cast("bigint").alias("value"),
        )
        for name, buckets in coarse.items()
        if buckets
    ]
    found = (
        rows.select(F.inline(F.array(*numbered)))
        .where(F.col("number").isNotNull())
        .groupBy("number")
        .agg(F.min("value").alias("first"), F.max("value").alias("last"), F.count("*").alias("n"))
        .toArrow()
    )
    finer: dict[_Name, list[Bucket]] = {name: [] for name, buckets in coarse.items() if buckets}
    columns = [found[column].to_pylist() for column in ("number", "first", "last", "n")]
    for number, *bucket in zip(*columns, strict=True):
        finer[owners[number // parts]].append(Bucket(*bucket))
    return finer


def _number(value: Column, coarse: Sequence[Bucket], place: int, parts: int) -> Column:
    """The number of a value's bucket: `parts` of them for each coarse one, from its place on.

    Coarse buckets are in ascending order, so that half of them are left out by each comparison.
    """
    if len(coarse) > 1:
        half = len(coarse) // 2
        below = _number(value, coarse[:half], place, parts)
        above = _number(value, coarse[half:], place + half, parts)
        return F.when(value < coarse[half].first, below).otherwise(above)
    old = coarse[0]
    step = _logarithmic if _is_wide(old, parts) else _linear
    inside = (value >= old.first) & (value <= old.last)
    return F.when(inside, F.lit(place * parts) + step(value, old, parts))


def _is_wide(old: Bucket, parts: int) -> bool:
    """Whether values differ in size so much that equal widths would put most into a few parts."""
    sizes = sorted((abs(old.first), abs(old.last)))
    alike = (old.first > 0) == (old.last > 0) and sizes[1] <= 2 * sizes[0]
    return old.last - old.first >= parts and not alike


def _linear(value: Column, old: Bucket, parts: int) -> Column:
    """0 to parts - 1, each of the same width."""
    width = (old.last - old.first) // parts + 1
    # A span beyond 2^63 would overflow as BIGINT.
    exact = value.cast("decimal(20,0)") if old.last - old.first >= 2**63 else value
    return F.call_function("div", exact - F.lit(old.first), F.lit(width))


def _logarithmic(value: Column, old: Bucket, parts: int) -> Column:
    """0 to parts - 1, each of the same width in relation to its values.

    Spark takes logarithms by the same algorithm on every machine; the least is worked out here by
    another, so there is room for a difference of one.
    """
    low, high = (math.copysign(math.log(abs(end) + 1), end) for end in (old.first, old.last))
    scale = (parts - 4) / (high - low)
    number = value.cast("double")
    logarithm = F.signum(number) * F.log(F.abs(number) + 1)
    return F.floor(logarithm * scale) - F.lit(math.floor(low * scale) - 1)


def _of_several(buckets: Iterable[Bucket]) -> list[Bucket]:
    return [bucket for bucket in buckets if bucket.first < bucket.last]


def _histogram(buckets: Sequence[Bucket]) -> Histogram:
    total = sum(bucket.count for bucket in buckets)
    return Histogram(
        values=np.array([bucket.first for bucket in buckets], dtype=np.int64),
        counts=np.array([bucket.count for bucket in buckets], dtype=np.int64),
        rank_error=max((bucket.count for bucket in _of_several(buckets)), default=0) / total,
    )
