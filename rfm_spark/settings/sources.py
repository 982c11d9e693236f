"""Where raw data lie, and how their columns become fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from rfm_spark.settings.section import (
    NAMED,
    ONE,
    Name,
    Section,
    TimeZone,
    not_mixed,
    sections_kind,
)

Format = Literal["csv", "json", "parquet", "delta"]

Expression = Annotated[
    str, Field(min_length=1, description="a column's name, or a Spark SQL expression")
]

IdExpression = Expression | Annotated[list[Expression], Field(min_length=1)]


def _stays_inside(path: str) -> str:
    # Braces give alternatives, each a piece of a path, and a backslash hides the point behind it.
    parts = re.split("[/{},]", path.replace("\\", ""))
    if path.startswith("/") or ".." in parts or "://" in path:
        raise ValueError("give a path below the input, without '..' or a leading '/'")
    return path


DATE = "{date}"
"""In a source's path: the day of a nightly."""


def _names_no_date(path: str) -> str:
    if DATE in path:
        raise ValueError(f"{DATE} stands for a day in a source's path only")
    return path


PathBelow = Annotated[str, Field(min_length=1), AfterValidator(_stays_inside)]


class Lookup(Section):
    """A small table whose columns expressions can use as `name.column`."""

    path: Annotated[PathBelow, AfterValidator(_names_no_date)] = Field(
        description="file, relative to the input"
    )
    format: Literal["csv", "parquet", "delta"] = Field(description="of the file")
    on: str = Field(min_length=1, description="column of the same name on both sides")
    delimiter: str = Field(default=",", min_length=1, description="of CSV")
    valid_from: str | None = Field(
        default=None,
        min_length=1,
        description="column of the day from which a row holds, as of exchange rates: of each key "
        "the newest row counts that is not after the receipt's business day",
    )


class Source(Section):
    """Raw rows: files of one format under the input."""

    path: PathBelow = Field(
        description="file or pattern, relative to the input; `{date}` is the day of a nightly, "
        "and any text for other jobs"
    )
    format: Format = Field(description="of the files")
    delivery: Literal["file", "folder"] = Field(
        default="file", description="what one batch is: a file, or a folder of part files"
    )
    delimiter: str = Field(default=",", min_length=1, description="of CSV")
    encoding: str = Field(default="UTF-8", description="of CSV")
    quote: str = Field(
        default='"', min_length=1, max_length=1, description="around CSV fields that need it"
    )
    escape: str = Field(
        default='"',
        min_length=1,
        max_length=1,
        description="before a quote inside of a CSV field; a backslash as MySQL writes it",
    )
    multiline: bool = Field(default=False, description="CSV fields may hold line breaks")
    skip_lines: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="of each CSV file: lines above its header, such as a title, which are not read",
    )
    types: dict[str, str] = Field(
        default_factory=dict, description="Spark types of CSV or JSON columns; others are text"
    )
    time_zone: TimeZone | None = Field(
        default=None, description="of times that name none; by default the business's"
    )
    time_format: str | None = Field(default=None, description="Spark pattern of textual times")
    lookups: dict[Name, Lookup] = Field(default_factory=dict)
    where: Expression | None = Field(
        default=None, description="only rows for which it is true belong to the source"
    )
    reject: dict[Name, Expression] = Field(
        default_factory=dict, description="reason to a predicate, true for rows to turn away"
    )

    def misfits(self) -> Iterator[str]:
        """Of the files' format, and look-ups of a day where rows may have none."""
        yield from self._misfits_of_files()
        for name, lookup in self.lookups.items():
            if lookup.valid_from is not None:
                yield f"lookups.{name}.valid_from is for receipts, which have a business day"

    def _misfits_of_files(self) -> Iterator[str]:
        if self.format == "json" and not self.types:
            yield "JSON names no columns up front: list them under `types`"
        if self.types and self.format in ("parquet", "delta"):
            yield f"{self.format} carries its own types: remove `types`"
        if self.skip_lines and self.format != "csv":
            yield f"skip_lines is for CSV: remove it, as {self.format} has no header"
        if self.format == "delta" and DATE in self.path:
            yield f"{DATE} is for files: a Delta table is read as a whole"


class ReceiptColumns(Section):
    """Fields of a receipt or of a line."""

    receipt_id: IdExpression | None = Field(
        default=None,
        description="a list makes one id of several; without it one row is one receipt",
    )
    customer_id: Expression = Field(description="customer; NULL or blank is a guest")
    time: Expression = Field(
        description="date, text (of the source's time zone), or a timestamp of the file (an "
        "instant)"
    )
    quantity: Expression | None = Field(
        default=None, description="pieces or weight; negative is a return"
    )
    unit_price: Expression | None = Field(
        default=None, description="with quantity, in place of amount"
    )
    amount: Expression | None = Field(
        default=None, description="money in whole units, such as 19.90"
    )
    items: Expression | None = Field(
        default=None, description="pieces, where quantity is in other units"
    )
    category: Expression | None = Field(
        default=None, description="product category, for product range and mix"
    )
    promotion: Expression | None = Field(
        default=None, description="true where a promotion or coupon was used"
    )
    store_id: Expression | None = Field(default=None, description="kept as it is")
    channel: Expression | None = Field(default=None, description="kept as it is")
    is_return: Expression | None = Field(
        default=None, description="true for a return, where the sign does not tell"
    )
    is_void: Expression | None = Field(
        default=None, description="true for a version that cancels the receipt"
    )
    version: Expression | None = Field(
        default=None,
        description="number or time, such as of the last change: where a delivery has a receipt "
        "in several states, a row each or all lines each time, the greatest counts",
    )

    def misfits(self) -> Iterator[str]:
        """Money that is not told, or told twice."""
        priced = self.quantity is not None and self.unit_price is not None
        if self.amount is None and not priced:
            yield "map `amount`, or both `quantity` and `unit_price`"
        if self.amount is not None and self.unit_price is not None:
            yield "map either `amount` or `unit_price`, not both"


