"""`rfm-spark forget`: customers who asked for it leave every table."""

from __future__ import annotations

from typing import Annotated

import typer

from rfm_spark.app.advice import advice_panels
from rfm_spark.app.forgetting.job import forget
from rfm_spark.cli.display import show_panels
from rfm_spark.cli.options import Config, Overrides, Place
from rfm_spark.cli.requests import opened_run


def forget_customers(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    customer_file: Annotated[
        str,
        typer.Option(
            "--customer-file",
            metavar="FILE",
            help="Ids of the customers, one a line: ids on a command line end up in histories.",
            show_default=False,
        ),
    ],
) -> None:
    """Forget customers: in every table and its old versions, and whatever is taken in later."""
    with opened_run(context, config, overrides, warehouse, [warehouse]) as run:
        told = forget(run, customer_file)
    rows = sum(told.rows.values())
    typer.echo(f"{told.known:,} of {told.customers:,} customers were known: {rows:,} rows are gone")
    for table, count in told.rows.items():
        typer.echo(f"  {table}: {count:,}")
    show_panels(advice_panels(run.notes))
