"""A shop that is made up: deliveries by day, and the configuration that reads them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import typer

_FEW_STEPS = """
[cohorts]
grains = ["month"]

[clusters]
k = 2
starts = 1
window_days = 60
features = ["recency_days", "frequency", "monetary_cents"]
"""
"""Every kind of table is made, by little work."""


def make_up(folder: Path, mark: Path, days: Sequence[date], receipts: int, seed: int) -> None:
    """Fills `made_up` and `shop.toml` of a folder, after removing what is there.

    Args:
        folder: to be made anew.
        mark: a file in it that says that it may be.
        days: with deliveries, one after another.
        receipts: of all days, ten a customer; and as many events.
        seed: of all choices.

    Raises:
        typer.BadParameter: if somebody else made the folder.
    """
    if folder.exists():
        if not mark.is_file():
            raise typer.BadParameter(f"{folder}: is there, and was not made by this")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    mark.touch()
    made = subprocess.run(
        [
            *(sys.executable, "-m", "rfm_spark", "generate", "--receipts", str(receipts)),
            *("--customers", str(receipts // 10), "--days", str(len(days))),
            *("--seed", str(seed), "--first-day", str(days[0])),
            *("--out", str(folder / "made_up")),
            *("--set", "interactions_per_receipt=1"),
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    (folder / "shop.toml").write_text(made.stdout + _FEW_STEPS, encoding="utf-8")