RECEIPT_CONTEXT = {
    "store": "store_id",
    "channel": "channel",
    "promotion": "promotion",
    "category": "category",
}
"""What receipts can tell of how they came about, and the key of `[receipts.columns]` of each."""


class Receipts(Source):
    """Receipts, given as one row each or as lines to be added up."""

    grain: Literal["line", "receipt"] = Field(
        description="what a row is: a line, to be added up, or a whole receipt"
    )
    columns: ReceiptColumns
    zero_is_visit: bool = Field(default=True, description="whether an amount of 0 is a visit")
    shares_ids: bool = Field(
        default=False,
        description="of one feed of several: whether its ids are those of the other feeds too; "
        "else each begins with the feed's name, as in `web:1001`",
    )
    drop_equal_lines: bool = Field(
        default=False,
        description="of equal lines in one delivery, only one counts; of equal whole receipts, "
        "always",
    )

    def misfits(self) -> Iterator[str]:
        """Of the files' format, and lines without an id."""
        yield from self._misfits_of_files()
        if self.grain == "line" and self.columns.receipt_id is None:
            yield "lines need columns.receipt_id, to be added up to receipts"
        if self.drop_equal_lines and self.columns.receipt_id is None:
            yield "drop_equal_lines needs columns.receipt_id: without it a row is a receipt"
        if self.columns.version is not None and self.columns.receipt_id is None:
            yield "columns.version needs columns.receipt_id: without it a row is a receipt"


Feeds = Receipts | dict[Name, Receipts]
"""Receipts of one feed, or of several by name, such as tills and a web shop."""

FEED_KEYS = frozenset({"columns", "types", "lookups", "reject"})
"""Keys of receipts that are tables themselves: no feed has such a name."""
_FIRST_FEED = "till"

FEEDS_TYPE = Annotated[
    Annotated[Receipts, Tag(ONE)] | Annotated[dict[Name, Receipts], Tag(NAMED)],
    Discriminator(lambda written: sections_kind(written, Receipts, FEED_KEYS)),
    BeforeValidator(
        lambda written: not_mixed(written, Receipts, FEED_KEYS, "receipts", _FIRST_FEED)
    ),
]


class InteractionColumns(Section):
    """Fields of an interaction."""

    interaction_id: IdExpression | None = Field(
        default=None, description="without it, equal interactions are one"
    )
    customer_id: Expression = Field(description="customer")
    kind: Expression = Field(
        description="such as registration, card or click; a constant in quotes: 'click'"
    )
    time: Expression = Field(
        description="date, text (of the source's time zone), or a timestamp of the file (an "
        "instant)"
    )
    value: Expression | None = Field(default=None, description="seconds stayed, pages or weight")


class Interactions(Source):
    """Dated events that are not purchases."""

    columns: InteractionColumns


class CustomerColumns(Section):
    """Fields of a customer's attributes."""

    customer_id: Expression = Field(description="customer")
    valid_from: Expression | None = Field(
        default=None, description="day from which they hold; the latest wins"
    )
    attributes: dict[Name, Expression] = Field(min_length=1, description="attribute to expression")


class Customers(Source):
    """Attributes of customers, such as demographics."""

    columns: CustomerColumns


class IdentityColumns(Section):
    """Fields of a merge of customers."""

    old_id: Expression = Field(description="customer who is another one now")
    new_id: Expression = Field(
        description="that one; the same as the old id where a merge is undone"
    )
    valid_from: Expression | None = Field(
        default=None,
        description="day of the merge: of several of one old id the latest counts, whatever day is "
        "described",
    )


class Identities(Source):
    """Customers who were merged: what the old id did counts for the new one."""

    columns: IdentityColumns


class TotalsColumns(Section):
    """Fields of a customer's totals."""

    customer_id: Expression = Field(description="customer")
    as_of: Expression = Field(
        description="day the totals are of, its orders included: a column, or one day for all "
        "rows, as in \"DATE '2026-01-31'\""
    )
    orders: Expression = Field(description="number of orders, a whole one, 0 or more")
    last_purchase: Expression = Field(
        description="day of the last order; NULL or blank where there are no orders"
    )
    amount: Expression = Field(
        description="money of all orders in whole units, such as 199.00, returns subtracted"
    )
    first_purchase: Expression | None = Field(default=None, description="day of the first order")


class CustomerTotals(Source):
    """Customers given as totals of what they bought up to a day, in place of receipts."""

    columns: TotalsColumns
