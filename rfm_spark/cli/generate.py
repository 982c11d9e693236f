"""`rfm-spark generate`: receipts made up, and the configuration that reads them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from rfm_spark.cli.progress import StepProgress
from rfm_spark.cli.sessions import session
from rfm_spark.core.errors import UserError
from rfm_spark.generator.deliveries import Files, Layout, configuration, write_deliveries
from rfm_spark.generator.market import Market
from rfm_spark.settings.sources import Format
from rfm_spark.storage.locations import location


def _whole(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number != number // 1:
        raise typer.BadParameter(f"'{text}' is no whole number; write it as 1000000 or 1e6")
    return int(number)


Count = Annotated[
    int, typer.Option("--receipts", parser=_whole, metavar="N", help="How many, such as 1e9.")
]
Customers = Annotated[
    int, typer.Option("--customers", parser=_whole, metavar="N", help="Who can buy.")
]
Days = Annotated[int, typer.Option("--days", metavar="N", help="Length of the history.")]
FirstDay = Annotated[
    datetime,
    typer.Option("--first-day", metavar="DATE", formats=["%Y-%m-%d"], help="Of the history."),
]
Out = Annotated[
    str, typer.Option("--out", metavar="DIR", help="A folder or URI to write to.",
                      show_default=False)
]  # fmt: skip
Seed = Annotated[int, typer.Option("--seed", help="Another seed gives other rows.")]
FileFormat = Annotated[
    Format,
    typer.Option("--format", help="Of the files."),
]
FileLayout = Annotated[
    Layout,
    typer.Option("--layout", help="A folder for each day of delivery, or all in one."),
]
Behaviour = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change how customers behave, such as guest_share=0.3, lines_per_receipt=4 or "
        "interactions_per_receipt=2; may be given several times.",
        default_factory=list,
        show_default=False,
    ),
]


def generate(
    context: typer.Context,
    receipts: Count,
    customers: Customers,
    days: Days,
    out: Out,
    changes: Behaviour,
    first_day: FirstDay = datetime(2022, 1, 1),  # noqa: DTZ001 - a day, without a time
    seed: Seed = 0,
    format: FileFormat = "parquet",
    layout: FileLayout = "daily",
) -> None:
    """Make up receipts of any size for trials; prints a configuration that reads them."""
    market = _market(receipts, customers, days, first_day, seed, changes)
    _require_past(market)
    title = f"make up {market.receipts:,} receipts"
    with session(context) as sessions, StepProgress().step(title) as step:
        files = Files(location(sessions, out), format, layout)
        write_deliveries(sessions.session, market, files)
        step.says(files.place)
    typer.echo(configuration(market, files), nl=False)


def _market(
    receipts: int, customers: int, days: int, first_day: datetime, seed: int, changes: Sequence[str]
) -> Market:
    """The market that was asked for.

    Raises:
        UserError: with one line for everything that does not fit.
    """
    asked: dict[str, Any] = {
        "receipts": receipts,
        "customers": customers,
        "days": days,
        "first_day": first_day.date(),
        "seed": seed,
    }
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or key.strip() in asked:
            raise UserError(f"--set {change}: write it as KEY=VALUE, for what has no own option")
        try:
            asked[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            raise UserError(f"--set {change}: the value must be a number") from None
    try:
        return Market.model_validate(asked)
    except ValidationError as error:
        known = ", ".join(name for name in Market.model_fields if name not in asked)
        raise UserError(
            [
                f"{'.'.join(map(str, one['loc'])) or 'generate'}: {one['msg']}"
                + (f"; there are {known}" if one["type"] == "extra_forbidden" else "")
                for one in error.errors()
            ]
        ) from None


def _require_past(market: Market) -> None:
    """Receipts of days to come would be made, and rejected as soon as they are read.

    Raises:
        UserError: naming a first day that fits.
    """
    today = datetime.now(UTC).date()
    if market.last_day > today:
        latest = today - timedelta(days=market.days - 1)
        raise UserError(
            f"--days {market.days}: from {market.first_day} on they end on {market.last_day}, "
            "which is still to come, and receipts of days to come are rejected: give "
            f"--first-day {latest} or an earlier one"
        )
