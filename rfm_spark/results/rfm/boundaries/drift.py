"""Bins of customers of today, by cuts that were fitted to those of another day."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.cuts import Cut


def bin_sizes(
    values: DataFrame, dimensions: Sequence[tuple[str, Sequence[Cut]]]
) -> list[list[int]]:
    """How many rows lie in each bin of several columns; one query.

    Args:
        values: any rows.
        dimensions: a column of whole numbers, whose NULLs are left out, and its ascending cuts.

    Returns:
        For each of them the rows that have passed no cut, one, and so on.
    """
    counts = [
        count
        for column, cuts in dimensions
        for count in (
            F.count(column),
            *[F.count_if(F.col(column) >= cut) for cut in cuts if cut is not None],
        )
    ]
    [found] = values.agg(*[one.alias(str(place)) for place, one in enumerate(counts)]).collect()
    told = iter(found)
    sizes = []
    for _, cuts in dimensions:
        passed = [next(told), *[0 if cut is None else next(told) for cut in cuts]]
        sizes.append([more - less for more, less in zip(passed, [*passed[1:], 0], strict=True)])
    return sizes
