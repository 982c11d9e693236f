"""The command line: `rfm-spark <job>`; `jobs/` runs the same through spark-submit."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from rfm_spark import __version__
from rfm_spark.app.advice import advice_panels, configuration_advice
from rfm_spark.app.api import open_run
from rfm_spark.app.backfill import NAME, backfill
from rfm_spark.app.explain.explanation import explanation
from rfm_spark.app.jobs import BY_NAME, JOBS, Job, run_job
from rfm_spark.app.loading import load_settings
from rfm_spark.app.schema import configuration_schema
from rfm_spark.app.settings import Settings
from rfm_spark.app.summary import job_panels, last_run, table_facts
from rfm_spark.cli.audiences import audience
from rfm_spark.cli.boundaries import boundaries
from rfm_spark.cli.clusters import add_clusters_commands
from rfm_spark.cli.display import (
    ScreenProgress,
    show_panels,
    show_problems,
    show_queries,
    show_tables,
)
from rfm_spark.cli.generate import generate
from rfm_spark.cli.lists import list_to_place
from rfm_spark.cli.options import (
    AnyInput,
    AnyPlace,
    AsOf,
    Config,
    Every,
    From,
    Input,
    Night,
    Overrides,
    Place,
    Since,
    To,
    day_of,
)
from rfm_spark.cli.queries import sql
from rfm_spark.cli.report import report
from rfm_spark.cli.sessions import Sessions, session
from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.ingest.sources import source_problems
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.cohorts.show import Shown, shown_cohorts
from rfm_spark.results.registry import BY_COMMAND
from rfm_spark.results.rfm.settings import leading_profile
from rfm_spark.run import Run
from rfm_spark.session import error_log, submitted_session
from rfm_spark.storage.on_demand import SessionOnDemand

__all__ = ["main", "submitted"]


class _Commands(TyperGroup):
    """Commands of one word, and of two, such as `cohorts show`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that arguments begin with."""
        if (two := " ".join(args[:2])) in self.commands:
            args = [two, *args[2:]]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="rfm-spark",
    cls=_Commands,
    help="RFM scores, segments, cohorts and clusters of customers, from their receipts.\n\n"
    "Everything is described by a TOML file (examples in conf/) and written as Delta tables.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@dataclass
class _Request:
    """What was asked for, before a session exists."""

    config: Path
    overrides: list[str]
    input: str | None = None
    warehouse: str | None = None
    as_of: datetime | None = None
    is_night: bool = False
    since: datetime | None = None
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = load_settings(self.config, self.overrides)

    @property
    def day(self) -> date | None:
        """The day asked for."""
        return day_of(self.as_of)

    def run(self, sessions: SessionOnDemand) -> Run:
        """The run, with its places made absolute.

        Raises:
            UserError: if the session cannot reach them, or has no metastore where one is wanted.
        """
        return open_run(
            sessions,
            self.settings,
            self.input or ".",
            self.warehouse or ".",
            ScreenProgress(),
            self.day if self.is_night else None,
            day_of(self.since),
        )


def _add_command(job: Job) -> None:
    """The command of a job, with the options that it reads."""

    def night(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        input: Input,
        warehouse: Place,
        date: Night,
    ) -> None:
        _do(context, job, _Request(config, overrides, input, warehouse, date, is_night=True))

    def taking_in(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        input: Input,
        warehouse: Place,
        as_of: AsOf = None,
    ) -> None:
        _do(context, job, _Request(config, overrides, input, warehouse, as_of))

    def of_tables(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        warehouse: Place,
        input: AnyInput = None,
        as_of: AsOf = None,
    ) -> None:
        _do(context, job, _Request(config, overrides, input, warehouse, as_of))

    def of_two_days(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        warehouse: Place,
        input: AnyInput = None,
        as_of: AsOf = None,
        since: Since = None,
    ) -> None:
        request = _Request(config, overrides, input, warehouse, as_of, since=since)
        _do(context, job, request)

    of_days = of_two_days if job.compares_days else of_tables
    command = night if job.maintains else taking_in if job.takes_in else of_days
    app.command(job.name, help=job.summary)(command)


for _job in JOBS:
    _add_command(_job)


def _make_clusters(
    context: typer.Context,
    config: Path,
    overrides: list[str],
    warehouse: str,
    as_of: datetime | None,
) -> None:
    _do(context, BY_NAME["clusters"], _Request(config, overrides, None, warehouse, as_of))


add_clusters_commands(app, _make_clusters)


@app.command()
def tables(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    input: AnyInput = None,
    as_of: AsOf = None,
) -> None:
    """List the tables of a warehouse: rows, size, when last written; and the last run."""
    request = _Request(config, overrides, input, warehouse, as_of)
    with session(context) as sessions:
        tables_of = request.run(sessions).warehouse
        show_tables(table_facts(tables_of), last_run(tables_of))


@app.command(NAME)
def backfill_days(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    first: From,
    last: To,
    every: Every,
    input: AnyInput = None,
) -> None:
    """Score many days at once: the history of a warehouse that has just been filled."""
    request = _Request(config, overrides, input, warehouse)
    with session(context, [warehouse]) as sessions:
        days = backfill(request.run(sessions), first.date(), last.date(), every)
    typer.echo(f"{len(days)} days are scored, {days[0]} to {days[-1]}")


_CUSTOMER = (
    "The id, as it was delivered. One that begins with a dash comes last, after --: "
    "explain --config FILE --warehouse DIR -- -123"
)


@app.command()
def explain(
    context: typer.Context,
    customer: Annotated[str, typer.Argument(help=_CUSTOMER)],
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    as_of: AsOf = None,
) -> None:
    """Explain one customer's scores: what counts, between which cuts, what the next score takes."""
    request = _Request(config, overrides, None, warehouse, as_of)
    with session(context) as sessions:
        show_panels(explanation(request.run(sessions), customer.strip(), request.day))


