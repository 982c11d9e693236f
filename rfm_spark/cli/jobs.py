"""Jobs as commands, each with the options that it reads, and the last screen of one."""

from __future__ import annotations

from typing import Annotated

import typer

from rfm_spark.app.advice import advice_panels
from rfm_spark.app.jobs import JOBS, Job, run_job
from rfm_spark.app.settings import Settings
from rfm_spark.app.summary import job_panels
from rfm_spark.cli.display import show_panels, show_queries
from rfm_spark.cli.options import AnyInput, AsOf, Config, Input, Night, Overrides, Place, Since
from rfm_spark.cli.requests import Request
from rfm_spark.cli.sessions import session
from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.registry import BY_COMMAND
from rfm_spark.results.rfm.settings import leading_profile

Deliveries = Annotated[
    list[str],
    typer.Argument(metavar="DELIVERY...", help="Names, as the table `deliveries` has them."),
]

SomeDeliveries = Annotated[
    list[str] | None,
    typer.Argument(metavar="[DELIVERY...]", help="Names, as the table `deliveries` has them."),
]
AllDeliveries = Annotated[
    bool, typer.Option("--all", help="Every delivery that has rejected rows.")
]


def add_job_commands(app: typer.Typer) -> None:
    """A command for every job."""
    for job in JOBS:
        _add_command(app, job)


def _add_command(app: typer.Typer, job: Job) -> None:
    """The command of a job, with the options that it reads."""

    def night(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        input: Input,
        warehouse: Place,
        date: Night,
    ) -> None:
        run_and_show(
            context, job, Request(config, overrides, input, warehouse, date, is_night=True)
        )

    def taking_in(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        input: Input,
        warehouse: Place,
        as_of: AsOf = None,
    ) -> None:
        run_and_show(context, job, Request(config, overrides, input, warehouse, as_of))

    def of_tables(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        warehouse: Place,
        input: AnyInput = None,
        as_of: AsOf = None,
    ) -> None:
        run_and_show(context, job, Request(config, overrides, input, warehouse, as_of))

    def of_two_days(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        warehouse: Place,
        input: AnyInput = None,
        as_of: AsOf = None,
        since: Since = None,
    ) -> None:
        request = Request(config, overrides, input, warehouse, as_of, since=since)
        run_and_show(context, job, request)

    def taking_back(
        context: typer.Context,
        deliveries: Deliveries,
        config: Config,
        overrides: Overrides,
        warehouse: Place,
        input: AnyInput = None,
    ) -> None:
        request = Request(config, overrides, input, warehouse, taken_back=deliveries)
        run_and_show(context, job, request)

    def reading_again(
        context: typer.Context,
        config: Config,
        overrides: Overrides,
        input: Input,
        warehouse: Place,
        deliveries: SomeDeliveries = None,
        is_all: AllDeliveries = False,
    ) -> None:
        if is_all == bool(deliveries):
            raise UserError(
                f"{job.name}: name deliveries, or give --all for all with rejected rows"
            )
        names = deliveries or []
        request = Request(config, overrides, input, warehouse, read_again=names)
        run_and_show(context, job, request)

    of_days = of_two_days if job.compares_days else of_tables
    in_out = taking_back if job.takes_back else taking_in if job.takes_in else of_days
    of_new = reading_again if job.reads_again else in_out
    app.command(job.name, help=job.summary)(night if job.maintains else of_new)


def run_and_show(context: typer.Context, job: Job, request: Request) -> None:
    """Does a job, and shows what it made of its day."""
    places = [request.warehouse, request.input if job.takes_in or job.reads_again else None]
    with session(context, places) as sessions:
        run = request.run(sessions)
        try:
            day = run_job(run, job.name, request.day)
        except RunFailure:
            show_panels(advice_panels(run.notes))  # which may say why
            raise
        if day is not None:
            show_panels(job_panels(run, job.name, day))
        show_panels(advice_panels(run.notes))
        if day is not None and len(job.results) > 1:
            asked, cohorts_by = _to_try(request), _cohorts_by(request.settings)
            show_queries(run.warehouse.place, day, asked, cohorts_by)


def _to_try(request: Request) -> list[list[str]]:
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
