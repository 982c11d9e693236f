"""Scores of customers of today, by cuts that were fitted to those of another day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.rfm.cut_points import CutPoints
from rfm_spark.results.rfm.scoring import scores_of


def bin_sizes(
    values: DataFrame, sets: Sequence[tuple[Mapping[str, Column], CutPoints]]
) -> list[dict[str, list[int]]]:
    """How many rows lie in the bins of several boundary sets; one query.

    Args:
        values: any rows.
        sets: columns of whole numbers by dimension, whose NULLs are left out, and their cuts.

    Returns:
        For each set, by dimension, the rows that have passed no cut, one, and so on.
    """
    counts = [
        F.count_if(value.isNotNull() & (score == one))
        for columns, cuts in sets
        for value, score in _scored(columns, cuts)
        for one in range(1, cuts.scores + 1)
    ]
    [found] = values.agg(*[one.alias(str(place)) for place, one in enumerate(counts)]).collect()
    told = iter(found)
    sizes = []
    for columns, cuts in sets:
        of_set = {dimension: [next(told) for _ in range(cuts.scores)] for dimension in columns}
        # The best recency has passed no cut.
        sizes.append(
            {name: own[::-1] if name == "recency" else own for name, own in of_set.items()}
        )
    return sizes


def _scored(columns: Mapping[str, Column], cuts: CutPoints) -> list[tuple[Column, Column]]:
    found = scores_of(columns, cuts, cuts.scores)
    return list(zip(columns.values(), found.values(), strict=True))
