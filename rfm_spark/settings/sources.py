"""Where raw data lie, and how their columns become fields."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

Format = Literal["csv", "json", "parquet", "delta"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""A lower-case word: it names folders, columns and slices of tables."""
Expression = Annotated[str, Field(min_length=1, description="a Spark SQL expression")]
IdExpression = Expression | Annotated[list[Expression], Field(min_length=1)]


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError(f"'{zone}' is no time zone; give one such as 'Europe/London' or 'UTC'")
    return zone


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Section(BaseModel):
    """A table of the configuration file: nothing unknown, nothing converted, nothing changed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Lookup(Section):
    """A small table whose columns expressions can use as `name.column`."""

    path: str = Field(min_length=1)
    format: Format
    on: str = Field(min_length=1, description="column of the same name on both sides")
    delimiter: str = Field(default=",", min_length=1)


class Source(Section):
    """Raw rows: files of one format under the input."""

    path: str = Field(min_length=1, description="file or pattern, relative to the input")
    format: Format
    delivery: Literal["file", "folder"] = Field(
        default="file", description="what one batch is: a file, or a folder of part files"
    )
    delimiter: str = Field(default=",", min_length=1, description="of CSV")
    encoding: str = Field(default="UTF-8", description="of CSV")
    multiline: bool = Field(default=False, description="CSV fields may hold line breaks")
    types: dict[str, str] = Field(
        default_factory=dict, description="Spark types of CSV or JSON columns; others are text"
    )
    time_zone: TimeZone | None = Field(
        default=None, description="of times that name none; by default the business's"
    )
    time_format: str | None = Field(default=None, description="Spark pattern of textual times")
    lookups: dict[Name, Lookup] = Field(default_factory=dict)
    reject: dict[Name, Expression] = Field(
        default_factory=dict, description="reason to a predicate, true for rows to turn away"
    )

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        if path.startswith("/") or ".." in path.split("/") or "://" in path:
            raise ValueError("give a path below the input, without '..' or a leading '/'")
        return path

    @model_validator(mode="after")
    def _fits_format(self) -> Self:
        if self.format == "json" and not self.types:
            raise ValueError("JSON lines name no columns up front: list them under `types`")
        if self.types and self.format in ("parquet", "delta"):
            raise ValueError(f"{self.format} carries its own types: remove `types`")
        return self


class ReceiptColumns(Section):
    """Fields of a receipt or of a line."""

    receipt_id: IdExpression | None = None
    customer_id: Expression
    time: Expression
    quantity: Expression | None = None
    unit_price: Expression | None = None
    amount: Expression | None = None
    items: Expression | None = None
    category: Expression | None = None
    promotion: Expression | None = None
    store_id: Expression | None = None
    channel: Expression | None = None
    is_return: Expression | None = None
    is_void: Expression | None = None

    @model_validator(mode="after")
    def _money_is_known(self) -> Self:
        priced = self.quantity is not None and self.unit_price is not None
        if self.amount is None and not priced:
            raise ValueError("map `amount`, or both `quantity` and `unit_price`")
        if self.amount is not None and self.unit_price is not None:
            raise ValueError("map either `amount` or `unit_price`, not both")
        return self


class Receipts(Source):
    """Receipts, given as one row each or as lines to be added up."""

    grain: Literal["line", "receipt"]
    columns: ReceiptColumns
    zero_is_visit: bool = True

    @model_validator(mode="after")
    def _lines_have_receipts(self) -> Self:
        if self.grain == "line" and self.columns.receipt_id is None:
            raise ValueError("lines need columns.receipt_id, to be added up to receipts")
        return self


class InteractionColumns(Section):
    """Fields of an interaction."""

    interaction_id: IdExpression | None = None
    customer_id: Expression
    kind: Expression
    time: Expression
    value: Expression | None = None


class Interactions(Source):
    """Dated events that are not purchases."""

    columns: InteractionColumns


class CustomerColumns(Section):
    """Fields of a customer's attributes."""

    customer_id: Expression
    valid_from: Expression | None = None
    attributes: dict[Name, Expression] = Field(min_length=1)


class Customers(Source):
    """Attributes of customers, such as demographics."""

    columns: CustomerColumns
