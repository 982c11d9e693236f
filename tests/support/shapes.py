"""Shapes: the same receipts, written in as many ways as shops' systems have.

A shape is drawn by a number, so that number 17 is the same shape on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import pyarrow as pa

from support.ways import AS_TEXT, AS_TYPES, LINES, Sold, Way, whole

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
