"""Group cuts: where each feature is cut into a few groups whose sizes are nearest to equal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from pyspark.sql import Column, DataFrame

from rfm_spark.core.cuts import Histogram, balanced_cuts
from rfm_spark.results.clusters.ranks import ranked_values


def group_cuts(sample: DataFrame, features: Sequence[Column], groups: int) -> list[list[float]]:
    """Cuts of every feature into groups whose sizes are nearest to equal, ties kept together.

    They are the cuts of the method `balanced` over 1,024 equal steps of rank, so that they are at
    most a thousandth of the customers away from those over all values.

    Args:
        sample: customers, in one sorted partition, so that ranks come out the same on every run.
        features: in their own units; none is NULL.
        groups: of each feature.

    Returns:
        For each feature `groups` - 1 ascending cuts, lower-inclusive, in its own unit.
    """
    return [_cuts(found, groups) for found in ranked_values(sample, features)]


def _cuts(ranked: Sequence[float], groups: int) -> list[float]:
    counted = [(value, len(list(same))) for value, same in groupby(ranked)]
    places = np.arange(len(counted), dtype=np.int64)
    histogram = Histogram(places, np.array([count for _, count in counted], dtype=np.int64))
    cuts = balanced_cuts(histogram, groups)
    return [counted[place][0] for place in cuts if place is not None]
