"""Money: minor units as a person reads them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class MoneyFormat:
    """How amounts are written.

    Attributes:
        currency: shown beside them.
        minor_unit_digits: 2 where 1,990 minor units are 19.90.
    """

    currency: str
    minor_unit_digits: int

    def rounded(self, minor_units: float) -> str:
        """An amount to the nearest unit.

        >>> MoneyFormat("EUR", 2).rounded(123_456)
        '1,235'
        """
        return f"{minor_units / 10**self.minor_unit_digits:,.0f}"

    def exact(self, minor_units: int) -> str:
        """An amount to the last minor unit.

        >>> MoneyFormat("EUR", 2).exact(-1_990)
        '-19.90'
        """
        digits = self.minor_unit_digits
        return f"{Decimal(minor_units).scaleb(-digits):,.{digits}f}"
