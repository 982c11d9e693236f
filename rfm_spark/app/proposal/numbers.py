"""Numbers in texts: their decimal mark, what else stands in them, and how to read them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

_SIGNS = "$€£¥₹₽₩₺₪₫฿₴₦\x80"  # \x80 is windows-1252's €, read as ISO-8859-1
_SPACES = " \u00a0\u202f\u2009"
_CURRENCY = rf"(?:[^\W\d_]{{0,3}}[{_SIGNS}]|[^\W\d_]{{1,3}})"
_NUMBER = re.compile(
    rf"'?(?P<open>\()?(?P<sign>[-+\u2212]?)(?P<before>{_CURRENCY})?[{_SPACES}]*(?P<inner>[-\u2212]?)"
    rf"(?P<body>\d[\d.,'\u2019{_SPACES}]*|[.,]\d+)[{_SPACES}]*(?P<after>{_CURRENCY})?(?P<last>-?)\)?"
)
_CODES = {
    "€": "EUR", "\x80": "EUR",
    "£": "GBP", "$": "USD", "US$": "USD", "¥": "JPY", "₹": "INR", "₽": "RUB",
    "₩": "KRW", "₺": "TRY", "₪": "ILS", "₫": "VND", "฿": "THB", "₴": "UAH", "₦": "NGN",
    "R$": "BRL", "A$": "AUD", "C$": "CAD", "NZ$": "NZD", "zł": "PLN", "Kč": "CZK",
}  # fmt: skip
_LETTERS = frozenset(
    [
        "aed",
        "ars",
        "aud",
        "bgn",
        "brl",
        "cad",
        "chf",
        "clp",
        "cny",
        "cop",
        "czk",
        "dkk",
        "egp",
        "eur",
        "fr",
        "gbp",
        "hkd",
        "huf",
        "idr",
        "ils",
        "inr",
        "isk",
        "jpy",
        "kč",
        "kr",
        "krw",
        "lt",
        "mad",
        "mxn",
        "myr",
        "ngn",
        "nok",
        "nzd",
        "pen",
        "php",
        "pln",
        "rmb",
        "ron",
        "rs",
        "rub",
        "sar",
        "sek",
        "sgd",
        "thb",
        "try",
        "twd",
        "uah",
        "usd",
        "vnd",
        "zar",
        "zł",
    ]
)
"""Currencies by their letters: those of other words are of codes, such as ORD-1001 and B7."""
_IN_GROUPS = re.compile(rf"\d{{1,3}}([{_SPACES}]\d{{3}})+([.,]\d*)?")
"""A number whose thousands stand apart: other spaces are of card and telephone numbers."""
_MOST_STRANGERS = 0.02
"""Share of values that may be no numbers, such as n/a, in a column of numbers."""


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    Attributes:
        decimal: the decimal mark, a point or a comma.
        dropped: characters that are no part of the number: thousands marks, currency, spaces.
        minus: characters in place of a minus at the beginning, such as a bracket.
        has_minus_last: whether 12- is -12.
        currency: ISO 4217 code that signs or letters tell; empty where they tell none.
        digits: most digits behind the decimal mark.
        doubt: what is not certain; empty otherwise.
    """

    decimal: str = "."
    dropped: str = ""
    minus: str = ""
    has_minus_last: bool = False
    currency: str = ""
    digits: int = 0
    doubt: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether Spark reads the numbers as they are."""
        return not (self.dropped or self.minus or self.has_minus_last) and self.decimal == "."

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
        try:
            return Decimal(plain) if re.fullmatch(r"[-+]?[\d.]+([eE][-+]?\d+)?", plain) else None
        except InvalidOperation:
            return None


def sql_text(text: str) -> str:
    """A constant of Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def number_format(values: Iterable[Any], usual_decimal: str = "") -> NumberFormat | None:
    """The format of a column's numbers; None where they are no numbers.

    Args:
        values: those that are there, of any type.
        usual_decimal: the decimal mark of other columns, for numbers that do not tell theirs.
    """
    there = [value for value in values if not isinstance(value, bool)]
    if there and all(isinstance(value, int | float | Decimal) for value in there):
        return _of_numbers(there)
    texts = list(dict.fromkeys(str(value).strip() for value in there))
    found = [match for text in texts if (match := _NUMBER.fullmatch(text))]
    plain = [text for text in texts if re.fullmatch(r"-?\d+(\.\d+)?[eE][-+]?\d+", text)]
    if not found or len(found) + len(plain) < (1 - _MOST_STRANGERS) * len(texts):
        return None
    decimal, doubt = _decimal_mark([match["body"] for match in found], usual_decimal)
    currencies = Counter(
        sign.strip() for match in found for sign in (match["before"], match["after"]) if sign
    )
    if len(currencies) > 3 or any(
        sign.isalpha() and sign.lower() not in _LETTERS for sign in currencies
    ):
        return None
    bodies = [match["body"].strip(_SPACES) for match in found]
    if any(
        set(body) & set(_SPACES) and not _IN_GROUPS.fullmatch(body.rstrip(".,")) for body in bodies
    ):
        return None
    kept = set("0123456789-+") | {decimal}
    seen = {one for match in found for one in match[0]}
    minus = "".join(sorted(seen & set("(\u2212")))
    dropped = "".join(sorted(seen - kept - set(minus)))
    behind = [body.rpartition(decimal)[2] for body in (m["body"].strip() for m in found)
              if decimal in body]  # fmt: skip
    if len(found) + len(plain) < len(texts):
        doubt = doubt or "some values are no numbers: their rows will be turned away"
    return NumberFormat(
        decimal if decimal in seen else ".",
        dropped,
        minus,
        any(match["last"] for match in found),
        _currency(currencies),
        max(map(len, behind), default=0),
        doubt,
    )


def _of_numbers(values: Iterable[float | Decimal]) -> NumberFormat:
    """Of values that are numbers already."""
    behind = [str(value).partition(".")[2] for value in values if value % 1]
    return NumberFormat(digits=max(map(len, behind), default=0))


def _currency(signs: Counter[str]) -> str:
    codes = {_CODES.get(sign, sign.upper() if re.fullmatch("[A-Za-z]{3}", sign) else "")
             for sign in signs}  # fmt: skip
    return codes.pop() if len(codes) == 1 else ""


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
