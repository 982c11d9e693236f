"""Money parsing: amounts to integer minor units through DECIMAL, never through floating point."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

DECIMAL_TYPE = "DECIMAL(18,6)"
"""Spark type of parsed numbers: two of them multiply without losing a digit."""


def to_decimal(number: Column) -> Column:
    """A quantity, price or amount as DECIMAL; NULL where it is not a number or too large.

    A DOUBLE goes through its shortest decimal text, so 1.15 is 1.15 and not 1.1499999.
    """
    return number.try_cast(DECIMAL_TYPE)


def to_minor_units(amount: Column, digits: int) -> Column:
    """A DECIMAL amount as BIGINT minor units, rounded half-even; NULL where it does not fit."""
    return (F.bround(amount, digits) * F.lit(10**digits)).try_cast("bigint")
