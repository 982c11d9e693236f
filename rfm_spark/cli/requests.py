"""What a command was asked for, and the run that answers it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import typer

from rfm_spark.app.api import open_run
from rfm_spark.app.loading import load_settings
from rfm_spark.app.settings import Settings
from rfm_spark.cli.options import day_of
from rfm_spark.cli.progress import StepProgress
from rfm_spark.cli.sessions import session
from rfm_spark.run import Run
from rfm_spark.storage.on_demand import SessionOnDemand


@dataclass
class Request:
    """What was asked for, before a session exists."""

    config: Path
    overrides: list[str]
    input: str | None = None
    warehouse: str | None = None
    as_of: datetime | None = None
    is_night: bool = False
    since: datetime | None = None
    taken_back: Sequence[str] = ()
    read_again: Sequence[str] | None = None
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
        run = open_run(
            sessions,
            self.settings,
            self.input or ".",
            self.warehouse or ".",
            StepProgress(),
            self.day if self.is_night else None,
            day_of(self.since),
        )
        run.taken_back = tuple(self.taken_back)
        run.read_again = None if self.read_again is None else tuple(self.read_again)
        return run


@contextmanager
def opened_run(
    context: typer.Context,
    config: Path,
    overrides: list[str],
    warehouse: str,
    places: Sequence[str] = (),
) -> Iterator[Run]:
    """The run of a command over the tables of a warehouse, until the context ends.

    Args:
        context: of the command.
        config: the configuration.
        overrides: of its settings.
        warehouse: where the tables are.
        places: where data lie that Spark is to work through; none for commands that hardly need it.
    """
    request = Request(config, overrides, None, warehouse)
    with session(context, places) as sessions:
        yield request.run(sessions)
