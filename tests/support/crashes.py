"""What a process that is killed leaves behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rfm_spark.core.table import Table
from rfm_spark.storage.warehouse import Warehouse


@contextmanager
def snapshots(monkeypatch: pytest.MonkeyPatch, warehouse: Path, to: Path) -> Iterator[list[Path]]:
    """Copies the warehouse after every commit: what a process killed just then leaves behind.

    Yields:
        The copies so far, in order; each is named for the table that was created or written.
    """
    taken: list[Path] = []

    def copy(table: Table, kind: str) -> None:
        taken.append(to / f"{len(taken):02}-{table.name}-{kind}")
        shutil.copytree(warehouse, taken[-1])

    def recorded(name: str, kind: str) -> Any:
        original = getattr(Warehouse, name)

        def call(self: Warehouse, table: Table, *arguments: Any, **named: Any) -> Any:
            is_new = not (warehouse / table.name).exists()
            result = original(self, table, *arguments, **named)
            if kind == "written" or is_new:
                copy(table, kind)
            return result

        return call

    with monkeypatch.context() as patch:
        for name, kind in (("create", "created"), ("replace", "written"), ("append", "written")):
            patch.setattr(Warehouse, name, recorded(name, kind))
        yield taken
