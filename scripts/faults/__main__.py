"""`scripts/chaos`: the same nights twice, in one warehouse killed at random moments."""

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
from nights import Ended, Shop
from rich.console import Console
from rich.table import Table

_FIRST_DAY = date(2024, 1, 1)
_MOST_KILLS_A_NIGHT = 12
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
    kills: Annotated[int, typer.Option(min=1, help="How many processes are killed.")] = 20,
    receipts: Annotated[str, typer.Option(help="Made up, such as 2e4.")] = "2e4",
    customers: Annotated[str, typer.Option(help="Who can buy.")] = "2e3",
    history_days: Annotated[int, typer.Option(min=60, help="Before the first night.")] = 400,
    seed: Annotated[int, typer.Option(help="Of the moments, and of the receipts.")] = 0,
    folder: Annotated[Path, typer.Option(help="Where everything is put.")] = Path(".chaos"),
) -> None:
    """Run nights in two warehouses; kill those of one at random moments, and compare all rows."""
    moments = random.Random(seed)
    nights = -(-kills // _MOST_KILLS_A_NIGHT) * 4  # a night that was often killed is soon done
    _make_up(folder, receipts, customers, history_days + nights, seed)
    undisturbed, disturbed = _begun(folder, history_days)
    config, killed, steps = folder / "shop.toml", 0, Counter[str]()
    for night in range(nights):
        day = str(_FIRST_DAY + timedelta(days=history_days + night))
        for shop in (undisturbed, disturbed):
            shop.deliver([day])
        seconds = undisturbed.night(config).seconds
        most = min(kills - killed, _MOST_KILLS_A_NIGHT)
        ends = _killed(disturbed, config, seconds, most, moments)
        steps.update(one.step for one in ends)
        killed += len(ends)
        found = differences(disturbed.warehouse, undisturbed.warehouse)
        _screen.print(
            f"{day}: killed {len(ends)} times ({killed} in all), {len(found)} tables differ"
        )
        if found:
            _screen.print("\n".join(found))
            sys.exit(1)
        if killed == kills:
            break
    _tell(steps, len(tables_of(disturbed.warehouse)))


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
    undisturbed.deliver([str(_FIRST_DAY + timedelta(days=day)) for day in range(days)])
    undisturbed.night(folder / "shop.toml")
    shutil.copytree(undisturbed.folder, disturbed.folder)
    return undisturbed, disturbed


def _killed(
    shop: Shop, config: Path, seconds: float, most: int, moments: random.Random
) -> list[Ended]:
    """Kills a night and begins it again, until it ends by itself, or was killed enough."""
    ends: list[Ended] = []
    while len(ends) < most:
        end = shop.night(config, moments.uniform(0, seconds))
        if not end.is_killed:
            return ends
        ends.append(end)
    shop.night(config)
    return ends


def _tell(steps: Counter[str], tables: int) -> None:
    shown = Table("killed", "times")
    for step, times in steps.most_common():
        shown.add_row(step, str(times))
    _screen.print(shown)
    _screen.print(
        f"{steps.total()} nights were killed; all rows of {tables} tables are those of nights that "
        "nobody disturbed"
    )


if __name__ == "__main__":
    typer.run(main)
