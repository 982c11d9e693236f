"""What features say of themselves before they are used: constant ones, equal ones, extremes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
from pyspark.ml.functions import array_to_vector
from pyspark.ml.stat import Correlation
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.features.further import configured
from rfm_spark.results.clusters.features.names import feature
from rfm_spark.results.clusters.standard_units import Scale

NEARLY_EQUAL = 0.98
"""Correlation from which two features are one that counts twice."""

FAR_OUT = 5.0
"""Times as far from the mean as the bound it is cut at, from which a farthest customer is told."""

MOSTLY = 0.5
"""Share of customers without a value, from which what counts for them is told."""


def feature_notes(
    sample: DataFrame, names: Sequence[str], scales: Sequence[Scale]
) -> Iterator[str]:
    """What is worth a look, a line each.

    Args:
        sample: customers, in one sorted partition, so that numbers come out the same on every run.
        names: features that were to be used.
        scales: of those that differ between customers.
    """
    guessed = [name for name in names if feature(name).missing == "median"]
    found = sample.agg(
        *[_reach(scale).alias(f"reach_{place}") for place, scale in enumerate(scales)],
        *[F.avg(feature(name).stored.isNull().cast("int")).alias(name) for name in guessed],
    ).collect()[0]
    unknown = {name: found[name] for name in guessed}
    used = {scale.feature for scale in scales}
    yield from _left_out([name for name in names if name not in used], names, unknown)
    for name, share in unknown.items():
        if name in used and share > MOSTLY:
            yield (
                f"{name} is unknown of {share:.0%} of the customers: they count as the median of "
                "the others"
            )
    yield from _equal(scales, _correlations(sample, scales))
    for place, scale in enumerate(scales):
        reach = found[f"reach_{place}"]
        if reach > FAR_OUT:
            yield (
                f"{scale.feature}: the farthest customer is {reach:.0f} times as far out as the "
                "bound that features are cut at: is it one customer?"
            )


def _left_out(
    constant: Sequence[str], names: Sequence[str], unknown: dict[str, float]
) -> Iterator[str]:
    """Features that are left out; values of an attribute together."""
    values = Counter(configured(name) for name in names)
    for name, count in Counter(configured(name) for name in constant).items():
        if name not in names:
            yield (
                f"{name}: {count} of {values[name]} values are left out: next to nobody has them, "
                "or next to everybody"
            )
        elif unknown.get(name) == 1:
            yield f"{name} is a number of nobody: it is left out"
        else:
            yield f"{name} is the same for everybody but who is cut off: it is left out"


def _equal(scales: Sequence[Scale], correlations: npt.NDArray[np.float64]) -> Iterator[str]:
    for (place, one), (other_place, other) in combinations(enumerate(scales), 2):
        correlation = correlations[place, other_place]
        # Values of one attribute are told apart by nothing else.
        is_same_attribute = configured(one.feature) == configured(other.feature)
        if abs(correlation) > NEARLY_EQUAL and not is_same_attribute:
            yield (
                f"{one.feature} and {other.feature} tell the same (correlation "
                f"{correlation:.3f}), which counts twice: leave one out"
            )


def _correlations(sample: DataFrame, scales: Sequence[Scale]) -> npt.NDArray[np.float64]:
    """Of winsorised values, each pair: in one pass, however many there are."""
    vector = array_to_vector(F.array(*[scale.standardised() for scale in scales]))
    matrix = Correlation.corr(sample.select(vector.alias("standard")), "standard").collect()[0][0]
    return np.asarray(matrix.toArray(), dtype=np.float64)


def _reach(scale: Scale) -> Column:
    bound = max(scale.high - scale.mean, scale.mean - scale.low)
    return F.max(F.abs(scale.transformed() - F.lit(scale.mean))) / F.lit(bound)
