"""`rfm-spark report`: what a marketer looks at, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rfm_spark.app.report.job import require_new_file, write_report
from rfm_spark.cli.options import AnyInput, Config, Overrides, Place, StoredDay
from rfm_spark.cli.requests import Request
from rfm_spark.cli.sessions import session

Out = Annotated[
    Path,
    typer.Option("--out", metavar="FILE.html", help="The file to make.", show_default=False),
]


def report(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    out: Out,
    input: AnyInput = None,
    as_of: StoredDay = None,
) -> None:
    """Write the report of a day: one HTML file to look at, which loads nothing."""
    require_new_file(out)
    request = Request(config, overrides, input, warehouse, as_of)
    changed = [part for one in overrides for part in ("--set", one)]
    listing = ["rfm-spark", "list", "--config", str(config), *changed, "--warehouse", warehouse]
    with session(context) as sessions:
        run = request.run(sessions)
        day = write_report(run, request.settings, request.day, out, listing)
    typer.echo(f"{out}: customers as of {day}")
