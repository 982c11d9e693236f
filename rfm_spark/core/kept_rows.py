"""Kept rows: what several passes read is made once, and given free."""

from __future__ import annotations

from contextlib import ExitStack

from pyspark import StorageLevel
from pyspark.sql import DataFrame


def keep(kept: ExitStack, rows: DataFrame) -> DataFrame:
    """Keeps rows in the memory and on the disks of executors until the stack ends."""
    rows.persist(StorageLevel.MEMORY_AND_DISK)
    kept.callback(rows.unpersist)
    return rows
