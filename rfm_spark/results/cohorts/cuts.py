"""Cuts: cohorts by attributes of their members, each and all combinations of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.conditions import any_of

KEY = ("cut", "value")
_UNKNOWN, _JOINT = "unknown", " x "


def cut_columns(cuts: Sequence[str]) -> list[str]:
    """Columns of values while cohorts are made; names of attributes are free text.

    >>> cut_columns(["city", "age group"])
    ['cut_0', 'cut_1']
    """
    return [f"cut_{place}" for place in range(len(cuts))]


def uncut(rows: DataFrame, cuts: Sequence[str], key: Sequence[str]) -> DataFrame:
    """The sums of all values together.

    Args:
        rows: sums by `cut_columns` and a key.
        cuts: attributes.
        key: of the sums.
    """
    own = [name for name in rows.columns if name not in (*cut_columns(cuts), *key)]
    return rows.groupBy(*key).agg(*[F.sum(name).alias(name) for name in own])


def cube(rows: DataFrame, cuts: Sequence[str], key: Sequence[str]) -> DataFrame:
    """The sums by each attribute, and by each combination of several.

    Args:
        rows: sums by `cut_columns` and a key.
        cuts: attributes.
        key: of the sums.

    Returns:
        One row per KEY and the key: the same sums.
    """
    own = [name for name in rows.columns if name not in (*cut_columns(cuts), *key)]
    values = dict(zip(cuts, cut_columns(cuts), strict=True))
    some = [names for size in range(1, len(cuts) + 1) for names in combinations(cuts, size)]
    parts = [
        F.struct(
            F.lit(_JOINT.join(names)).alias("cut"),
            F.concat_ws(_JOINT, *[_told(values[name]) for name in names]).alias("value"),
        )
        for names in some
    ]
    told = rows.select(*key, *own, F.inline(F.array(*parts)))
    return told.groupBy(*KEY, *key).agg(*[F.sum(name).alias(name) for name in own])


def _told(column: str) -> Column:
    """A value as a person reads it; in quotes where it could be taken for none, or for several."""
    value = F.col(column)
    is_unclear = (value == _UNKNOWN) | value.contains(_JOINT) | value.startswith('"')
    quoted = F.concat(F.lit('"'), value, F.lit('"'))
    return F.when(value.isNull(), F.lit(_UNKNOWN)).when(is_unclear, quoted).otherwise(value)


def cut_problems(whole: DataFrame, cut: DataFrame) -> Iterator[str]:
    """Cuts whose values do not add up to the uncut cohorts.

    Args:
        whole: `cohorts`.
        cut: `cohort_cuts`.
    """
    cell = ("origin", "grain", "kind", "cohort", "period_index")
    # Who has not begun a period has no cell of its own there: only at the start all sizes are told.
    size = F.when(F.col("period_index") == 0, F.col("cohort_size")).alias("cohort_size")
    sums = (
        "cohort_size",
        "begun",
        "eligible",
        "active",
        "active_so_far",
        "retained",
        "revenue_cents",
    )
    told = [size, *map(F.col, sums[1:])]
    added = (
        cut.select("cut", *cell, *told)
        .groupBy("cut", *cell)
        .agg(*[F.sum(name).alias(f"cut_{name}") for name in sums])
    )
    wanted = whole.select(*cell, *told).crossJoin(cut.select("cut").distinct())
    both = wanted.join(added, ["cut", *cell], "full")
    differs = any_of(~F.col(name).eqNullSafe(F.col(f"cut_{name}")) for name in sums)
    for row in both.where(differs).groupBy("cut").count().collect():
        yield f"{row['count']:,} cells by {row['cut']} are not those of all customers"
