"""Ranks: where a value lies among customers, told by a bounded number of their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

STEPS = 1024
"""Equal steps of rank that stand for all customers of a sample."""

_STRIDES = [STEPS >> halved for halved in range(STEPS.bit_length())]
"""Of a binary search among that many values: 1024, 512, ... 1."""


def ranked_values(sample: DataFrame, features: Sequence[Column]) -> list[list[float]]:
    """Of every feature the values in the middle of STEPS equal steps of rank, ascending.

    Args:
        sample: customers, in one sorted partition, so that values come out the same on every run.
        features: in their own units; none is NULL.
    """
    shares = ", ".join(f"{(step + 0.5) / STEPS}D" for step in range(STEPS))
    values = [one.alias(f"value_{place}") for place, one in enumerate(features)]
    # Of the values that there are, none between two of them.
    ranked = [
        F.expr(f"percentile_disc(array({shares})) WITHIN GROUP (ORDER BY value_{place})")
        for place in range(len(features))
    ]
    return [list(found) for found in sample.select(*values).agg(*ranked).collect()[0]]


def rank(value: Column, ranked: Sequence[float]) -> Column:
    """The share of customers below a value, and half of those who have it: 0 to 1.

    It is the value's mid-rank among `ranked`, so that equal values have one rank, and a greater
    value none that is lower. Among the customers of the sample it is told to half a step.

    Args:
        value: never NULL.
        ranked: from `ranked_values`, of the same feature.
    """
    values = F.expr(_array(ranked))
    below = _passed(values, lambda one: one < value)
    up_to = _passed(values, lambda one: one <= value)
    return (below + up_to) / F.lit(2 * len(ranked))


def _passed(values: Column, is_passed: Callable[[Column], Column]) -> Column:
    """How many of ascending values are passed: by halving, a comparison for each of STRIDES."""

    def further(passed: Column, stride: Column) -> Column:
        # Beyond the last value it is NULL, which is not passed.
        one = F.get(values, passed + stride - 1)
        return F.when(is_passed(one), passed + stride).otherwise(passed)

    return F.aggregate(F.array(*map(F.lit, _STRIDES)), F.lit(0), further)


def rank_sql(value: str, ranked: Sequence[float]) -> str:
    """`rank` as SQL text."""
    strides = ", ".join(map(str, _STRIDES))
    below, up_to = (
        f"aggregate(array({strides}), 0, (passed, stride) -> CASE WHEN get({_array(ranked)}, "
        f"passed + stride - 1) {sign} {value} THEN passed + stride ELSE passed END)"
        for sign in ("<", "<=")
    )
    return f"(({below}) + ({up_to})) / {2 * len(ranked)}"


def _array(values: Sequence[float]) -> str:
    return f"array({', '.join(f'{one!r}D' for one in values)})"
