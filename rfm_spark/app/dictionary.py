"""The data dictionary: every table and column, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.core.table import Column, Table

_HEAD = """\
# Tables

Made by `python -m rfm_spark.app.dictionary > docs/tables.md`; the same comments are in the
Delta tables themselves. Money is in whole minor units (cents), business days are calendar days in
the configured time zone. **Bold** columns are the key.
"""


def dictionary() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *(line for table in ALL_TABLES for line in _section(table))])


def _section(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield f"{table.grain[0].upper()}{table.grain[1:]}."
    if table.partition_by:
        yield f"Partitioned by {', '.join(f'`{name}`' for name in table.partition_by)}."
    yield ""
    yield "| column | type | meaning |"
    yield "| --- | --- | --- |"
    yield from (_line(column, column.name in table.key) for column in table.columns)
    yield ""


def _line(column: Column, is_key: bool) -> str:
    name = f"**{column.name}**" if is_key else column.name
    kind = column.type.simpleString()
    return f"| {name} | {kind} | {column.comment} |"


if __name__ == "__main__":
    print(dictionary(), end="")
