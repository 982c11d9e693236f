"""`rfm-spark audience`: previews, builds and measures a named set of customers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Annotated

import typer

from rfm_spark.app.audiences.job import Built, build_audience, prepared
from rfm_spark.app.audiences.outcome import audience_outcome, outcome_panels
from rfm_spark.app.audiences.preview import preview_panels
from rfm_spark.cli.display import show_panels
from rfm_spark.cli.lists import Format, formulas_told
from rfm_spark.cli.options import Config, Overrides, Place, StoredDay, day_of
from rfm_spark.cli.requests import opened_run
from rfm_spark.storage.exports import Export

audience = typer.Typer(
    name="audience",
    help="Preview, build and measure an audience: customers to write to, some of them held out.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="Of the audience: [audiences.NAME].", metavar="NAME")]


@audience.command()
def preview(
    context: typer.Context,
    name: Name,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    as_of: StoredDay = None,
) -> None:
    """Tell size, revenue and segments, and the smallest effect that the holdout can show."""
    with opened_run(context, config, overrides, warehouse, [warehouse]) as run:
        show_panels(preview_panels(run, *prepared(run, name, day_of(as_of))))


@audience.command()
def build(
    context: typer.Context,
    name: Name,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    as_of: StoredDay = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="PLACE",
            help="Where those go who are to be written to, without the holdout: a path or URI, one "
            "file if it ends in .csv, .jsonl or .parquet, else a folder of files.",
            show_default=False,
        ),
    ] = None,
    format: Format = "csv",
) -> None:
    """Write down who is in it, treated or held out, and export who is to be written to."""
    with (
        opened_run(context, config, overrides, warehouse, [warehouse]) as run,
        ExitStack() as stack,
    ):
        definition, day = prepared(run, name, day_of(as_of))
        export = stack.enter_context(Export(run.sessions, out, format)) if out else None
        built = build_audience(run, definition, export, day)
    for line in _told(built, out):
        typer.echo(line)


def _told(built: Built, out: str | None) -> Iterator[str]:
    if built.listed == 0:
        yield (
            f"none of the customers of {built.as_of} is on the exclusion lists: are their lines "
            "ids of customers, one on each?"
        )
    elif built.listed:
        yield f"{built.listed:,} customers of {built.as_of} are on the exclusion lists"
    if built.without_consent is not None:
        yield f"{built.without_consent:,} who meet the condition have not agreed to be contacted"
    if not built.customers:
        yield f"{built.name}: nobody as of {built.as_of}; nothing was written"
        return
    treated = built.customers - built.held_out
    before = ", as it was built before" if built.is_of_before else ""
    yield (
        f"{built.name} as of {built.as_of}{before}: {built.customers:,} customers, {treated:,} to "
        f"be written to, {built.held_out:,} held out"
    )
    if built.opted_out:
        since = "have come onto an exclusion list or agree no longer, and are left out"
        yield f"{built.opted_out:,} of them {since}"
    if out and treated > built.opted_out:
        yield f"the {treated - built.opted_out:,} are written to {out}"
    if built.formulas:
        yield formulas_told(built.formulas)


@audience.command()
def result(
    context: typer.Context,
    name: Name,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    until: Annotated[
        datetime,
        typer.Option(
            "--until",
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help="The last day that counts; the first is the one after it was built for.",
            show_default=False,
        ),
    ],
    as_of: StoredDay = None,
    addressed_by: Annotated[
        str | None,
        typer.Option(
            "--addressed-by",
            metavar="KIND",
            help="Kind of the interactions by which customers were addressed, such as an email "
            "sent: what being addressed changed, where not all of the treated were.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compare those who were written to with the holdout, over the days after."""
    with opened_run(context, config, overrides, warehouse, [warehouse]) as run:
        rows = audience_outcome(run, name, day_of(as_of), until.date(), addressed_by)
    show_panels(outcome_panels(rows, run.settings.business.money_format))
    for note in run.notes:
        typer.echo(note)
