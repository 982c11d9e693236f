"""Erasure: rows of some customers leave a table, and so do all its old versions that had them.

What Delta keeps for travel in time is what erasure must not leave: files of older versions, and
commits, whose statistics name the least and the greatest id of each file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import RunFailure
from rfm_spark.core.table import Table
from rfm_spark.storage.commit_log import CommitLog
from rfm_spark.storage.session_settings import session_settings
from rfm_spark.storage.warehouse import Warehouse

_AT_ONCE = {
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
    # No commits that tell of the vacuum: two for each table, with a checkpoint each. `runs` does.
    "spark.databricks.delta.vacuum.logging.enabled": "false",
}
_TABLE, _KEYS = "stored", "gone"


def remove_rows(
    warehouse: Warehouse,
    table: Table,
    keys: DataFrame,
    note: Mapping[str, Any] | None = None,
) -> None:
    """Removes the rows of some keys, in one commit: only files that hold one are written anew.

    Args:
        warehouse: where the table is.
        table: which must be there.
        keys: one row per key, in columns of the table, none of them NULL.
        note: kept with the commit.
    """
    with warehouse.committing(table, note or {}):
        _merge(warehouse, table, keys, tuple(keys.columns)).whenMatchedDelete().execute()


def add_rows(
    warehouse: Warehouse, table: Table, rows: DataFrame, renewed: tuple[str, ...] = ()
) -> None:
    """Adds the rows whose key the table does not have, in one commit.

    Args:
        warehouse: where the table is, or is to be.
        table: created if need be.
        rows: its columns.
        renewed: columns that get the new value where the table has the key.
    """
    warehouse.create(table)
    ordered = rows.select(*[F.col(one.name).cast(one.type) for one in table.columns])
    with warehouse.committing(table, {}):
        merged = _merge(warehouse, table, ordered, table.key).whenNotMatchedInsertAll()
        if renewed:
            merged = merged.whenMatchedUpdate(set={name: changed(name) for name in renewed})
        merged.execute()


def change_rows(
    warehouse: Warehouse,
    table: Table,
    rows: DataFrame,
    key: tuple[str, ...],
    values: Mapping[str, Column],
    note: Mapping[str, Any] | None = None,
) -> None:
    """Changes the rows of some keys, in one commit.

    Args:
        warehouse: where the table is.
        table: which must be there.
        rows: one row per key.
        key: columns that name them.
        values: column to its new value; columns of `rows` as `changed(name)`.
        note: kept with the commit.
    """
    with warehouse.committing(table, note or {}):
        merged = _merge(warehouse, table, rows, key)
        merged.whenMatchedUpdate(set=dict(values)).execute()


def changed(name: str) -> Column:
    """A column of the rows that change others."""
    return F.col(f"{_KEYS}.{name}")


def purge_files(warehouse: Warehouse, table: Table, note: Mapping[str, Any]) -> int:
    """Leaves no file of a table that its newest version does not have; `purge_log` is to follow.

    Readers of an older version fail, as they do after a vacuum.

    Args:
        warehouse: where the table is.
        table: which must be there.
        note: what the last commit is to note in place of those that go.

    Returns:
        The newest version before: the last one whose commit is to go.
    """
    spark, path = warehouse.spark, warehouse.path(table)
    target, before = f"delta.`{path}`", warehouse.version(table)
    with warehouse.committing(table):
        spark.sql(f"ALTER TABLE {target} SET TBLPROPERTIES ('delta.checkpointInterval' = '1')")
    # The lease is looked at once more: files that another run has yet to commit would go.
    with warehouse.committing(table), session_settings(spark, _AT_ONCE):
        DeltaTable.forPath(spark, path).vacuum(0.0)
    with warehouse.committing(table, note):
        spark.sql(f"ALTER TABLE {target} UNSET TBLPROPERTIES ('delta.checkpointInterval')")
    return before


def purge_log(warehouse: Warehouse, table: Table, before: int) -> None:
    """Leaves no commit of a table up to a version.

    What Delta itself does with commits before a checkpoint once they are old is done now. The
    commits of `purge_files` stay: what follows the table by its versions can go on from the one
    that it had before.

    Args:
        warehouse: where the table is.
        table: whose files were purged.
        before: what `purge_files` has given back.

    Raises:
        RunFailure: if no checkpoint was made; then no commit was removed.
    """
    path = warehouse.path(table)
    log = CommitLog(warehouse.sessions, path)
    last = log.last_checkpoint()
    if last is None or last <= before:
        raise RunFailure(f"{path}: Delta made no checkpoint, so older commits have to stay")
    log.forget_until(before)


def _merge(warehouse: Warehouse, table: Table, keys: DataFrame, key: tuple[str, ...]) -> Any:
    stored = DeltaTable.forPath(warehouse.spark, warehouse.path(table)).alias(_TABLE)
    # Names of columns only: the ids are values.
    is_same = " AND ".join(f"{_TABLE}.{name} = {_KEYS}.{name}" for name in key)
    return stored.merge(keys.alias(_KEYS), is_same)
