"""Scores: how many cut points a value has passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.cuts import Cut
from rfm_spark.results.rfm.cut_points import EVERYBODY, Nest, nests

Number = TypeVar("Number", Column, float)


def cuts_passed(value: Column, cuts: Sequence[Cut]) -> Column:
    """How many cuts are at or below the value: bins are lower-inclusive, ties stay together."""
    passed = [(value >= cut).cast("int") for cut in cuts if cut is not None]
    return sum(passed[1:], passed[0]) if passed else F.lit(0)


def nested_cuts_passed(
    value: Column, of_nests: Mapping[Nest, Sequence[Cut]], before: Sequence[Column]
) -> Column:
    """How many cuts of a row's own nest are at or below the value.

    Args:
        value: of the dimension.
        of_nests: cuts by nest, of every combination of scores.
        before: the scores that make the nest, 1 to as many as there are.
    """
    depth = len(next(iter(of_nests)))
    per_dimension = max(nest[0] for nest in of_nests)
    place = nest_place(before[:depth], per_dimension)
    in_order = [of_nests[nest] for nest in nests(per_dimension, depth)]
    # One look-up a cut, where a branch a nest would make hundreds of comparisons of it. A score
    # that is none of these cuts' (other rules gave it) finds nothing, and has passed none.
    found = [
        F.get(F.array(*map(F.lit, of_cut)).cast("array<bigint>"), place)
        for of_cut in zip(*in_order, strict=True)
    ]
    passed = [F.coalesce((value >= cut).cast("int"), F.lit(0)) for cut in found]
    return sum(passed[1:], passed[0])


def nest_place(before: Sequence[Column], scores: int) -> Column:
    """The place of a row's nest among `nests`, from 0 on."""
    place = F.lit(0)
    for one in before:
        place = place * scores + one - 1
    return place


def score(
    value: Column,
    of_nests: Mapping[Nest, Sequence[Cut]],
    scores: int,
    low_is_best: bool,
    before: Sequence[Column] = (),
) -> Column:
    """1..scores, the highest is best: 1 + cuts passed, or scores - cuts passed for recency.

    Args:
        value: of the dimension.
        of_nests: its cuts by nest.
        scores: 5 for scores 1 to 5.
        low_is_best: whether low values are best, as of recency.
        before: the scores of the dimensions before it.
    """
    if EVERYBODY in of_nests:
        passed = cuts_passed(value, of_nests[EVERYBODY])
    else:
        passed = nested_cuts_passed(value, of_nests, before)
    return F.lit(scores) - passed if low_is_best else F.lit(1) + passed


def cell(r_score: Column, f_score: Column, m_score: Column) -> Column:
    """The three digits, '111' to '555' for five scores."""
    return F.concat(*[digit.cast("string") for digit in (r_score, f_score, m_score)])


def weighted_total(r: Number, f: Number, m: Number, weights: Sequence[float]) -> Number:
    """`rfm_total`: the same arithmetic for columns and for numbers, so that ranges agree."""
    of_r, of_f, of_m = (float(weight) for weight in weights)
    return r * of_r + f * of_f + m * of_m
