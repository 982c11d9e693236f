"""Conditions put together."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F


def any_of(conditions: Iterable[Column]) -> Column:
    """True where one of the conditions holds; false for none at all."""
    whole: Column | None = None
    for condition in conditions:
        whole = condition if whole is None else whole | condition
    return F.lit(False) if whole is None else whole
