"""Numbers in texts: their decimal mark, what else stands in them, and how to read them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from rfm_spark.app.proposal.currencies import SIGNS, currency_code, is_currency
from rfm_spark.app.proposal.strangers import most_strangers, strangers_doubt

_SPACES = " \u00a0\u202f\u2009"
_CURRENCY = rf"(?:[^\W\d_]{{0,3}}[{SIGNS}]|[^\W\d_]{{1,3}})"
_NUMBER = re.compile(
    rf"'?(?P<open>\()?(?P<sign>[-+\u2212]?)(?P<before>{_CURRENCY})?[{_SPACES}]*(?P<inner>[-\u2212]?)"
    rf"(?P<body>[0-9][0-9.,'\u2019{_SPACES}]*|[.,][0-9]+)[{_SPACES}]*(?P<after>{_CURRENCY})?(?P<last>-?)\)?"
)
_MOST_DIGITS = 38
"""Of Spark's decimals: larger numbers are none."""
_IN_GROUPS = re.compile(rf"\d{{1,3}}([{_SPACES}]\d{{3}})+([.,]\d*)?")
"""A number whose thousands stand apart: other spaces are of card and telephone numbers."""


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    Attributes:
        decimal: the decimal mark, a point or a comma.
        dropped: characters that are no part of the number: thousands marks, currency, spaces.
        minus: characters in place of a minus at the beginning, such as a bracket.
        has_minus_last: whether 12- is -12.
        currencies: ISO 4217 codes that signs or letters tell; the signs where they have no code.
        digits: most digits behind the decimal mark.
        mark_doubt: what is not certain of the decimal mark; empty otherwise.
        strangers_doubt: what is to be said of values that are no numbers; empty without any.
    """

    decimal: str = "."
    dropped: str = ""
    minus: str = ""
    has_minus_last: bool = False
    currencies: tuple[str, ...] = ()
    digits: int = 0
    mark_doubt: str = ""
    strangers_doubt: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether Spark reads the numbers as they are."""
        return not (self.dropped or self.minus or self.has_minus_last) and self.decimal == "."

    @property
    def currency(self) -> str:
        """ISO 4217 code, where all numbers that tell one tell the same."""
        codes = [one for one in self.currencies if re.fullmatch("[A-Z]{3}", one)]
        return codes[0] if len(codes) == len(self.currencies) == 1 else ""

    @property
    def doubts(self) -> list[str]:
        """All that is not certain."""
        mixed = ""
        if len(self.currencies) > 1:
            listed = ", ".join(self.currencies)
            mixed = f"has several currencies ({listed}): amounts are added up as if they were one"
        return [one for one in (self.mark_doubt, mixed, self.strangers_doubt) if one]

    def sql(self, column: str) -> str:
        """Spark SQL of a number's plain text, of a quoted column."""
        if self.is_plain:
            return column
        from_, to = self.minus, "-" * len(self.minus)
        if self.decimal == ",":
            from_, to = from_ + ",", to + "."
        text = f"translate({column}, {sql_text(from_ + self.dropped)}, {sql_text(to)})"
        return f"regexp_replace({text}, '^(.+)-$', '-$1')" if self.has_minus_last else text

    def read(self, value: Any) -> Decimal | None:
        """The number that a value is; None where it is none."""
        text = "" if value is None else str(value)
        table = {ord(one): None for one in self.dropped} | {ord(one): "-" for one in self.minus}
        if self.decimal == ",":
            table[ord(",")] = "."
        plain = text.translate(table).strip()
        if self.has_minus_last and plain.endswith("-"):
            plain = "-" + plain[:-1]
        if not re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", plain):
            return None
        try:
            number = Decimal(plain)
        except InvalidOperation:
            return None
        return number if abs(number.adjusted()) <= _MOST_DIGITS else None


def has_fraction(number: float | Decimal) -> bool:
    """Whether a number is no whole one."""
    if isinstance(number, Decimal):
        return number.is_finite() and number != number.to_integral_value()
    return math.isfinite(number) and bool(number % 1)


