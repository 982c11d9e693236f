"""Currencies: their signs and letters beside numbers, and the digits of their minor units."""

from __future__ import annotations

import re

SIGNS = "$€£¥₹₽₩₺₪₫฿₴₦\x80"  # \x80 is windows-1252's €, read as ISO-8859-1
_CODES = {
    "€": "EUR", "\x80": "EUR",
    "£": "GBP", "$": "USD", "US$": "USD", "¥": "JPY", "₹": "INR", "₽": "RUB",
    "₩": "KRW", "₺": "TRY", "₪": "ILS", "₫": "VND", "฿": "THB", "₴": "UAH", "₦": "NGN",
    "R$": "BRL", "A$": "AUD", "C$": "CAD", "NZ$": "NZD", "zł": "PLN", "Kč": "CZK",
}  # fmt: skip
_LETTERS = {
    "aed", "ars", "aud", "bgn", "brl", "cad", "chf", "clp", "cny", "cop", "czk", "dkk", "egp",
    "eur", "fr", "gbp", "hkd", "huf", "idr", "ils", "inr", "isk", "jpy", "kč", "kr", "krw",
    "lt", "mad", "mxn", "myr", "ngn", "nok", "nzd", "pen", "php", "pln", "rmb", "ron", "rs",
    "rub", "sar", "sek", "sgd", "thb", "try", "twd", "uah", "usd", "vnd", "zar", "zł",
}  # fmt: skip
"""Currencies by their letters: those of other words are of codes, such as ORD-1001 and B7."""
_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "XOF": 0, "XAF": 0,
           "KWD": 3, "BHD": 3, "OMR": 3, "TND": 3, "JOD": 3, "IQD": 3, "LYD": 3}  # fmt: skip
"""Digits of minor units that are not two (ISO 4217)."""


def is_currency(text: str) -> bool:
    """Whether what stands beside a number can be a currency, and no piece of a code."""
    return not text.isalpha() or text.lower() in _LETTERS


def currency_code(text: str) -> str:
    """ISO 4217 code of a sign or of letters; as it stands where it is neither."""
    return _CODES.get(text, text.upper() if re.fullmatch("[A-Za-z]{3}", text) else text)


def minor_unit_digits(currency: str) -> int:
    """Digits behind the point of a currency by its code; two where nothing else is known."""
    return _DIGITS.get(currency, 2)
