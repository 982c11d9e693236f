"""Nests: the customers that cuts lie within, counted, and found again in rows of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.rfm.boundaries.buckets import Buckets
from rfm_spark.results.rfm.cut_points import CutPoints, Nest, nests
from rfm_spark.results.rfm.scores import nest_place
from rfm_spark.results.rfm.scoring import DIMENSIONS, scores_of


@dataclass(frozen=True)
class Nested:
    """A column that is to be cut within the scores before it.

    Attributes:
        columns: of all three dimensions, in their order.
        before: cuts of the dimensions before it.
    """

    columns: Mapping[str, str]
    before: CutPoints

    @property
    def depth(self) -> int:
        """How many dimensions are before it."""
        return len(self.before.by_nest)

    @property
    def column(self) -> str:
        """Of the dimension itself."""
        return self.columns[list(DIMENSIONS)[self.depth]]

    def nests(self) -> list[Nest]:
        """All there are."""
        return nests(self.before.scores, self.depth)

    def place(self) -> Column:
        """Of a row's nest among `nests`."""
        before = {one: F.col(self.columns[one]) for one in self.before.by_nest}
        scores = scores_of(before, self.before, self.before.scores)
        return nest_place(list(scores.values()), self.before.scores)


def in_nests(values: DataFrame, nested: Mapping[str, Nested]) -> DataFrame:
    """Rows of values, each with the place of its nest.

    Args:
        values: with the columns of all of them.
        nested: by the name of the column to come; NULL there where the value is.
    """
    places = {
        name: F.when(F.col(one.column).isNotNull(), one.place()) for name, one in nested.items()
    }
    return values.withColumns(places)


def nest_wholes(values: DataFrame, nested: Mapping[str, Nested]) -> dict[str, dict[Nest, Buckets]]:
    """One bucket of all values of each nest that has some; one query, a row a nest.

    Args:
        values: `in_nests`.
        nested: the same.
    """
    looked_at = [
        F.struct(
            F.lit(name).alias("name"),
            F.col(name).alias("place"),
            F.col(one.column).cast("bigint").alias("value"),
        )
        for name, one in nested.items()
    ]
    found = (
        values.select(F.inline(F.array(*looked_at)))
        .where(F.col("place").isNotNull())
        .groupBy("name", "place")
        .agg(F.min("value").alias("first"), F.max("value").alias("last"), F.count("*").alias("n"))
        .collect()
    )
    wholes: dict[str, dict[Nest, Buckets]] = {name: {} for name in nested}
    for name, place, first, last, count in sorted(found):
        wholes[name][nested[name].nests()[place]] = Buckets.one(first, last, count)
    return wholes
