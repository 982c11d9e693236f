"""Renewal: a table that an earlier release wrote is brought up to this one's, its rows kept."""

from __future__ import annotations

from collections.abc import Iterator

from delta.tables import DeltaTable

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import Table
from rfm_spark.storage.table_state import SCHEMA_VERSION, TableState, table_properties
from rfm_spark.storage.warehouse import Warehouse

_MAPPING = "delta.columnMapping.mode"


def renew(warehouse: Warehouse, table: Table, is_made_again: bool) -> list[str]:
    """Adds the columns that came since, and sets comments and properties.

    Safe to repeat: the number that says it is done is written last.

    Args:
        warehouse: where the table is.
        table: as this release makes it; it must be there.
        is_made_again: whether its rows can be made from the facts: where columns are there that
            this release does not know, or of another type, it is then replaced by an empty table.

    Returns:
        What was done, in words; nothing where the table is as this release makes it.

    Raises:
        UserError: if a newer release wrote it, or its columns clash and its rows cannot be made
            again.
    """
    state = warehouse.state(table)
    if clashes := state.clashes(table):
        told = ", ".join(clashes)
        if not is_made_again:
            raise UserError(
                f"{warehouse.path(table)}: its columns are not those of '{table.name}' (see "
                f"{told}): use another warehouse, or rebuild this one from the input"
            )
        warehouse.build(DeltaTable.replace(warehouse.spark), table)
        return [f"emptied, to be made again for the days asked for (columns changed: {told})"]
    target, done = f"delta.`{warehouse.path(table)}`", []
    if absent := [one for one in table.columns if one.name not in state.types]:
        added = ", ".join(
            f"{one.name} {one.type.simpleString()} COMMENT {_quoted(one.comment)}" for one in absent
        )
        with warehouse.committing(table):
            warehouse.spark.sql(f"ALTER TABLE {target} ADD COLUMNS ({added})")
        done.append(f"added {', '.join(one.name for one in absent)}")
    done += _with_comments(warehouse, table, state)
    if state.comment != table.grain:
        with warehouse.committing(table):
            warehouse.spark.sql(f"COMMENT ON TABLE {target} IS {_quoted(table.grain)}")
        done.append("described its rows")
    wanted = table_properties(table)
    if state.properties.get(_MAPPING, "none") == "none":
        # Named once more it writes all files of the table anew
        # (findings/delta_column_mapping_none_rewrites.sh).
        del wanted[_MAPPING]
    changed = {name: wanted[name] for name in wanted if state.properties.get(name) != wanted[name]}
    if changed or state.schema_version < table.schema_version:
        # All of them: Delta compares one that is set alone with the default of another, not with
        # what the table has (findings/delta_retention_check.sh).
        whole = {**wanted, SCHEMA_VERSION: str(table.schema_version)}
        listed = ", ".join(f"{_quoted(name)} = {_quoted(value)}" for name, value in whole.items())
        with warehouse.committing(table):
            warehouse.spark.sql(f"ALTER TABLE {target} SET TBLPROPERTIES ({listed})")
        done += [f"set {', '.join(changed)}"] if changed else []
    return done


def _with_comments(warehouse: Warehouse, table: Table, state: TableState) -> Iterator[str]:
    """Sets the comments of columns that were there already and are described otherwise."""
    changed = [
        one
        for one in table.columns
        if one.name in state.types and state.comments.get(one.name) != one.comment
    ]
    if changed:
        told = ", ".join(f"{one.name} COMMENT {_quoted(one.comment)}" for one in changed)
        with warehouse.committing(table):
            warehouse.spark.sql(f"ALTER TABLE delta.`{warehouse.path(table)}` ALTER COLUMN {told}")
        yield f"described {', '.join(one.name for one in changed)}"


def _quoted(text: str) -> str:
    """A text as SQL writes it: words of our own, never a customer's or a file's."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
