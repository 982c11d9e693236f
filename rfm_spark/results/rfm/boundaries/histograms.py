"""Histograms of columns of whole numbers, gathered from Spark in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple, TypeVar

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.cuts import Histogram
from rfm_spark.results.rfm.boundaries.buckets import Buckets, Fineness

MAX_BUCKETS = 2**16
"""Rows one pass may bring to the driver of a column, whatever other columns are looked at."""

_FEWEST_PARTS = 8
"""Into which a bucket is split."""

_Name = TypeVar("_Name", bound=Hashable)


class _Looked(NamedTuple):
    """A column that is looked at for one histogram, or once for all parts of the rows.

    Attributes:
        column: its name.
        by: the column of the parts, of which a row is in one at most; else the histogram.
    """

    column: str
    by: Hashable


_Range = tuple[int, int]
"""First and last value of a bucket, as integers of Python: a span can pass 64 bits."""


class Part(NamedTuple):
    """Some of the rows: those that have a number in a column of whole numbers."""

    column: str
    number: int


@dataclass(frozen=True)
class Sought:
    """A histogram to be made.

    Attributes:
        rows: any rows; persisted by the caller where costly.
        column: of whole numbers; NULLs are left out.
        whole: one bucket of all its values that are not NULL.
        fineness: what it is to be good for.
        part: the only rows to look at; by default all.
        most_buckets: rows that a pass may bring to the driver, where each is split into 8 or more.
    """

    rows: DataFrame
    column: str
    whole: Buckets
    fineness: Fineness
    part: Part | None = None
    most_buckets: int = MAX_BUCKETS


def histograms(sought: Mapping[_Name, Sought]) -> dict[_Name, Histogram]:
    """Histograms of several columns, each as fine as it has to be, and as if made alone.

    Passes over the rows until no bucket of any of them is too coarse: usually two, each one query
    for all columns that brings about `most_buckets` rows of each of them to the driver.

    Args:
        sought: what to make, by any name.

    Returns:
        The same names.

    Raises:
        AssertionError: if the rows do not hold the values they were said to hold.
    """
    buckets = {name: one.whole for name, one in sought.items()}
    coarse = {name: whole.several for name, whole in buckets.items()}
    while looked_into := {
        name: buckets[name].where(which) for name, which in coarse.items() if which.any()
    }:
        for name, finer in _split(sought, looked_into).items():
            found = buckets[name].where(~coarse[name]).joined(finer)
            buckets[name] = _all_of(sought[name].whole, found)
        coarse = {name: sought[name].fineness.too_coarse(buckets[name]) for name in looked_into}
    return {name: _histogram(one.fineness.enough(buckets[name])) for name, one in sought.items()}


def _all_of(whole: Buckets, found: Buckets) -> Buckets:
    if found.total != whole.total:
        raise AssertionError(
            f"{whole.total} values were to be put into buckets, {found.total} were"
        )
    return found


def _split(sought: Mapping[_Name, Sought], coarse: Mapping[_Name, Buckets]) -> dict[_Name, Buckets]:
    """Finer buckets in place of coarse ones, those of all columns numbered one after another."""
    parts = {
        name: max(sought[name].most_buckets // len(one), _FEWEST_PARTS)
        for name, one in coarse.items()
    }
    sizes = [len(buckets) * parts[name] for name, buckets in coarse.items()]
    ends = np.cumsum(sizes).tolist()
    starts = dict(zip(coarse, [0, *ends[:-1]], strict=True))
    of_rows: dict[int, tuple[DataFrame, dict[_Looked, list[Column]]]] = {}
    for name, buckets in coarse.items():
        rows, column, part = sought[name].rows, sought[name].column, sought[name].part
        number = F.lit(starts[name]) + _number(F.col(column), _ranges(buckets), 0, parts[name])
        if part is not None:
            number = F.when(F.col(part.column) == part.number, number)
        looked = _Looked(column, name if part is None else part.column)
        of_rows.setdefault(id(rows), (rows, {}))[1].setdefault(looked, []).append(number)
    exploded = [
        rows.select(F.inline(F.array(*[_numbered(*one) for one in numbers.items()])))
        for rows, numbers in of_rows.values()
    ]
    found = (
        reduce(DataFrame.unionByName, exploded)
        .where(F.col("number").isNotNull())
        .groupBy("number")
        .agg(F.min("value").alias("first"), F.max("value").alias("last"), F.count("*").alias("n"))
        .toArrow()
    )
    number, first, last, count = (
        found[column].to_numpy() for column in ("number", "first", "last", "n")
    )
    finer = Buckets(first, last, count)
    return {
        name: finer.where((number >= starts[name]) & (number < end))
        for name, end in zip(coarse, ends, strict=True)
    }


def _numbered(looked: _Looked, numbers: Sequence[Column]) -> Column:
    """A row's value and the number of its bucket: it lies in one part of a column at most."""
    number = numbers[0] if len(numbers) == 1 else F.coalesce(*numbers)
    value = F.col(looked.column).cast("bigint")
    return F.struct(number.alias("number"), value.alias("value"))


def _ranges(buckets: Buckets) -> list[_Range]:
    return list(zip(buckets.first.tolist(), buckets.last.tolist(), strict=True))


def _number(value: Column, coarse: Sequence[_Range], place: int, parts: int) -> Column:
    """The number of a value's bucket: `parts` of them for each coarse one, from its place on.

    Coarse buckets are in ascending order, so that half of them are left out by each comparison.
    """
    if len(coarse) > 1:
        half = len(coarse) // 2
        below = _number(value, coarse[:half], place, parts)
        above = _number(value, coarse[half:], place + half, parts)
        return F.when(value < coarse[half][0], below).otherwise(above)
    first, last = coarse[0]
    step = _logarithmic if _is_wide(first, last, parts) else _linear
    inside = (value >= first) & (value <= last)
    return F.when(inside, F.lit(place * parts) + step(value, first, last, parts))


def _is_wide(first: int, last: int, parts: int) -> bool:
    """Whether values differ in size so much that equal widths would put most into a few parts."""
    sizes = sorted((abs(first), abs(last)))
    alike = (first > 0) == (last > 0) and sizes[1] <= 2 * sizes[0]
    return last - first >= parts and not alike


def _linear(value: Column, first: int, last: int, parts: int) -> Column:
    """0 to parts - 1, each of the same width."""
    width = (last - first) // parts + 1
    # A span beyond 2^63 would overflow as BIGINT.
    exact = value.cast("decimal(20,0)") if last - first >= 2**63 else value
    return F.call_function("div", exact - F.lit(first), F.lit(width))


def _logarithmic(value: Column, first: int, last: int, parts: int) -> Column:
    """0 to parts - 1, each of the same width in relation to its values.

    Spark takes logarithms by the same algorithm on every machine; the least is worked out here by
    another, so there is room for a difference of one.
    """
    low, high = (math.copysign(math.log(abs(end) + 1), end) for end in (first, last))
    scale = (parts - 4) / (high - low)
    number = value.cast("double")
    logarithm = F.signum(number) * F.log(F.abs(number) + 1)
    return F.floor(logarithm * scale) - F.lit(math.floor(low * scale) - 1)


def _histogram(buckets: Buckets) -> Histogram:
    largest = buckets.count[buckets.several].max(initial=0)
    return Histogram(
        values=buckets.first,
        counts=buckets.count,
        rank_error=float(largest) / buckets.total,
        last=buckets.last if largest else None,
    )
