"""`rfm-spark lifetime show`: what is expected of customers, by which models."""

from __future__ import annotations

import typer

from rfm_spark.cli.display import show_panels
from rfm_spark.cli.options import AsOf, Config, Overrides, Place, day_of
from rfm_spark.cli.requests import opened_run
from rfm_spark.results.lifetime.show import shown_lifetime


def lifetime_show(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    as_of: AsOf = None,
) -> None:
    """Show expected visits and money of a stored day, by default the last, and both models."""
    with opened_run(context, config, overrides, warehouse) as run:
        show_panels(shown_lifetime(run, day_of(as_of)))