@app.command("cohorts show")
def cohorts_show(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    as_of: AsOf = None,
    origin: Annotated[
        str | None, typer.Option(help="Its name in [cohorts.origins]; by default the first.")
    ] = None,
    grain: Annotated[
        str | None, typer.Option(help="Length of a cohort's period; by default the first.")
    ] = None,
    kind: Annotated[
        str, typer.Option(help="Of the periods: calendar, brackets, or such as rolling_28.")
    ] = Shown.kind,
    periods: Annotated[int, typer.Option(min=1, help="How many of them.")] = Shown.periods,
) -> None:
    """Show who came again: a row for each cohort, a column for each period since its start."""
    request = _Request(config, overrides, None, warehouse, as_of)
    rules: Cohorts = BY_COMMAND["cohorts"].rules(request.settings)
    with session(context) as sessions:
        asked = Shown(request.day, origin, grain, kind, periods)
        show_panels(shown_cohorts(request.run(sessions), rules, asked))


@app.command()
def check(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    input: Input,
    warehouse: AnyPlace = None,
    as_of: AsOf = None,
) -> None:
    """Check a configuration and the input's columns, without running anything."""
    request = _Request(config, overrides, input, warehouse, as_of)
    with session(context, [request.input]) as sessions:
        problems = source_problems(request.run(sessions))
    if problems:
        raise UserError(problems)
    typer.echo(f"{config}: fits the input in {request.input}")
    show_panels(advice_panels(configuration_advice(request.settings)))


def _do(context: typer.Context, job: Job, request: _Request) -> None:
    places = [request.warehouse, request.input if job.takes_in else None]
    with session(context, places) as sessions:
        run = request.run(sessions)
        day = run_job(run, job.name, request.day)
        if day is not None:
            show_panels(job_panels(run, job.name, day))
            show_panels(advice_panels(run.notes))
            if len(job.results) > 1:
                asked, cohorts_by = _to_try(request), _cohorts_by(request.settings)
                show_queries(run.warehouse.place, day, asked, cohorts_by)


def _to_try(request: _Request) -> list[list[str]]:
    """A list of the last segment of the grid, and a query of all segments."""
    profiles = BY_COMMAND["rfm"].rules(request.settings)
    leading = leading_profile(profiles)
    *_, segment = profiles[leading].segment_grid.actions
    place = ["--config", str(request.config), "--warehouse", str(request.warehouse)]
    place += [word for override in request.overrides for word in ("--set", override)]
    query = (
        "SELECT segment, customers, revenue_cents FROM segments_latest "
        f"WHERE profile = '{leading}' ORDER BY customers DESC"
    )
    return [["list", *place, "--segment", segment, "--out", "list.csv"], ["sql", query, *place]]


def _cohorts_by(settings: Settings) -> tuple[str, str] | None:
    """Origin and grain of the first cohorts that are stored."""
    result = BY_COMMAND["cohorts"]
    rules: Cohorts = result.rules(settings)
    if not result.is_made_for(settings):
        return None
    return rules.followed(settings)[0].origin, rules.grains[0]


@app.command()
def schema() -> None:
    """Print the JSON schema of the configuration, for editors that complete TOML."""
    typer.echo(json.dumps(configuration_schema(), indent=2))


app.command("list")(list_to_place)
app.command()(sql)
app.command()(generate)
app.command()(report)
app.add_typer(boundaries)
app.add_typer(audience)


@app.callback(invoke_without_command=True)
def _no_command(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"rfm-spark {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None, sessions: Sessions | None = None) -> None:
    """Runs a command and ends the process.

    Exit code 0 if everything asked for was written, 2 for a mistake in what was given, 1 for a
    failure.

    Args:
        arguments: of the command; by default those of the process.
        sessions: how to get a Spark session; by default an embedded local one.
    """
    sys.exit(exit_code(arguments, sessions))


def exit_code(arguments: Sequence[str] | None = None, sessions: Sessions | None = None) -> int:
    """Runs a command; its exit code."""
    try:
        app(args=arguments, standalone_mode=False, obj=sessions)
    except UserError as error:
        show_problems(error.problems)
        return 2
    except TyperException as error:
        show_problems([f"{error.format_message()} See rfm-spark --help"])
        return 2
    except RunFailure as error:
        show_problems([str(error)])
        return 1
    except (typer.Abort, KeyboardInterrupt):
        show_problems(["stopped; tables are as the last finished step left them: run it again"])
        return 1
    except Exception as error:  # the last resort: one line here, the trace for experts in a file
        log = error_log()
        with log.open("a", encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        show_problems([f"failed with {type(error).__name__}; the details are in {log}"])
        return 1
    return 0


def submitted() -> None:
    """A command as spark-submit starts it: with its session, and the same arguments."""
    main(sys.argv[1:], submitted_session)
