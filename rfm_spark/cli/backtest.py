"""`rfm-spark backtest`: what past scores were worth."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from rfm_spark.app.advice import advice_panels
from rfm_spark.app.backtest.job import backtest
from rfm_spark.app.backtest.panels import backtest_panels
from rfm_spark.app.backtest.sources import METHODS_TO_TRY
from rfm_spark.cli.display import show_panels
from rfm_spark.cli.options import Config, Overrides, Place, day_of
from rfm_spark.cli.requests import opened_run

_MOST_DAYS = 3650


def backtest_days(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    as_of: Annotated[
        list[datetime],
        typer.Option(
            "--as-of",
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help="The day to score; may be given several times.",
            show_default=False,
        ),
    ],
    days: Annotated[
        int,
        typer.Option(
            "--days",
            min=1,
            max=_MOST_DAYS,
            help="How many days after it customers are watched.",
            show_default=False,
        ),
    ],
    method: Annotated[
        list[str],
        typer.Option(
            "--method",
            metavar="METHOD",
            help="Score each profile also with all boundaries found in this way, to compare: "
            f"{', '.join(METHODS_TO_TRY)}; may be given several times.",
            default_factory=list,
            show_default=False,
        ),
    ],
) -> None:
    """Score days of the past, and tell who came in the days after: how well scores rank."""
    with opened_run(context, config, overrides, warehouse, [warehouse]) as run:
        asked = [day for given in as_of if (day := day_of(given)) is not None]
        found = backtest(run, asked, days, method)
    show_panels(backtest_panels(found, run.settings.business.money_format))
    show_panels(advice_panels(run.notes))
