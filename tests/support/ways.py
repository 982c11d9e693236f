"""Ways to write the fields of receipts, as texts and in types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

ZONE = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Sold:
    """A line of a receipt, or a whole one; money in cents, the time on the wall of the shop."""

    receipt: int
    customer: int | None
    at: datetime
    pieces: int
    cents: int
    category: str
    store: str

    @property
    def instant(self) -> datetime:
        return self.at.replace(tzinfo=ZONE).astimezone(UTC)


def _sold() -> list[Sold]:
    """Lines of 24 receipts of seven customers and some guests, in winter and summer time.

    Midnight lies elsewhere in UTC; amounts have thousands, are small, nothing, or given back.
    """
    amounts = [123450, 1999, 5, 250000, -450, 0, 9999999, 1234567, 100, 31, -123456, 89910]
    start = datetime.fromisoformat("2026-01-05 00:10")
    lines = []
    for number in range(24):
        at = start + timedelta(days=9 * number, minutes=607 * number)
        customer = None if number % 8 == 7 else 20417 + number * 5 % 7
        for place in range(1 + number % 3):
            cents = amounts[(number + 5 * place) % len(amounts)]
            lines.append(
                Sold(
                    100_200 + number,
                    customer,
                    at,
                    -1 if cents < 0 else 1 + (number + place) % 4,
                    cents,
                    ("Käse", "Brot", "Öl", "Tee")[(number + place) % 4],
                    ("Nord", "Süd")[number % 2],
                )
            )
    return lines


LINES = _sold()


def of_receipts(lines: Sequence[Sold]) -> list[list[Sold]]:
    """The lines of each receipt."""
    found = defaultdict(list)
    for one in lines:
        found[one.receipt].append(one)
    return list(found.values())


def whole(lines: Sequence[Sold]) -> list[Sold]:
    """A row a receipt; of one that gives back more than it takes, the pieces are given back."""
    rows = []
    for own in of_receipts(lines):
        cents = sum(line.cents for line in own)
        pieces = sum(line.pieces for line in own)
        pieces = -abs(pieces) if cents < 0 else pieces
        rows.append(replace(own[0], pieces=pieces, cents=cents, category=""))
    return rows


@dataclass(frozen=True)
class Way:
    """How a field is written.

    Attributes:
        write: the value in the file, of a row; None where there is none.
        sql: of a column, what gives the field as the configuration reads it.
        type: of the value in files that have types; None for text.
        settings: further keys of the section.
        suffix: what the column's name tells of it.
    """

    write: Callable[[Sold], Any]
    sql: str = ""
    type: Any = None
    settings: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


def _grouped(cents: int, marks: str) -> str:
    """1,234.50 with other marks for thousands and decimals."""
    return f"{cents / 100:,.2f}".translate(str.maketrans(",.", marks))


def _time(pattern: str, *, is_utc: bool = False) -> Callable[[Sold], str]:
    """By a pattern of Python's, in which a ~ takes the zero off the number behind it."""

    def written(one: Sold) -> str:
        at = one.instant if is_utc else one.at.replace(tzinfo=ZONE)
        text = at.strftime(pattern)
        return text.replace("~0", "").replace("~", "")

    return written


def _epoch(one: Sold) -> int:
    return int(one.instant.timestamp())


