"""Options of the commands."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from rfm_spark.core.periods import Step

Config = Annotated[
    Path,
    typer.Option("--config", metavar="FILE", help="Configuration, in TOML.", show_default=False),
]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Change one setting; may be given several times.",
        default_factory=list,
        show_default=False,
    ),
]
Input = Annotated[
    str,
    typer.Option("--input", metavar="DIR", help="Where the raw data lie: a folder or URI.",
                 show_default=False),
]  # fmt: skip
AnyInput = Annotated[
    str | None,
    typer.Option("--input", metavar="DIR", help="Not needed: this job reads tables only."),
]
Place = Annotated[
    str,
    typer.Option("--warehouse", metavar="DIR", help="Where the tables are: a folder or URI.",
                 show_default=False),
]  # fmt: skip
AnyPlace = Annotated[
    str | None,
    typer.Option("--warehouse", metavar="DIR", help="Not needed: nothing is written."),
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        formats=["%Y-%m-%d"],
        help="The day to describe; by default the last business day in the data.",
        show_default=False,
    ),
]
StoredDay = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        formats=["%Y-%m-%d"],
        help="A day that is stored; by default the last.",
        show_default=False,
    ),
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        metavar="DATE",
        formats=["%Y-%m-%d"],
        help="The earlier day to compare with; by default the day before, and a week and a month "
        "before, where they are stored.",
        show_default=False,
    ),
]
From = Annotated[
    datetime,
    typer.Option(
        "--from", metavar="DATE", formats=["%Y-%m-%d"], help="The first day to describe.",
        show_default=False,
    ),
]  # fmt: skip
To = Annotated[
    datetime,
    typer.Option(
        "--to", metavar="DATE", formats=["%Y-%m-%d"], help="No day after it is described.",
        show_default=False,
    ),
]  # fmt: skip
Every = Annotated[
    Step,
    typer.Option(
        "--every",
        help="How far the days are apart: weeks from --from on, or months on its day of the month; "
        "a shorter month has its last day, and all do if --from is the end of its month.",
        show_default=False,
    ),
]
Night = Annotated[
    datetime,
    typer.Option(
        "--date",
        metavar="DATE",
        formats=["%Y-%m-%d"],
        help="The business day that is over: the day to describe, and `{date}` in paths.",
        show_default=False,
    ),
]


def day_of(given: datetime | None) -> date | None:
    """The day of an option; its time names no zone."""
    return None if given is None else given.replace(tzinfo=UTC).date()
