"""Pages: what a result tells the reader of the report, as data; the report decides how it looks.

Everything here is made of aggregates: no page holds rows of customers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Literal

Kind = Literal["text", "count", "money", "share", "number", "days", "date", "command"]
"""What a value is: money is in minor units, a share is of 1, a command is a list of options."""


class Withheld(Enum):
    """Stands for a value that is not told."""

    FEW = "of too few customers"


@dataclass(frozen=True)
class Field:
    """One column of a small table.

    Attributes:
        name: key of the rows.
        title: at its head.
        kind: what its values are.
        of_money: whether they tell of money although they are none, as a share of revenue.
    """

    name: str
    title: str
    kind: Kind = "text"
    of_money: bool = False

    @property
    def tells_money(self) -> bool:
        """Whether it is withheld where customers are few."""
        return self.of_money or self.kind == "money"


@dataclass(frozen=True)
class Data:
    """A small table of aggregates.

    Attributes:
        fields: its columns.
        rows: field name to value; None where there is none.
        size: field that counts the customers of a row; None where rows are of no customers.
    """

    fields: Sequence[Field]
    rows: Sequence[Mapping[str, Any]]
    size: str | None = "customers"

    def withheld(self, minimum: int) -> Data:
        """The same without the money of rows that have fewer customers."""
        if self.size is None:
            return self
        told = [one.name for one in self.fields if one.tells_money]
        hidden = dict.fromkeys(told, Withheld.FEW)
        few = [0 < (row[self.size] or 0) < minimum for row in self.rows]
        rows = [{**row, **hidden} if one else row for row, one in zip(self.rows, few, strict=True)]
        return replace(self, rows=rows)

    def named(self, name: str) -> Field:
        """A field."""
        return next(one for one in self.fields if one.name == name)

    def values(self, name: str) -> list[Any]:
        """The values of a field."""
        return [row[name] for row in self.rows]


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Figure:
    """One number that stands out.

    Attributes:
        title: what it is.
        value: of its kind.
        kind: what it is in.
        before: the same on an earlier day; None where it is not compared.
        note: what has to be known of it.
        customers: how many it is of, where it is money.
        customers_before: the same on the earlier day.
    """

    title: str
    value: Any
    kind: Kind = "count"
    before: Any = None
    note: str = ""
    customers: int | None = None
    customers_before: int | None = None

    def withheld(self, minimum: int) -> Figure:
        """The same without money of fewer customers, on either day.

        >>> Figure("revenue", 900, "money", 300, customers=9, customers_before=3).withheld(5).before
        >>> Figure("revenue", 900, "money", 300, customers=9, customers_before=5).withheld(5).before
        300
        """
        if self.kind != "money":
            return self
        if 0 < (self.customers or 0) < minimum:
            return replace(self, value=Withheld.FEW, before=None)
        were_few = 0 < (self.customers_before or 0) < minimum
        return replace(self, before=None) if were_few else self


@dataclass(frozen=True)
class Figures:
    """Numbers that stand out, side by side.

    Attributes:
        figures: what is shown.
        since: the day that they are compared with, as people read it.
    """

    figures: Sequence[Figure]
    since: str = ""


@dataclass(frozen=True)
class Grid:
    """A table as it stands."""

    title: str
    data: Data
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart, with its table behind it.

    Attributes:
        title: what is shown.
        data: its numbers.
        shape: lines, bars, or a map whose areas are `y` and whose shades are `shade`.
        x: field along the horizontal axis; of a map, and of bars, the names.
        y: field that is measured.
        series: field whose values are lines of their own.
        low: field with the lower end of an interval around y.
        high: with its upper end.
        shade: of a map, the field that decides how dark an area is.
        note: what has to be known to read it.
        is_small: whether several stand side by side.
    """

    title: str
    data: Data
    shape: Literal["lines", "bars", "map"]
    x: str
    y: str
    series: str | None = None
    low: str | None = None
    high: str | None = None
    shade: str | None = None
    note: str = ""
    is_small: bool = False

    def named(self, name: str) -> Field:
        """A field of its data."""
        return self.data.named(name)


@dataclass(frozen=True)
class ScoreCells:
    """Cells of three scores, of which a reader picks some.

    Attributes:
        title: what is shown.
        data: a row for each cell, as in `rfm_cells`.
        scores: how many scores each dimension has.
        command: options that list the customers of picked cells, but for the cells.
        has_all_recencies: whether every customer has a recency, so that averages can be added up.
    """

    title: str
    data: Data
    scores: int
    command: Sequence[str]
    has_all_recencies: bool = True


@dataclass(frozen=True)
class HeatMap:
    """A table whose cells are the darker the more they hold; those in progress are hatched.

    Attributes:
        title: what is shown.
        data: a row for each cell; cells that have none are empty.
        row: field that names the row of a cell.
        column: field that names its column.
        value: field that is shown.
        columns: their names, in order; names of rows are in the order of the data.
        running: field that is true while the value may still change; None for never.
        heads: by a row's name, how many customers it has.
        is_around_zero: whether values below 0 have a colour of their own.
        note: what has to be known.
    """

    title: str
    data: Data
    row: str
    column: str
    value: str
    columns: Sequence[Any]
    running: str | None = None
    heads: Mapping[Any, int] = field(default_factory=dict)
    is_around_zero: bool = False
    note: str = ""

    def named(self, name: str) -> Field:
        """A field of its data."""
        return self.data.named(name)

    def table(self) -> Iterable[tuple[Any, list[Mapping[str, Any] | None]]]:
        """By row, its cells; None for one that is not there."""
        at = {(one[self.row], one[self.column]): one for one in self.data.rows}
        for row in dict.fromkeys(self.data.values(self.row)):
            yield row, [at.get((row, column)) for column in self.columns]


@dataclass(frozen=True)
class Choice:
    """Blocks of which a reader sees one set at a time.

    Attributes:
        label: what is chosen.
        options: name to blocks; the first is shown first.
    """

    label: str
    options: Mapping[str, Sequence[Block]]


Block = Words | Figures | Grid | Chart | ScoreCells | HeatMap | Choice


@dataclass(frozen=True)
class Page:
    """What is told under one name; pages of the same name are shown as one.

    Attributes:
        name: of the page.
        blocks: what is shown, in order.
    """

    name: str
    blocks: Sequence[Block]


def withheld(block: Block, minimum: int) -> Block:
    """A block without money of fewer customers than the minimum."""
    if isinstance(block, Choice):
        options = {
            name: [withheld(one, minimum) for one in blocks]
            for name, blocks in block.options.items()
        }
        return replace(block, options=options)
    if isinstance(block, Figures):
        return replace(block, figures=[one.withheld(minimum) for one in block.figures])
    if isinstance(block, Words):
        return block
    return replace(block, data=block.data.withheld(minimum))
