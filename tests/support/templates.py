"""Empty tables, made once in a process and copied from then on, as databases are of a template."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from rfm_spark.core.table import Table
from rfm_spark.storage.warehouse import Warehouse

Templates = Callable[[], AbstractContextManager[None]]


def templates(folder: Path) -> Templates:
    """A context in which a new table of a warehouse is a copy of an empty one.

    Making one takes a sixth of a second, and a run makes twenty.

    Args:
        folder: where the empty tables are kept; each is made when it is first wanted.
    """
    original = Warehouse._create
    kept: dict[Table, Path] = {}

    def create(self: Warehouse, table: Table) -> None:
        if Path(self.path(table)).exists():  # what a killed process left
            original(self, table)
            return
        if table not in kept:
            place = Warehouse(self.spark, str(folder / str(len(kept))))
            original(place, table)
            kept[table] = Path(place.path(table))
        shutil.copytree(kept[table], self.path(table))
        self._new.add(table.name)

    @contextmanager
    def context():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Warehouse, "_create", create)
            yield

    return context
