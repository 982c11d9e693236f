"""`scripts/chaos`: the same nights twice, those of one warehouse disturbed at random moments."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
from contents import differences, tables_of
from faults import FAULTS, Fault, FaultName, Night
from nights import Ended, Shop
from rich.console import Console
from rich.table import Table

_FIRST_DAY = date(2024, 1, 1)
_MOST_A_NIGHT = 12
_MARK = ".made_by_chaos"
"""A file of a folder that may be removed."""

_FURTHER_SETTINGS = """
[clusters]
k = 4
window_days = 180
features = ["recency_days", "frequency", "monetary_cents"]

[lifetime_value]
"""
_screen = Console(highlight=False)


def main(
    fault: Annotated[FaultName, typer.Option(help="What happens.")] = "kill",
    times: Annotated[int, typer.Option(min=1, help="How often it happens.")] = 20,
    receipts: Annotated[str, typer.Option(help="Made up, such as 2e4.")] = "2e4",
    customers: Annotated[str, typer.Option(help="Who can buy.")] = "2e3",
    history_days: Annotated[int, typer.Option(min=60, help="Before the first night.")] = 400,
    seed: Annotated[int, typer.Option(help="Of the moments, and of the receipts.")] = 0,
    folder: Annotated[Path, typer.Option(help="Where everything is put.")] = Path(".chaos"),
) -> None:
    """Run nights in two warehouses; disturb those of one at random moments; compare all rows."""
    moments, happens = random.Random(seed), FAULTS[fault]
    nights = 4 * -(-times // _MOST_A_NIGHT)  # a night that was often disturbed is soon done
    _make_up(folder, receipts, customers, history_days + nights, seed)
    undisturbed, disturbed = _begun(folder, history_days)
    happens.prepare(disturbed)
    ends: list[Ended] = []
    for night in range(nights):
        day = _day(history_days + night)
        of_day = (folder / "shop.toml", day)
        for shop in (undisturbed, disturbed):
            shop.deliver([day])
        seconds = _whole(undisturbed, of_day).seconds
        most = min(times - len(ends), _MOST_A_NIGHT)
        found = _disturbed(disturbed, happens, of_day, seconds, most, moments)
        _whole(disturbed, of_day)
        ends += found
        differing = differences(disturbed.warehouse, undisturbed.warehouse)
        times_told = f"{len(found)} times ({len(ends)} in all)"
        _screen.print(f"{day}: {fault} {times_told}, {len(differing)} tables differ")
        if differing:
            _screen.print("\n".join(differing))
            sys.exit(1)
        if len(ends) == times:
            break
    _tell(fault, ends, len(tables_of(disturbed.warehouse)))


def _make_up(folder: Path, receipts: str, customers: str, days: int, seed: int) -> None:
    """Deliveries by day, and the configuration that reads them."""
    if folder.exists():
        if not (folder / _MARK).is_file():
            raise typer.BadParameter(f"{folder}: is there, and was not made by this")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
    made = subprocess.run(
        [
            *(sys.executable, "-m", "rfm_spark", "generate", "--receipts", receipts),
            *("--customers", customers, "--days", str(days), "--seed", str(seed)),
            *("--first-day", str(_FIRST_DAY), "--out", str(folder / "made_up")),
            *("--set", "interactions_per_receipt=1"),
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    (folder / "shop.toml").write_text(made.stdout + _FURTHER_SETTINGS, encoding="utf-8")


def _begun(folder: Path, days: int) -> tuple[Shop, Shop]:
    """Both shops after their first night, of all days of the history."""
    undisturbed, disturbed = (
        Shop(folder / name, folder / "made_up") for name in ("undisturbed", "disturbed")
    )
    undisturbed.deliver([_day(number) for number in range(days)])
    _whole(undisturbed, (folder / "shop.toml", _day(days - 1)))
    shutil.copytree(undisturbed.folder, disturbed.folder)
    return undisturbed, disturbed


def _day(number: int) -> str:
    return str(_FIRST_DAY + timedelta(days=number))


def _whole(shop: Shop, night: Night) -> Ended:
    """A night that nothing happens to."""
    end = shop.night(*night)
    if end.code != 0:
        raise RuntimeError(f"an undisturbed night ended with {end.code}:\n{end.told}")
    return end


def _disturbed(
    shop: Shop, fault: Fault, night: Night, seconds: float, most: int, moments: random.Random
) -> list[Ended]:
    """Begins a night again and again, until it ends well or was disturbed often enough."""
    ends: list[Ended] = []
    while len(ends) < most:
        end = fault.disturbed(shop, night, seconds, moments)
        if end.code == 0:
            break
        ends.append(end)
    return ends


def _tell(fault: str, ends: list[Ended], tables: int) -> None:
    shown = Table(fault, "ended with", "times")
    counted = Counter((end.step, "killed" if end.code is None else str(end.code)) for end in ends)
    for (step, code), times in counted.most_common():
        shown.add_row(step, code, str(times))
    _screen.print(shown)
    _screen.print(
        f"{fault} {len(ends)} times; all rows of {tables} tables are those of nights that nobody "
        "disturbed"
    )


if __name__ == "__main__":
    typer.run(main)
