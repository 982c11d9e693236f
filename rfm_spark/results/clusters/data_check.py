"""What features say of themselves before they are used: constant ones, equal ones, extremes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.standard_units import Scale, transformed

NEARLY_EQUAL = 0.98
"""Correlation from which two features are one that counts twice."""

FAR_OUT = 5.0
"""Times as far from the mean as the bound it is cut at, from which a farthest customer is told."""


def feature_notes(
    sample: DataFrame, names: Sequence[str], scales: Sequence[Scale]
) -> Iterator[str]:
    """What is worth a look, a line each.

    Args:
        sample: customers, in one sorted partition, so that numbers come out the same on every run.
        names: features that were to be used; none is NULL.
        scales: of those that differ between customers.
    """
    used = {scale.feature for scale in scales}
    for name in names:
        if name not in used:
            yield f"{name} is the same for everybody but who is cut off: it is left out"
    pairs = list(combinations(scales, 2))
    found = sample.agg(
        *[_correlation(*pair).alias(f"pair_{place}") for place, pair in enumerate(pairs)],
        *[_reach(scale).alias(f"reach_{place}") for place, scale in enumerate(scales)],
    ).collect()[0]
    for place, (one, other) in enumerate(pairs):
        correlation = found[f"pair_{place}"]
        if abs(correlation) > NEARLY_EQUAL:
            yield (
                f"{one.feature} and {other.feature} tell the same (correlation "
                f"{correlation:.3f}), which counts twice: leave one out"
            )
    for place, scale in enumerate(scales):
        reach = found[f"reach_{place}"]
        if reach > FAR_OUT:
            yield (
                f"{scale.feature}: the farthest customer is {reach:.0f} times as far out as the "
                "bound that features are cut at: is it one customer?"
            )


def _correlation(one: Scale, other: Scale) -> Column:
    """Of winsorised values: their standard units have mean 0 and deviation 1 in the sample."""
    return F.avg(one.standardised() * other.standardised())


def _reach(scale: Scale) -> Column:
    bound = max(scale.high - scale.mean, scale.mean - scale.low)
    return F.max(F.abs(transformed(scale.feature) - F.lit(scale.mean))) / F.lit(bound)
