"""Ranks: where a value lies among customers, told by a bounded number of their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

STEPS = 1024
"""Equal steps of rank that stand for all customers of a sample."""

_AT_ONCE = 4
"""Features whose values a task holds at the same time, some 50 bytes each."""

_STRIDES = [STEPS >> halved for halved in range(STEPS.bit_length())]
"""Of a binary search among that many values: 1024, 512, ... 1."""


def ranked_values(sample: DataFrame, features: Sequence[Column]) -> list[list[float]]:
    """Of every feature the values in the middle of STEPS equal steps of rank, ascending.

    They are those of `percentile_disc`, of the values that there are and none between two of them,
    which takes six times as long: it counts each value in a hash map, and adds up all counts anew
    for each share.

    Args:
        sample: customers, at least one and as many as one task can hold, kept.
        features: in their own units; none is NULL.
    """
    return [
        values
        for first in range(0, len(features), _AT_ONCE)
        for values in _ranked_values(sample, features[first : first + _AT_ONCE])
    ]


def _ranked_values(sample: DataFrame, features: Sequence[Column]) -> list[list[float]]:
    names = [f"value_{place}" for place in range(len(features))]
    values = [one.cast("double").alias(name) for name, one in zip(names, features, strict=True)]
    ascending = [F.sort_array(F.collect_list(name)).alias(name) for name in names]
    steps = f"sequence(0L, {STEPS - 1}L)"
    # The first value that (step + 1/2) / STEPS of all do not exceed.
    before = f"((2 * step + 1) * size({{0}}) + {2 * STEPS - 1}) DIV {2 * STEPS} - 1"
    ranked = [
        F.expr(f"transform({steps}, step -> {name}[CAST({before.format(name)} AS INT)])")
        for name in names
    ]
    return [
        list(found) for found in sample.select(*values).agg(*ascending).select(*ranked).collect()[0]
    ]


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
