"""Lifetime value of a stored day on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from rfm_spark.core.panel import Panel
from rfm_spark.results.lifetime.panels import day_panels, parameter_panels
from rfm_spark.results.lifetime.tables import LIFETIME_MODELS
from rfm_spark.results.stored_days import stored_day
from rfm_spark.run import Run


def shown_lifetime(run: Run, as_of: date | None) -> Iterator[Panel]:
    """What is expected, whether a model of then was right, and the parameters with intervals.

    Args:
        run: the run.
        as_of: a day that is stored; by default the newest.

    Raises:
        UserError: if it is not, or none is.
    """
    day = stored_day(run, LIFETIME_MODELS, as_of, "lifetime")
    yield Panel(f"Lifetime value as of {day}")
    yield from day_panels(run, day)
    yield from parameter_panels(run, day)
