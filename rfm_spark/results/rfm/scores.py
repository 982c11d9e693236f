"""Scores: how many cut points a value has passed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pyspark.sql import Column
from pyspark.sql import functions as F

Number = TypeVar("Number", Column, float)


def cuts_passed(value: Column, cuts: Sequence[int | None]) -> Column:
    """How many cuts are at or below the value: bins are lower-inclusive, ties stay together."""
    passed = [(value >= cut).cast("int") for cut in cuts if cut is not None]
    return sum(passed[1:], passed[0]) if passed else F.lit(0)


def score(value: Column, cuts: Sequence[int | None], scores: int, low_is_best: bool) -> Column:
    """1..scores, the highest is best: 1 + cuts passed, or scores - cuts passed for recency."""
    passed = cuts_passed(value, cuts)
    return F.lit(scores) - passed if low_is_best else F.lit(1) + passed


def cell(r_score: Column, f_score: Column, m_score: Column) -> Column:
    """The three digits, '111' to '555' for five scores."""
    return F.concat(*[digit.cast("string") for digit in (r_score, f_score, m_score)])


def weighted_total(r: Number, f: Number, m: Number, weights: Sequence[float]) -> Number:
    """`rfm_total`: the same arithmetic for columns and for numbers, so that ranges agree."""
    of_r, of_f, of_m = (float(weight) for weight in weights)
    return r * of_r + f * of_f + m * of_m
