"""`rfm-spark clusters`: makes clusters, shows them, and assigns customers by a stored model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from rfm_spark.app.api import open_run
from rfm_spark.app.clusters import export_model, pinned_to, shown_clusters
from rfm_spark.app.loading import load_settings
from rfm_spark.cli.display import ScreenProgress, show_panels
from rfm_spark.cli.options import AnyInput, AsOf, Config, Overrides, Place, day_of
from rfm_spark.cli.sessions import session

NAME = "clusters"

Make = Callable[[typer.Context, Path, list[str], str, datetime | None], None]
"""Does the job: with a configuration, overrides, a warehouse and the day to describe."""

Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="One model, where several are configured.",
                 show_default=False),
]  # fmt: skip

Version = Annotated[
    datetime | None,
    typer.Option(
        "--version",
        metavar="DATE",
        formats=["%Y-%m-%d"],
        help="The day the model was trained on; by default the newest that is stored.",
        show_default=False,
    ),
]


def clusters_commands(summary: str, make: Make) -> typer.Typer:
    """The group, whose own command is the job.

    Args:
        summary: of the job, one line.
        make: does it.
    """
    group = typer.Typer(name=NAME, help=summary, rich_markup_mode=None, invoke_without_command=True)

    @group.callback()
    def clusters(
        context: typer.Context,
        overrides: Overrides,
        config: Annotated[
            Path | None, typer.Option("--config", metavar="FILE", help="Configuration, in TOML.")
        ] = None,
        warehouse: Annotated[
            str | None,
            typer.Option(
                "--warehouse", metavar="DIR", help="Where the tables are: a folder or URI."
            ),
        ] = None,
        input: AnyInput = None,  # noqa: ARG001 - as every job takes it
        as_of: AsOf = None,
    ) -> None:
        if context.invoked_subcommand is not None:
            return
        if config is None or warehouse is None:
            context.fail(f"Missing option '{'--config' if config is None else '--warehouse'}'.")
        make(context, config, overrides, warehouse, as_of)

    @group.command()
    def show(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        warehouse: Place,
        model: Model = None,
        as_of: AsOf = None,
    ) -> None:
        """Show clusters and tiers of a stored day, by default the last, on one screen."""
        settings = load_settings(config, overrides)
        with session(context) as sessions:
            run = open_run(sessions, settings, ".", warehouse, ScreenProgress())
            show_panels(shown_clusters(run, model, day_of(as_of)))

    @group.command()
    def score(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        warehouse: Place,
        model: Model = None,
        version: Version = None,
        as_of: AsOf = None,
    ) -> None:
        """Assign the customers of a day by a stored model, without training."""
        settings = load_settings(config, overrides)
        with session(context) as sessions:
            run = open_run(sessions, settings, ".", warehouse, ScreenProgress())
            pinned = pinned_to(run, model, day_of(version))
        make(context, config, [*overrides, pinned], warehouse, as_of)

    @group.command()
    def export(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        warehouse: Place,
        out: Annotated[
            str, typer.Option("--out", metavar="DIR", help="Where to: a folder or URI, empty.")
        ],
        model: Model = None,
        version: Version = None,
    ) -> None:
        """Write a stored model as MLlib does, for programs that know nothing of this one."""
        settings = load_settings(config, overrides)
        with session(context) as sessions:
            run = open_run(sessions, settings, ".", warehouse, ScreenProgress())
            stored = export_model(run, model, day_of(version), out)
        typer.echo(
            f"The model of {stored.version} is in {out}: pipeline (PipelineModel: rows of "
            "customer_features to clusters) and kmeans (KMeansModel: standard units to centres)"
        )

    return group
