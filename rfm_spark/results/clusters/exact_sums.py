"""Sums and means of numbers that come out the same in any order of rows: they are of integers."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

_MILLIONTHS = 1e6


def exact_sum(value: Column) -> Column:
    """Of standard units, so that a BIGINT of millionths holds them."""
    return F.sum(F.rint(value * _MILLIONTHS).cast("bigint")) / _MILLIONTHS


def exact_mean(value: Column) -> Column:
    """Of numbers of any size: whole units, which fit as money does, and millionths, each added up.

    NULLs are left out; NULL where there is nothing else.
    """
    whole = F.floor(value)
    millionths = F.rint((value - whole) * _MILLIONTHS).cast("bigint")
    return F.try_divide(F.sum(whole) + F.sum(millionths) / _MILLIONTHS, F.count(value))
