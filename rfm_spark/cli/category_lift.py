"""`rfm-spark category-lift show`: what a segment or tier buys more often than others."""

from __future__ import annotations

from typing import Annotated

import typer

from rfm_spark.cli.display import show_panels
from rfm_spark.cli.options import AsOf, Config, Overrides, Place, day_of
from rfm_spark.cli.requests import opened_run
from rfm_spark.results.category_lift.show import shown_category_lift

Group = Annotated[
    str | None,
    typer.Option("--of", metavar="GROUP", help="A segment or tier.", show_default=False),
]
Against = Annotated[
    str | None,
    typer.Option("--against", metavar="GROUP", help="Another one.", show_default=False),
]


def category_lift_show(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    group: Group = None,
    against: Against = None,
    as_of: AsOf = None,
) -> None:
    """Show what groups buy more often than all, or one group against another."""
    with opened_run(context, config, overrides, warehouse) as run:
        show_panels(shown_category_lift(run, day_of(as_of), group, against))
