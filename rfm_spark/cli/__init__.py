"""The command line: `rfm-spark <job>`; `jobs/` runs the same through spark-submit."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from rfm_spark import __version__
from rfm_spark.app import damage
from rfm_spark.app.advice import advice_panels, configuration_advice
from rfm_spark.app.backfill import NAME, backfill
from rfm_spark.app.explain.explanation import explanation
from rfm_spark.app.publishing import published
from rfm_spark.app.schema import configuration_schema
from rfm_spark.app.summary import last_run, table_facts
from rfm_spark.cli import boundaries, clusters
from rfm_spark.cli.audiences import audience
from rfm_spark.cli.backtest import backtest_days
from rfm_spark.cli.category_lift import category_lift_show
from rfm_spark.cli.cohorts import cohorts_show
from rfm_spark.cli.display import show_panels, show_tables
from rfm_spark.cli.forget import forget_customers
from rfm_spark.cli.generate import generate
from rfm_spark.cli.init import init
from rfm_spark.cli.jobs import add_job_commands
from rfm_spark.cli.lifetime import lifetime_show
from rfm_spark.cli.lists import list_to_place
from rfm_spark.cli.options import (
    AnyInput,
    AnyPlace,
    AsOf,
    Config,
    Every,
    From,
    Input,
    Overrides,
    Place,
    To,
)
from rfm_spark.cli.progress import LogFormat, choose_format, show_problems
from rfm_spark.cli.queries import sql
from rfm_spark.cli.report import report
from rfm_spark.cli.requests import Request
from rfm_spark.cli.serving import serve
from rfm_spark.cli.sessions import Sessions, session
from rfm_spark.cli.traces import trace_to_driver_log, trace_to_file
from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.ingest.sources import source_problems
from rfm_spark.session import submitted_session

__all__ = ["main", "submitted"]

_INTERRUPTED = 130


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


add_job_commands(app)


@app.command()
def tables(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    input: AnyInput = None,
    as_of: AsOf = None,
) -> None:
    """List the tables as they are now: rows, size, when written; the last run and publication."""
    request = Request(config, overrides, input, warehouse, as_of)
    with session(context) as sessions:
        tables_of = request.run(sessions).warehouse
        show_tables(table_facts(tables_of), last_run(tables_of), published(tables_of))


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
    request = Request(config, overrides, input, warehouse)
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
    request = Request(config, overrides, None, warehouse, as_of)
    with session(context) as sessions:
        show_panels(explanation(request.run(sessions), customer.strip(), request.day))


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
    request = Request(config, overrides, input, warehouse, as_of)
    with session(context, [request.input]) as sessions:
        run = request.run(sessions)
        problems = source_problems(run)
    if problems:
        raise UserError(problems)
    typer.echo(f"{config}: fits the input in {request.input}")
    show_panels(advice_panels([*configuration_advice(request.settings), *run.notes]))


@app.command()
def schema() -> None:
    """Print the JSON schema of the configuration, for editors that complete TOML."""
    typer.echo(json.dumps(configuration_schema(), indent=2))


app.command("backtest")(backtest_days)
app.command("category-lift show")(category_lift_show)
app.command("cohorts show")(cohorts_show)
app.command("clusters show")(clusters.show)
app.command("clusters score")(clusters.score)
app.command("clusters export")(clusters.export)
app.command("lifetime show")(lifetime_show)
app.command("boundaries")(boundaries.show)
app.command("boundaries compare")(boundaries.compare)
app.command("boundaries pin")(boundaries.pin)
app.command("forget")(forget_customers)
app.command("list")(list_to_place)
app.command()(sql)
app.command()(serve)
app.command()(init)
app.command()(generate)
app.command()(report)
app.add_typer(audience)


@app.callback(invoke_without_command=True)
def _no_command(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            "--log",
            envvar="RFM_SPARK_LOG",
            help="How steps and problems are told on standard error; json is an object a line.",
        ),
    ] = "text",
) -> None:
    choose_format(log_format)
    if version:
        typer.echo(f"rfm-spark {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command with an embedded Spark and ends the process.

    Exit code 0 if everything asked for was written, 2 for a mistake in what was given, 1 for a
    failure.

    Args:
        arguments: of the command; by default those of the process.
    """
    signal.signal(signal.SIGTERM, _stopped)
    sys.exit(exit_code(arguments))


def _stopped(_: int, frame: FrameType | None) -> None:
    """Ends the command as Ctrl-C does: Spark's jobs are cancelled, and the lease is let go."""
    interrupt = signal.getsignal(signal.SIGINT)
    if callable(interrupt):
        interrupt(signal.SIGINT, frame)
    raise KeyboardInterrupt  # where Ctrl-C is ignored, as in the background


def exit_code(
    arguments: Sequence[str] | None = None,
    sessions: Sessions | None = None,
    keep_trace: Callable[[BaseException], str] = trace_to_file,
) -> int:
    """Runs a command; its exit code.

    Args:
        arguments: of the command; by default those of the process.
        sessions: how to get a Spark session; by default an embedded local one.
        keep_trace: of an unforeseen failure; tells where it is.
    """
    try:
        _run(arguments, sessions)
    except UserError as error:
        show_problems(error.problems)
        return 2
    except TyperException as error:
        show_problems([f"{error.format_message()} See rfm-spark --help"])
        return 2
    except RunFailure as error:
        show_problems([damage.told(error) or str(error)])
        return 1
    except (typer.Abort, KeyboardInterrupt):
        show_problems(["stopped; tables are as the last finished step left them: run it again"])
        return 1
    except Exception as error:  # the last resort: one line here, the trace for experts
        told = damage.told(error) or f"failed with {type(error).__name__}"
        show_problems([f"{told}; {keep_trace(error)}"])
        return 1
    return 0


def _run(arguments: Sequence[str] | None, sessions: Sessions | None) -> None:
    """Runs a command, and tells one that was to end, whatever failed on its way out.

    Who stops all processes of a command (`timeout`, systemd) ends its JVM at the same moment, which
    then cannot be told to stop.

    Raises:
        KeyboardInterrupt: if it was told to end.
    """
    try:
        if app(args=arguments, standalone_mode=False, obj=sessions) == _INTERRUPTED:
            raise KeyboardInterrupt  # Typer makes a value of it, by which a command ends with 0
    except Exception as error:
        before = error.__context__
        while before is not None and not isinstance(before, KeyboardInterrupt):
            before = before.__context__
        if before is not None:
            raise before from error
        raise


def submitted() -> None:
    """A command as spark-submit starts it: with its session, and the same arguments."""
    signal.signal(signal.SIGTERM, _stopped)
    sys.exit(exit_code(sys.argv[1:], submitted_session, trace_to_driver_log))
