"""Squared distances of customers to centres, in standard units, as SQL expressions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.results.clusters.standard_units import Scale

Centres = npt.NDArray[np.float64]
"""One row per cluster, one column per scale, in standard units."""


def standard_name(feature: str) -> str:
    """The column of a feature in standard units."""
    return f"{feature}_standard"


def standard_column(feature: str) -> Column:
    """The same over a row that has it; names of further features are free text."""
    return by_name(standard_name(feature))


def by_name(column: str) -> Column:
    """A column whose name is no path, whatever is in it."""
    quoted = column.replace("`", "``")
    return F.col(f"`{quoted}`")


def standard_columns(scales: Sequence[Scale]) -> list[Column]:
    """Features in standard units, by their names."""
    return [scale.standardised().alias(standard_name(scale.feature)) for scale in scales]


def squared_distances(scales: Sequence[Scale], centres: Centres) -> list[Column]:
    """To every centre, over a row of `standard_columns`; training and scoring share it."""
    return [_squared(scales, centre) for centre in centres]


def _squared(scales: Sequence[Scale], centre: npt.NDArray[np.float64]) -> Column:
    gaps = [
        standard_column(scale.feature) - F.lit(float(at))
        for scale, at in zip(scales, centre, strict=True)
    ]
    squares = [gap * gap for gap in gaps]
    return sum(squares[1:], squares[0])
