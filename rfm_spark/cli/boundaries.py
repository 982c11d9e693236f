"""`rfm-spark boundaries`: shows, compares and pins sets of cut points."""

from __future__ import annotations

import tomllib
from typing import Annotated

import typer

from rfm_spark.app.boundaries import boundary_panels, comparison_panels, pin_lines
from rfm_spark.cli.display import show_panels
from rfm_spark.cli.options import Config, Overrides, Place, StoredDay, day_of
from rfm_spark.cli.requests import opened_run

AnyProfile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="One profile.", show_default=False)
]


def show(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    profile: AnyProfile = None,
    as_of: StoredDay = None,
) -> None:
    """Show what each score takes on a stored day, and which sets of cut points are stored."""
    with opened_run(context, config, overrides, warehouse) as run:
        show_panels(boundary_panels(run, profile, day_of(as_of)))


def compare(
    context: typer.Context,
    one: Annotated[str, typer.Argument(help="Version of a set, such as 2011-11-30.")],
    other: Annotated[str, typer.Argument(help="Version of another.")],
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    profile: AnyProfile = None,
) -> None:
    """Tell how the cut points of two sets differ; of the first profile, where none is named."""
    with opened_run(context, config, overrides, warehouse) as run:
        show_panels(comparison_panels(run, profile, one, other))


def pin(
    context: typer.Context,
    profile: Annotated[str, typer.Option("--profile", metavar="NAME", help="Whose set.")],
    version: Annotated[
        str, typer.Option("--version", metavar="VERSION", help="Of the set, such as 2011-11-30.")
    ],
    config: Config,
    overrides: Overrides,
    warehouse: Place,
) -> None:
    """Check that a set can be pinned, and print the lines for the configuration file."""
    with opened_run(context, config, overrides, warehouse) as run:
        is_written = "rfm" in tomllib.loads(config.read_text(encoding="utf-8"))
        lines = pin_lines(run, profile, version, is_written)
    typer.echo(f"Put this into {config}; a section that is there takes the line alone:", err=True)
    typer.echo(lines, nl=False)
