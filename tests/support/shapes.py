"""Shapes: the same receipts, written in as many ways as shops' systems have.

A shape is drawn by a number, so that number 17 is the same shape on every machine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
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

_KNOWN_NAMES = (
    ("order_id", "customer_id", "ordered_at", "quantity", "line_total", "category", "store_id"),
    ("Order ID", "Customer ID", "Order Date", "Qty", "Net Amount", "Product Category", "Store"),
    ("Bon-Nr.", "Kunden-Nr.", "Datum", "Menge", "Betrag", "Warengruppe", "Filiale"),
    ("order.id", "customer.id", "order.date", "order.quantity", "amount.net", "item.category",
     "store.id"),
    ("Invoice [No]", "Client (ID)", "Invoice Date [local]", "Quantity [pcs]", "Total [EUR]",
     "Category {de}", "Shop #"),
)  # fmt: skip
"""What `rfm-spark init` knows."""
_ODD_NAMES = (
    ("select", "from", "where", "group by", "order", "a`b", "1st"),
    ("ä ö", "x.y.z", "[when]", "no. of", "sum(x)", "`tick`", "a-b"),
    ("_1", "_2", "file", "_file", "null", "true", "current_date"),
)


@dataclass(frozen=True)
class Shape:
    """One way to write the receipts.

    Attributes:
        number: by which it was drawn.
        container: csv, json, nested json, parquet, nested parquet or delta.
        grain: line or receipt.
        ways: how each field is written.
        names: of the columns.
        parts: number of files; each has its columns in an order of its own, and some more of them.
        is_proposed: whether `rfm-spark init` writes its configuration.
        delimiter: of CSV, as all that follows.
        encoding: of CSV.
        compression: ending of the file's name; empty for none.
        line_end: between rows.
        json: lines, an array, or one that is indented.
        has_notes: whether there is a column with line breaks, quotes and delimiters in it.
    """

    number: int
    container: str
    grain: str
    ways: Mapping[str, Way]
    names: Mapping[str, str]
    parts: int
    is_proposed: bool
    delimiter: str
    encoding: str
    compression: str
    line_end: str
    has_notes: bool
    json: str

    @property
    def feed(self) -> str:
        """Its name as a feed."""
        return f"shape{self.number}"

    def __str__(self) -> str:
        """What is peculiar to it, for the names of tests."""
        how = "init" if self.is_proposed else "hand"
        return f"{self.number} {self.container} {self.grain} {how}"

    def written(self, role: str, one: Sold) -> str | None:
        """An id as it is to be stored."""
        told = self.ways[role].write(one)
        return None if told is None else str(told).removesuffix(".0")

    @property
    def rows(self) -> list[Sold]:
        """What it has to write."""
        return LINES if self.grain == "line" else whole(LINES)


_CONTAINERS = (*["csv"] * 5, "json", "nested json", "parquet", "parquet", "nested parquet")
_ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "iso-8859-1", "utf-16", "utf-16-le")


def _way(draw: Random, role: str, container: str, encoding: str) -> Way:
    """One of those that a container has room for."""
    as_text, as_types = AS_TEXT[role], AS_TYPES[role]
    if container == "csv":
        ways = {
            name: way for name, way in as_text.items() if "€" not in name or "8859" not in encoding
        }
    elif draw.random() < 0.3:
        ways = dict(as_text)
    else:
        no_json = pa.types.is_timestamp if "json" in container else pa.types.is_nested
        ways = {
            name: way for name, way in as_types.items() if way.type is None or not no_json(way.type)
        }
    return ways[draw.choice(sorted(ways))]


_DRAWING = 4_500
"""By which every way, encoding and delimiter is among the first fifty."""


def shape(number: int) -> Shape:
    """The shape of a number."""
    draw = Random(_DRAWING + number)
    container = "delta" if number % 20 == 19 else _CONTAINERS[number % len(_CONTAINERS)]
    grain = "receipt" if container == "nested json" else draw.choice(["line", "line", "receipt"])
    is_proposed = number % 4 != 3
    names = draw.choice(_KNOWN_NAMES if is_proposed else _ODD_NAMES)
    if "nested" in container:
        names = _KNOWN_NAMES[0]
    encoding = draw.choice(_ENCODINGS)
    ways = {role: _way(draw, role, container, encoding) for role in AS_TEXT}
    if grain == "receipt":
        del ways["category"]
    called = dict(zip(AS_TEXT, names, strict=True))
    return Shape(
        number,
        container,
        grain,
        ways,
        {role: called[role] + way.suffix for role, way in ways.items()},
        draw.choice([1, 1, 2, 3]) if container in ("csv", "json", "parquet") else 1,
        is_proposed,
        draw.choice([",", ";", "\t", "|", "||", "~"]),
        encoding,
        draw.choice(["", "", "", ".gz", ".bz2", ".zst"]),
        draw.choice(["\n", "\r\n"]),
        draw.random() < 0.4,
        draw.choice(["lines", "array", "indented"]),
    )
