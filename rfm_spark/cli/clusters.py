"""`rfm-spark clusters show`, `score`, `export`: clusters of a day, and stored models in use."""

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
from rfm_spark.cli.options import AsOf, Config, Overrides, Place, day_of
from rfm_spark.cli.sessions import session

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


def add_clusters_commands(app: typer.Typer, make: Make) -> None:
    """What can be asked of clusters beside making them.

    Args:
        app: takes commands of two words.
        make: does the job.
    """

    @app.command("clusters show")
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

    @app.command("clusters score")
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

    @app.command("clusters export")
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
