"""Money parsing: amounts to integer minor units through DECIMAL, never through floating point."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

DECIMAL_TYPE = "DECIMAL(18,6)"
"""Spark type of parsed numbers: two of them multiply without losing a digit."""

_MINOR_UNITS_TYPE = "DECIMAL(13,0)"
"""Spark type of an amount in minor units: 900,000 of the largest add up to less than a BIGINT."""

_FINE_FACTOR_TYPE = "DECIMAL(18,9)"
_FINE_AMOUNT_TYPE = "DECIMAL(30,18)"


def to_decimal(number: Column) -> Column:
    """A quantity, price or amount as DECIMAL; NULL where it is not a number or too large.

    A DOUBLE goes through its shortest decimal text, so 1.15 is 1.15 and not 1.1499999.
    """
    return number.try_cast(DECIMAL_TYPE)


def amount_in_minor_units(amount: Column, digits: int) -> Column:
    """An amount as BIGINT minor units; NULL where it is no number or does not fit.

    Read to 18 digits behind the point, so that it is rounded only once.
    """
    return _rounded(amount.try_cast(_FINE_AMOUNT_TYPE), digits)


def price_in_minor_units(quantity: Column, unit_price: Column, digits: int) -> Column:
    """A quantity at a price as BIGINT minor units; NULL where either is no number, or too large.

    To nine digits behind the point, as a price per gram has; to six where a number has more than
    nine before it.
    """
    fine = quantity.try_cast(_FINE_FACTOR_TYPE) * unit_price.try_cast(_FINE_FACTOR_TYPE)
    coarse = to_decimal(quantity) * to_decimal(unit_price)
    return F.coalesce(_rounded(fine, digits), _rounded(coarse, digits))


def _rounded(amount: Column, digits: int) -> Column:
    """Half-even, as definitions have it; NULL beyond what can be added up."""
    minor_units = (F.bround(amount, digits) * F.lit(10**digits)).try_cast(_MINOR_UNITS_TYPE)
    return minor_units.cast("bigint")
