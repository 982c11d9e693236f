"""Units: how people write, and are told, the whole numbers that boundaries are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from rfm_spark.core.bigint import BIGINT_MAX, BIGINT_MIN
from rfm_spark.core.money import MoneyFormat
from rfm_spark.results.rfm.values import POINT_UNITS, Basis

_EXACT_DIGITS = 15
"""Of a decimal number that a float64, as which TOML numbers with a point are read, tells apart."""


@dataclass(frozen=True)
class ValueUnit:
    """The unit that people know a dimension's whole numbers in.

    Attributes:
        one: its name after 1; empty for none.
        many: after any other number.
        digits: decimals: 2 where 1,990 is 19.90.
        has_all_digits: whether 20 is told as 20.00.
        is_time: whether it is how long ago something was.
    """

    one: str
    many: str
    digits: int = 0
    has_all_digits: bool = False
    is_time: bool = False

    def parsed(self, written: int | float) -> int:
        """A number of the configuration as tables hold it, exactly.

        Raises:
            ValueError: if it has more decimals than the unit, or more digits than are told apart.

        >>> ValueUnit("EUR", "EUR", 2).parsed(19.9)
        1990
        """
        exact = Decimal(repr(written))  # the shortest text of a float is what was written
        if isinstance(written, float) and len(exact.normalize().as_tuple().digits) > _EXACT_DIGITS:
            raise ValueError(f"{written} has more than the {_EXACT_DIGITS} digits that are exact")
        amount = exact.scaleb(self.digits)
        if amount != amount.to_integral_value():
            most = f"at most {self.digits} decimals" if self.digits else "no decimals"
            raise ValueError(f"{written} is no number of {self.many}, which have {most}")
        if not BIGINT_MIN <= amount <= BIGINT_MAX:
            raise ValueError(f"{written} {self.many} are more than a table can hold")
        return int(amount)

    def number(self, amount: int) -> str:
        """As one writes it in the configuration.

        >>> ValueUnit("EUR", "EUR", 2, has_all_digits=True).number(123_450)
        '1234.50'
        """
        return self._figure(amount, "f")

    def told(self, amount: int) -> str:
        """As a person reads it.

        >>> ValueUnit("point", "points", 6).told(1_234_500_000)
        '1,234.5 points'
        """
        unit = self.one if amount == 10**self.digits else self.many
        return f"{self._figure(amount, ',f')} {unit}"

    def _figure(self, amount: int, style: str) -> str:
        text = format(Decimal(amount).scaleb(-self.digits), style)
        return text if self.has_all_digits or "." not in text else text.rstrip("0").rstrip(".")

    def range_told(self, least: int | None, end: int | None) -> str:
        """The values from one on, up to below another, in words.

        Args:
            least: the smallest; None without a lower end.
            end: the first that is no longer one of them; None without an upper end.

        >>> days = ValueUnit("day", "days", is_time=True)
        >>> [days.range_told(*ends) for ends in ((None, 13), (13, 32), (32, 33), (33, None))]
        ['within 12 days', '13 to 31 days', '32 days', '33 days or more']
        >>> ValueUnit("EUR", "EUR", 2, has_all_digits=True).range_told(2_000, 5_000)
        '20.00 to 49.99 EUR'
        >>> ValueUnit("point", "points", 6).range_told(2_500_000, 7_000_000)
        '2.5 to below 7 points'
        """
        if end is None:
            return "all values" if least is None else f"{self.told(least)} or more"
        if self._is_dense:  # nobody has the last value below a cut
            return (
                f"below {self.told(end)}" if least is None else self._between(least, end, "below ")
            )
        if least is None:
            return f"{'within' if self.is_time else 'up to'} {self.told(end - 1)}"
        return self.told(least) if least == end - 1 else self._between(least, end - 1, "")

    def _between(self, least: int, last: int, how: str) -> str:
        return f"{self._figure(least, ',f')} to {how}{self.told(last)}"

    @property
    def _is_dense(self) -> bool:
        return self.digits > 0 and not self.has_all_digits


_DAYS = ValueUnit("day", "days", is_time=True)
_VISITS = ValueUnit("visit", "visits")
_EVENTS = ValueUnit("event", "events")
_WEIGHTS = ValueUnit("weighted event", "weighted events")
_POINTS = ValueUnit("point", "points", len(str(POINT_UNITS)) - 1)


def units_of(basis: Basis, money: MoneyFormat) -> Mapping[str, ValueUnit]:
    """The unit of each dimension of a profile.

    Args:
        basis: what the profile counts.
        money: how the shop writes amounts.
    """
    currency, digits = money.currency, money.minor_unit_digits
    weights = {one.weight for one in basis.interactions} | ({basis.visit_weight} - {0})
    counted = _VISITS if not basis.interactions else _EVENTS
    return {
        "recency": _DAYS,
        "frequency": counted if weights == {1} else _WEIGHTS,
        "monetary": (
            ValueUnit(currency, currency, digits, has_all_digits=True)
            if basis.is_money
            else _POINTS
        ),
    }
