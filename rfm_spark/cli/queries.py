"""`rfm-spark sql`: a query over the tables of a warehouse."""

from __future__ import annotations

from typing import Annotated

import typer

from rfm_spark.app.queries import query_panel
from rfm_spark.cli.display import show_panels
from rfm_spark.cli.options import Config, Overrides, Place
from rfm_spark.cli.requests import opened_run
from rfm_spark.storage.snapshot import NEWEST


def sql(
    context: typer.Context,
    query: Annotated[
        str,
        typer.Argument(
            help="A SELECT of Spark SQL over the tables by name; NAME_latest is a table's newest "
            "day, and customer_360_latest has attributes as columns.",
        ),
    ],
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="Rows to show.")
    ] = 100,
    newest: Annotated[
        bool,
        typer.Option(
            "--newest",
            help="Tables as they are now, with what a run has written that failed or is not done; "
            "else as they are published.",
        ),
    ] = False,
) -> None:
    """Query the tables of a warehouse by name, and print what comes of it; nothing is written."""
    with opened_run(context, config, overrides, warehouse, [warehouse]) as run:
        if newest:
            run.warehouse.follow(NEWEST)
        show_panels([query_panel(run, query, limit)])
