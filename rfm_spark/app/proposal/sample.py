"""A sample of a file, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rfm_spark.app.proposal.csv_dialects import Dialect
from rfm_spark.app.proposal.fields import Column, Row
from rfm_spark.core.errors import UserError

MAX_ROWS = 20_000
"""Of a file: what is looked at."""


class NoRows(UserError):
    """A file that can be read, and has no row that would tell of its columns."""


@dataclass(frozen=True)
class Sample:
    """The first rows of a file.

    Attributes:
        file: the file, or a Delta table's folder.
        format: as `[receipts] format` names it.
        columns: by their names.
        rows: values by names of columns; text in CSV and JSON.
        is_whole: whether the file has no more rows.
        dialect: of CSV.
        encoding: of CSV.
        types: keys of JSON to Spark's types.
        doubts: what is not certain of how the file is written.
        starts: of each file whose rows are here, its first row.
        folder_columns: of the columns, those that only the names of folders tell.
    """

    file: Path
    format: str
    columns: Mapping[str, Column]
    rows: Sequence[Row]
    is_whole: bool
    dialect: Dialect | None = None
    encoding: str = "UTF-8"
    types: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    starts: tuple[int, ...] = (0,)
    folder_columns: tuple[str, ...] = ()

    @property
    def written_columns(self) -> list[str]:
        """Columns that are written in the file."""
        return [name for name in self.columns if name not in self.folder_columns]

    @property
    def extent(self) -> str:
        """What was looked at."""
        if len(self.rows) == 1:
            return "its one row" if self.is_whole else "the first row"
        return f"{'all' if self.is_whole else 'the first'} {len(self.rows):,} rows"


def value_inside(row: Mapping[str, Any], name: str, column: Column) -> Any:
    """The value of a column that may lie inside of another; of lists the sum of all pieces."""
    if not column.path:
        return row.get(name)
    value: Any = row
    for key in name.split("."):
        if isinstance(value, list):
            return sum(line.get(key) or 0 for line in value if isinstance(line, dict))
        value = value.get(key) if isinstance(value, dict) else None
    return value
