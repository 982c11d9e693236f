"""Stored days: which day of a result is shown."""

from __future__ import annotations

from datetime import date

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import Table
from rfm_spark.run import Run


def stored_day(run: Run, table: Table, as_of: date | None, command: str) -> date:
    """A day that a table describes: the one asked for, or the newest.

    Args:
        run: the run; nothing is written, and on a local warehouse Spark is not started.
        table: one of few rows a day.
        as_of: the day; None for the newest.
        command: that makes the table.

    Raises:
        UserError: if the table is not there, the day is not stored, or none is.
    """
    run.warehouse.require(table)
    days = sorted({row["as_of"] for row in run.warehouse.rows(table, columns=["as_of"])})
    day = as_of or (days[-1] if days else None)
    if day is not None and day in days:
        return day
    stored = f"stored are {days[0]} to {days[-1]}" if days else "no day is stored"
    raise UserError(
        f"{run.warehouse.path(table)}: has no rows as of {day or 'any day'} ({stored}): run "
        f"`rfm-spark {command}` for that day first"
    )
