"""Money: the column of amounts, or a quantity and a price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median

from rfm_spark.app.proposal.amounts import Amount
from rfm_spark.app.proposal.choices import Facts
from rfm_spark.app.proposal.currencies import minor_unit_digits
from rfm_spark.app.proposal.facts import ColumnFacts, best_named
from rfm_spark.app.proposal.fields import Field, as_text
from rfm_spark.app.proposal.names import CERTAIN, points, words_of
from rfm_spark.app.proposal.numbers import NumberFormat
from rfm_spark.app.proposal.strangers import most_strangers

_MINOR_UNITS = {"cent", "cents", "minor", "pence", "penny", "centimes", "centimos", "centavos"}
_LARGE = 100
"""Whole amounts of which half are so large may be cents."""
_MOST_CURRENCIES = 20


@dataclass(frozen=True)
class Money:
    """Fields of money.

    Attributes:
        fields: `amount` or `unit_price`, and perhaps `quantity`.
        taken: names of their columns.
        currency: ISO 4217 code that the amounts tell; empty where they tell none.
        digits: most digits behind the decimal mark.
        doubts: what is not certain.
    """

    fields: Mapping[str, Field]
    taken: set[str]
    currency: str
    digits: int
    doubts: Sequence[str]


def chosen_money(facts: Facts, taken: set[str], receipt: ColumnFacts | None) -> Money | None:
    """The money of a row; None where nothing tells it.

    Args:
        facts: of all columns.
        taken: names of columns that are something else.
        receipt: the id of receipts of several lines; None where a row is a receipt.
    """
    free = {name: one for name, one in facts.items() if name not in taken and one.is_amount}
    quantity = next(iter(best_named(free, "quantity", CERTAIN)), None)
    rest = {name: one for name, one in free.items() if one is not quantity}
    amounts = [
        one
        for one in best_named(rest, "amount", CERTAIN - 8)
        if points("amount", one.name) >= points("unit_price", one.name)
    ]
    price = next(iter(best_named(rest, "unit_price", CERTAIN - 8)), None)
    of_lines = [one for one in amounts if receipt is None or not _is_of_receipts(one, receipt)]
    if of_lines:
        return _money(facts, "amount", of_lines[0], quantity, _rivals(of_lines))
    if price is not None and quantity is not None:
        return _money(facts, "unit_price", price, quantity, [])
    if amounts:
        doubt = (
            f"{amounts[0].name} is the same on all lines of a receipt: if it is the receipt's "
            "total, it is added up once for each line; map a price and a quantity"
        )
        return _money(facts, "amount", amounts[0], quantity, [doubt])
    if price is not None:
        doubt = f"{price.name} is taken for the money of a row: there is no quantity"
        return _money(facts, "amount", price, None, [doubt])
    return _by_values(facts, rest, quantity)


def _by_values(facts: Facts, free: Facts, quantity: ColumnFacts | None) -> Money | None:
    """A column of numbers with decimals, where no name tells the money."""
    found = [one for one in free.values() if one.is_fractional or one.numbers.currency]  # type: ignore[union-attr]
    if not found:
        return None
    best = max(found, key=lambda one: (bool(one.numbers.currency), one.distinct))  # type: ignore[union-attr]
    others = [one.name for one in found if one is not best]
    doubt = f"{best.name} is taken for the money, as its values look like amounts" + (
        f"; so do those of {', '.join(others)}" if others else ""
    )
    return _money(facts, "amount", best, quantity, [doubt])


def amount_of(one: ColumnFacts, currency: str) -> tuple[Amount, list[str]]:
    """The field of a column of money, and what is not certain of it.

    Args:
        one: the column, of numbers.
        currency: ISO 4217 code of its money; empty where nothing tells it.
    """
    assert one.numbers is not None
    field = Amount(((one.column, one.numbers),))
    doubts = one.doubts
    per_unit = 10 ** minor_unit_digits(currency)
    if per_unit == 1 or one.numbers.digits:
        return field, doubts
    if set(words_of(one.name)) & _MINOR_UNITS:
        told = f"{one.name} is divided by {per_unit}, as its name tells of minor units"
        return replace(field, per_unit=per_unit), [*doubts, told]
    numbers = [abs(number) for value in one.values
               if (number := one.numbers.read(value)) is not None]  # fmt: skip
    if median(numbers) >= _LARGE:
        doubts.append(
            f"{one.name} has whole numbers alone, which are taken for whole units of money: "
            f"if they are minor units such as cents, write its expression with / {per_unit}"
        )
    return field, doubts


def told_currency(facts: Facts, money: NumberFormat) -> tuple[str, list[str]]:
    """ISO 4217 code that signs, or a column of codes, tell; and what is not certain of it."""
    if money.currency:
        return money.currency, []
    for one in best_named(facts, "currency", CERTAIN):
        codes = {as_text(value).strip().upper() for value in one.values if value is not None}
        if len(codes) == 1 and (code := codes.pop()).isalpha() and len(code) == 3:
            return code, []
        if 1 < len(codes) < _MOST_CURRENCIES:
            told = f"{one.name} has {len(codes)} currencies ({', '.join(sorted(codes))})"
            return "", [f"{told}: amounts are added up as if they were one"]
    return "", []


def _money(
    facts: Facts, key: str, money: ColumnFacts, quantity: ColumnFacts | None, doubts: list[str]
) -> Money:
    assert money.numbers is not None
    currency, doubts_of_currency = told_currency(facts, money.numbers)
    amount, doubts_of_amount = amount_of(money, currency)
    fields: dict[str, Field] = {}
    told = [*doubts, *doubts_of_currency]
    if quantity is not None and quantity.numbers is not None:
        fields["quantity"] = Amount(((quantity.column, quantity.numbers),))
        told += quantity.doubts
    fields[key] = amount
    names = {one.name for one in (quantity, money) if one is not None}
    return Money(fields, names, currency, money.numbers.digits, told + doubts_of_amount)


def _rivals(amounts: Sequence[ColumnFacts]) -> list[str]:
    best, *others = amounts
    least = points("amount", best.name) - 10
    as_good = [one.name for one in others if points("amount", one.name) >= least]
    if not as_good:
        return []
    return [f"{best.name} is taken for the money; there is {', '.join(as_good)} as well"]


def _is_of_receipts(amount: ColumnFacts, receipt: ColumnFacts) -> bool:
    """Whether the lines of each receipt have one amount, though receipts have several lines."""
    assert amount.numbers is not None
    found: defaultdict[object, list[Decimal | None]] = defaultdict(list)
    for one, value in zip(receipt.values, amount.values, strict=True):
        if one is not None:
            found[one].append(amount.numbers.read(value))
    several = [values for values in found.values() if len(values) > 1]
    differ = sum(len(set(values)) > 1 for values in several)
    return len(several) > 1 and differ <= most_strangers(len(several))
