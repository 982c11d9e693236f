"""Money: the column of amounts, or a quantity and a price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rfm_spark.app.proposal.choices import Facts
from rfm_spark.app.proposal.facts import ColumnFacts, best_named
from rfm_spark.app.proposal.fields import Amount, Field
from rfm_spark.app.proposal.names import CERTAIN, points


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
        return _money("amount", of_lines[0], quantity, _rivals(of_lines))
    if price is not None and quantity is not None:
        return _money("unit_price", price, quantity, [])
    if amounts:
        doubt = (
            f"{amounts[0].name} is the same on all lines of a receipt: if it is the receipt's "
            "total, it is added up once for each line; map a price and a quantity"
        )
        return _money("amount", amounts[0], quantity, [doubt])
    if price is not None:
        doubt = f"{price.name} is taken for the money of a row: there is no quantity"
        return _money("amount", price, None, [doubt])
    return _by_values(rest, quantity)


def _by_values(free: Facts, quantity: ColumnFacts | None) -> Money | None:
    """A column of numbers with decimals, where no name tells the money."""
    found = [one for one in free.values() if one.is_fractional or one.numbers.currency]  # type: ignore[union-attr]
    if not found:
        return None
    best = max(found, key=lambda one: (bool(one.numbers.currency), one.distinct))  # type: ignore[union-attr]
    others = [one.name for one in found if one is not best]
    doubt = f"{best.name} is taken for the money, as its values look like amounts" + (
        f"; so do those of {', '.join(others)}" if others else ""
    )
    return _money("amount", best, quantity, [doubt])


def _money(key: str, money: ColumnFacts, quantity: ColumnFacts | None, doubts: list[str]) -> Money:
    found = [one for one in (quantity, money) if one is not None]
    fields: dict[str, Field] = {}
    told = list(doubts)
    for name, one in zip(["quantity", key] if quantity else [key], found, strict=True):
        assert one.numbers is not None
        fields[name] = Amount(((one.column, one.numbers),))
        if one.numbers.doubt:
            told.append(f"{one.name}: {one.numbers.doubt}")
    assert money.numbers is not None
    names = {one.name for one in found}
    return Money(fields, names, money.numbers.currency, money.numbers.digits, told)


def _rivals(amounts: Sequence[ColumnFacts]) -> list[str]:
    best, *others = amounts
    least = points("amount", best.name) - 10
    as_good = [one.name for one in others if points("amount", one.name) >= least]
    if not as_good:
        return []
    return [f"{best.name} is taken for the money; there is {', '.join(as_good)} as well"]


def _is_of_receipts(amount: ColumnFacts, receipt: ColumnFacts) -> bool:
    """Whether all lines of each receipt have one amount, though receipts have several lines."""
    assert amount.numbers is not None
    found: defaultdict[object, list[Decimal | None]] = defaultdict(list)
    for one, value in zip(receipt.values, amount.values, strict=True):
        if one is not None:
            found[one].append(amount.numbers.read(value))
    several = [values for values in found.values() if len(values) > 1]
    return len(several) > 1 and all(len(set(values)) == 1 for values in several)