_POINT = "CAST(translate({}, '%s', '%s') AS DECIMAL(18,2))"
MONEY_AS_TEXT = {
    "point": Way(lambda one: f"{one.cents / 100:.2f}"),
    "comma": Way(lambda one: f"{one.cents / 100:.2f}".replace(".", ","), _POINT % (",", ".")),
    "1,234.50": Way(lambda one: _grouped(one.cents, ",."), _POINT % (".,", ".")),
    "1.234,50": Way(lambda one: _grouped(one.cents, ".,"), _POINT % (",.", ".")),
    "1 234,50 €": Way(lambda one: _grouped(one.cents, " ,") + " €", _POINT % (", €", ".")),
    "1'234.50": Way(lambda one: _grouped(one.cents, "'."), _POINT % (".\\'", ".")),
    "$1,234.50": Way(lambda one: "-" * (one.cents < 0) + "$" + _grouped(abs(one.cents), ",."),
                     _POINT % (".,$", ".")),
    "(1,234.50)": Way(
        lambda one: ("({})" if one.cents < 0 else "{}").format(_grouped(abs(one.cents), ",.")),
        _POINT % ("(.,)", "-."),
    ),
    "1.234,50-": Way(
        lambda one: _grouped(abs(one.cents), ".,") + "-" * (one.cents < 0),
        "regexp_replace(translate({}, ',.', '.'), '^(.*)-$', '-$1')",
    ),
    "cents": Way(lambda one: str(one.cents), "CAST({} AS DECIMAL(18,2)) / 100", suffix=" cents"),
}  # fmt: skip
MONEY_AS_NUMBER = {
    "decimal": Way(lambda one: Decimal(one.cents) / 100, type=pa.decimal128(12, 2)),
    "fine decimal": Way(lambda one: Decimal(one.cents) / 100, type=pa.decimal128(30, 10)),
    "double": Way(lambda one: one.cents / 100, type=pa.float64()),
    "whole cents": Way(lambda one: one.cents, "CAST({} AS DECIMAL(18,2)) / 100", pa.int64(),
                       suffix=" cents"),
}  # fmt: skip
_INSTANT = "concat(timestamp_{}(CAST({{}} AS BIGINT)), 'Z')"
TIMES_AS_TEXT = {
    "ISO": Way(_time("%Y-%m-%d %H:%M:%S")),
    "ISO with T": Way(_time("%Y-%m-%dT%H:%M")),
    "ISO with an offset": Way(_time("%Y-%m-%dT%H:%M:%S%z")),
    "ISO with Z": Way(_time("%Y-%m-%dT%H:%M:%S.000Z", is_utc=True)),
    "d.M.yyyy": Way(_time("~%d.~%m.%Y %H:%M"), settings={"time_format": "d.M.yyyy HH:mm"}),
    "dd/MM/yyyy": Way(_time("%d/%m/%Y %H:%M"), settings={"time_format": "dd/MM/yyyy HH:mm"}),
    "MM/dd/yyyy": Way(_time("%m/%d/%Y %I:%M %p"), settings={"time_format": "MM/dd/yyyy hh:mm a"}),
    "dd MMM yyyy": Way(_time("%d %b %Y %H:%M"), settings={"time_format": "dd MMM yyyy HH:mm"}),
    "in UTC": Way(_time("%Y-%m-%d %H:%M:%S", is_utc=True), settings={"time_zone": "UTC"}),
    "seconds": Way(lambda one: str(_epoch(one)), _INSTANT.format("seconds")),
    "milliseconds": Way(lambda one: f"{_epoch(one)}000", _INSTANT.format("millis")),
}  # fmt: skip
TIMES_AS_TIME = {
    f"{unit} {zone}": Way(
        (lambda one: one.at) if zone is None else (lambda one: one.instant),
        type=pa.timestamp(unit, zone),
    )
    for unit, zone in (("s", "UTC"), ("ms", None), ("ms", "UTC"), ("us", None), ("us", "UTC"),
                       ("us", "America/New_York"))
} | {
    "seconds": Way(_epoch, _INSTANT.format("seconds"), pa.int64()),
    "seconds of floating point": Way(lambda one: float(_epoch(one)), _INSTANT.format("seconds"),
                                     pa.float64()),
    "milliseconds": Way(lambda one: _epoch(one) * 1000, _INSTANT.format("millis"), pa.int64()),
}  # fmt: skip


def _texts(of: Callable[[Sold], int | None], *patterns: str) -> dict[str, Way]:
    def way(pattern: str) -> Way:
        return Way(lambda one: None if of(one) is None else pattern.format(of(one)))

    return {pattern: way(pattern) for pattern in patterns}


def _numbers(of: Callable[[Sold], int | None], *types: Any) -> dict[str, Way]:
    def way(kind: Any) -> Way:
        cast = (
            float if pa.types.is_floating(kind) else Decimal if pa.types.is_decimal(kind) else int
        )
        return Way(lambda one: None if (told := of(one)) is None else cast(told), type=kind)

    return {str(kind): way(kind) for kind in types}


_ID_TYPES = (pa.int32(), pa.int64(), pa.float64(), pa.decimal128(12, 0))
AS_TEXT: Mapping[str, Mapping[str, Way]] = {
    "receipt_id": _texts(lambda one: one.receipt, "{}", "{}.0", "R-{}", "00{}"),
    "customer_id": _texts(lambda one: one.customer, "{}", "{}.0", "k{}"),
    "time": TIMES_AS_TEXT,
    "quantity": _texts(lambda one: one.pieces, "{}", "{}.0"),
    "amount": MONEY_AS_TEXT,
    "category": {"text": Way(lambda one: one.category)},
    "store_id": {"text": Way(lambda one: one.store)},
}
AS_TYPES: Mapping[str, Mapping[str, Way]] = {
    "receipt_id": _numbers(lambda one: one.receipt, *_ID_TYPES),
    "customer_id": _numbers(lambda one: one.customer, *_ID_TYPES),
    "time": TIMES_AS_TIME,
    "quantity": _numbers(lambda one: one.pieces, pa.int8(), pa.float64(), pa.decimal128(10, 3)),
    "amount": MONEY_AS_NUMBER,
    "category": AS_TEXT["category"],
    "store_id": AS_TEXT["store_id"],
}
"""By fields, how each can be written in files with types, beside as text."""
