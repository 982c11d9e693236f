"""What there is to show after a run, and of a warehouse: nothing here grows with customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from rfm_spark.app.jobs import BY_NAME
from rfm_spark.app.run_record import last_made
from rfm_spark.app.tables import ALL_TABLES, RUNS
from rfm_spark.core.errors import UserError
from rfm_spark.core.panel import Panel
from rfm_spark.results.declaration import Request
from rfm_spark.run import Run
from rfm_spark.storage.snapshot import NEWEST
from rfm_spark.storage.warehouse import Warehouse


@dataclass(frozen=True)
class TableFacts:
    """What there is of a table."""

    name: str
    rows: int
    files: int
    bytes: int
    written: datetime


def job_panels(run: Run, name: str, as_of: date) -> Iterator[Panel]:
    """What the results of a job show of a day, in their order."""
    for result in sorted(BY_NAME[name].results, key=lambda one: one.place):
        if result.panels is not None and result.is_made_for(run.settings):
            how_made = partial(last_made, run)
            yield from result.panels(Request(run, result.rules(run.settings), as_of, how_made))


def table_facts(warehouse: Warehouse) -> list[TableFacts]:
    """Rows, size and last change of every table that is there, as it is now, published or not.

    Raises:
        UserError: if there is none.
    """
    found = []
    with warehouse.reading(NEWEST):
        for table in filter(warehouse.is_there, ALL_TABLES):
            warehouse.require(table)
            files, size = warehouse.detail(table)
            rows, written = warehouse.count(table), warehouse.last_written(table)
            found.append(TableFacts(table.name, rows, files, size, written))
    if not found:
        raise UserError(f"{warehouse.place}: there is no table here; run `rfm-spark run` first")
    return found


def last_run(warehouse: Warehouse) -> Mapping[str, Any] | None:
    """The record of the run that began last; None where none is on record."""
    columns = ["job", "as_of", "outcome", "started_at", "seconds"]
    return max(
        warehouse.rows(RUNS, columns=columns), key=lambda one: one["started_at"], default=None
    )