def sql_text(text: str) -> str:
    """A constant of Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def number_format(
    values: Iterable[Any], usual_decimal: str = "", *, is_named: bool = False
) -> NumberFormat | None:
    """The format of a column's numbers; None where they are no numbers.

    Args:
        values: those that are there, of any type.
        usual_decimal: the decimal mark of other columns, for numbers that do not tell theirs.
        is_named: whether the column's name tells that it has numbers.
    """
    there = [value for value in values if not isinstance(value, bool)]
    if there and all(isinstance(value, int | float | Decimal) for value in there):
        return _of_numbers(there)
    texts = Counter(str(value).strip() for value in there)
    found = [match for text in texts if (match := _number(text)) is not None]
    plain = {text for text in texts if re.fullmatch(r"-?\d+(\.\d+)?[eE][-+]?\d+", text)}
    numbers = plain.union(match[0] for match in found)
    strangers = sum(count for text, count in texts.items() if text not in numbers)
    if not found or strangers > most_strangers(len(there), is_named=is_named):
        return None
    decimal, mark_doubt = _decimal_mark([match["body"] for match in found], usual_decimal)
    kept = set("0123456789-+") | {decimal}
    seen = {one for match in found for one in match[0]}
    minus = "".join(sorted(seen & set("(\u2212")))
    behind = [body.rpartition(decimal)[2] for body in (m["body"].strip() for m in found)
              if decimal in body]  # fmt: skip
    codes = {currency_code(sign): None for match in found for sign in _currencies(match)}
    return NumberFormat(
        decimal if decimal in seen else ".",
        "".join(sorted(seen - kept - set(minus))),
        minus,
        any(match["last"] for match in found),
        tuple(codes),
        max(map(len, behind), default=0),
        mark_doubt,
        strangers_doubt(strangers, len(there), "number"),
    )


def _number(text: str) -> re.Match[str] | None:
    """The parts of a written number; None of codes, and of numbers of cards and telephones."""
    match = _NUMBER.fullmatch(text)
    if match is None or not all(map(is_currency, _currencies(match))):
        return None
    body = match["body"].strip(_SPACES)
    is_spaced = set(body) & set(_SPACES) and not _IN_GROUPS.fullmatch(body.rstrip(".,"))
    return None if is_spaced else match


def _currencies(number: re.Match[str]) -> list[str]:
    """What stands in front of a number and behind it."""
    return [sign.strip() for sign in (number["before"], number["after"]) if sign]


def _of_numbers(values: Iterable[float | Decimal]) -> NumberFormat:
    """Of values that are numbers already."""
    behind = [str(value).partition(".")[2] for value in values if has_fraction(value)]
    return NumberFormat(digits=max(map(len, behind), default=0))


def _decimal_mark(bodies: Iterable[str], usual: str) -> tuple[str, str]:
    """The decimal mark, and what is not certain of it."""
    votes: Counter[str] = Counter()
    unclear: Counter[str] = Counter()
    for body in bodies:
        marks = re.sub(r"[^.,]", "", body)
        if len(set(marks)) == 2:
            votes[marks[-1]] += 1
        elif len(marks) > 1:
            votes["," if marks[0] == "." else "."] += 1
        elif marks:
            before, _, behind = body.strip().partition(marks)
            is_clear = len(behind) != 3 or len(before) > 3 or before in ("", "0")
            (votes if is_clear else unclear)[marks] += 1
    if votes:
        mark, count = votes.most_common(1)[0]
        doubt = ""
        if count < sum(votes.values()):
            doubt = f"most values have {_mark_name(mark)} before the decimals, but not all"
        return mark, doubt
    if not unclear:
        return usual or ".", ""
    mark = unclear.most_common(1)[0][0]
    if usual:
        return usual, ""
    taken = "the thousands" if mark == "," else "the decimals"
    return ".", f"'1{mark}234' may be a thousand or one: {_mark_name(mark)} is taken for {taken}"


def _mark_name(mark: str) -> str:
    return "a comma" if mark == "," else "a point"
