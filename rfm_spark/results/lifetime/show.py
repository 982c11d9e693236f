"""Lifetime value of a stored day on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from rfm_spark.core.errors import UserError
from rfm_spark.core.panel import Panel
from rfm_spark.results.lifetime.panels import day_panels, parameter_panels
from rfm_spark.results.lifetime.tables import LIFETIME_MODELS
from rfm_spark.run import Run


def shown_lifetime(run: Run, as_of: date | None) -> Iterator[Panel]:
    """What is expected, whether a model of then was right, and the parameters with intervals.

    Args:
        run: the run.
        as_of: a day that is stored; by default the newest.

    Raises:
        UserError: if it is not, or none is.
    """
    run.warehouse.require(LIFETIME_MODELS)
    rows = run.warehouse.rows(LIFETIME_MODELS, columns=["as_of"])
    days = sorted({row["as_of"] for row in rows})
    day = as_of or (days[-1] if days else None)
    if day is None or day not in days:
        stored = f"stored are {days[0]} to {days[-1]}" if days else "no day is stored"
        raise UserError(
            f"{run.warehouse.path(LIFETIME_MODELS)}: has no rows as of {day or 'any day'} "
            f"({stored}): run `rfm-spark lifetime` for that day first"
        )
    yield Panel(f"Lifetime value as of {day}")
    yield from day_panels(run, day)
    yield from parameter_panels(run, day)
