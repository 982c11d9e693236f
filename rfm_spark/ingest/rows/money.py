"""Money: integer minor units, parsed through DECIMAL and never through floating point."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

DECIMAL = "DECIMAL(18,6)"
"""Two of these multiply without losing a digit."""


def decimal(number: Column) -> Column:
    """A quantity, price or amount as DECIMAL; NULL where it is not a number or too large.

    A DOUBLE goes through its shortest decimal text, so 1.15 is 1.15 and not 1.1499999.
    """
    return number.try_cast(DECIMAL)


def minor_units(amount: Column, digits: int) -> Column:
    """A DECIMAL amount as BIGINT minor units, rounded half-even; NULL where it does not fit."""
    return (F.bround(amount, digits) * F.lit(10**digits)).try_cast("bigint")
