"""`rfm-spark clusters show`, `score`, `export`: clusters of a day, and stored models in use."""

from __future__ import annotations

from typing import Annotated

import typer

from rfm_spark.app.clusters import export_model, pinned_to, shown_clusters
from rfm_spark.app.jobs import BY_NAME
from rfm_spark.cli.display import show_panels
from rfm_spark.cli.jobs import run_and_show
from rfm_spark.cli.options import AsOf, Config, Overrides, Place, day_of
from rfm_spark.cli.requests import Request, opened_run

Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="One model, where several are configured.",
                 show_default=False),
]  # fmt: skip

Version = Annotated[
    str | None,
    typer.Option(
        "--version",
        metavar="VERSION",
        help="Of the model, such as 2011-11-30; by default the newest that is stored.",
        show_default=False,
    ),
]


def show(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    model: Model = None,
    as_of: AsOf = None,
) -> None:
    """Show clusters and tiers of a stored day, by default the last, on one screen."""
    with opened_run(context, config, overrides, warehouse) as run:
        show_panels(shown_clusters(run, model, day_of(as_of)))


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
    with opened_run(context, config, overrides, warehouse) as run:
        pinned = pinned_to(run, model, version)
    request = Request(config, [*overrides, pinned], None, warehouse, as_of)
    run_and_show(context, BY_NAME["clusters"], request)


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
    with opened_run(context, config, overrides, warehouse) as run:
        stored = export_model(run, model, version, out)
    typer.echo(
        f"The model of {stored.version} is in {out}: pipeline (PipelineModel: rows of "
        "customer_features to clusters) and kmeans (KMeansModel: standard units to centres)"
    )
