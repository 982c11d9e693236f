"""`rfm-spark cohorts show`: who came again, as a table."""

from __future__ import annotations

from typing import Annotated

import typer

from rfm_spark.cli.display import show_panels
from rfm_spark.cli.options import AsOf, Config, Overrides, Place, day_of
from rfm_spark.cli.requests import opened_run
from rfm_spark.results.cohorts.show import Shown, shown_cohorts
from rfm_spark.results.registry import BY_COMMAND


def cohorts_show(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    as_of: AsOf = None,
    origin: Annotated[
        str | None, typer.Option(help="Its name in [cohorts.origins]; by default the first.")
    ] = None,
    grain: Annotated[
        str | None, typer.Option(help="Length of a cohort's period; by default the first.")
    ] = None,
    kind: Annotated[
        str, typer.Option(help="Of the periods: calendar, brackets, or such as rolling_28.")
    ] = Shown.kind,
    periods: Annotated[int, typer.Option(min=1, help="How many of them.")] = Shown.periods,
) -> None:
    """Show who came again: a row for each cohort, a column for each period since its start."""
    asked = Shown(day_of(as_of), origin, grain, kind, periods)
    with opened_run(context, config, overrides, warehouse) as run:
        show_panels(shown_cohorts(run, BY_COMMAND["cohorts"].rules(run.settings), asked))
