"""`rfm-spark sql`: a query over the tables of a warehouse."""

from __future__ import annotations

from typing import Annotated

import typer

from rfm_spark.app.api import open_run
from rfm_spark.app.loading import load_settings
from rfm_spark.app.queries import query_panel
from rfm_spark.cli.display import ScreenProgress, show_panels
from rfm_spark.cli.options import Config, Overrides, Place
from rfm_spark.cli.sessions import session


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
) -> None:
    """Query the tables of a warehouse by name, and print what comes of it; nothing is written."""
    settings = load_settings(config, overrides)
    with session(context, [warehouse]) as sessions:
        run = open_run(sessions, settings, ".", warehouse, ScreenProgress())
        show_panels([query_panel(run, query, limit)])
