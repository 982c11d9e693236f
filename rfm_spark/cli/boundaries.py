"""`rfm-spark boundaries`: shows, compares and pins sets of cut points."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from rfm_spark.app.api import open_run
from rfm_spark.app.boundaries import boundary_panels, comparison_panels, pin_lines
from rfm_spark.app.loading import load_settings
from rfm_spark.cli.display import ScreenProgress, show_panels
from rfm_spark.cli.options import Config, Overrides, Place, StoredDay, day_of
from rfm_spark.cli.sessions import session
from rfm_spark.run import Run

boundaries = typer.Typer(
    name="boundaries",
    help="Show the cut points of scores, compare two sets of them, or pin one.",
    rich_markup_mode=None,
    invoke_without_command=True,
)

AnyProfile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="One profile.", show_default=False)
]


@contextmanager
def _run(
    context: typer.Context, config: Path, overrides: list[str], warehouse: str
) -> Iterator[Run]:
    settings = load_settings(config, overrides)
    with session(context) as sessions:
        yield open_run(sessions, settings, ".", warehouse, ScreenProgress())


@boundaries.callback()
def show(
    context: typer.Context,
    overrides: Overrides,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Configuration, in TOML.")
    ] = None,
    warehouse: Annotated[
        str | None,
        typer.Option("--warehouse", metavar="DIR", help="Where the tables are: a folder or URI."),
    ] = None,
    profile: AnyProfile = None,
    as_of: StoredDay = None,
) -> None:
    """Show what each score takes on a stored day, and which sets are stored."""
    if context.invoked_subcommand is not None:
        return
    if config is None or warehouse is None:
        context.fail(f"Missing option '{'--config' if config is None else '--warehouse'}'.")
    with _run(context, config, overrides, warehouse) as run:
        show_panels(boundary_panels(run, profile, day_of(as_of)))


@boundaries.command()
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
    with _run(context, config, overrides, warehouse) as run:
        show_panels(comparison_panels(run, profile, one, other))


@boundaries.command()
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
    with _run(context, config, overrides, warehouse) as run:
        is_written = "rfm" in tomllib.loads(config.read_text(encoding="utf-8"))
        lines = pin_lines(run, profile, version, is_written)
    typer.echo(f"Put this into {config}; a section that is there takes the line alone:", err=True)
    typer.echo(lines, nl=False)
