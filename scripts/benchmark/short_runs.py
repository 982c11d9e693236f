"""Short runs: cases whose input is always there, where starting is most of the time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cases import OURS, Case, Place

ROOT = Path(__file__).parents[2]
SHORT_RUNS = ("first-run", "second-run", "tables", "demo")


def short_runs(place: Place) -> dict[str, Case]:
    """What rfm-spark does, by case.

    Six receipts for the first time, and with nothing to do; the tables they left; the demo.
    """
    folder = place.folder / "short"
    few, few_config = folder / "few", folder / "few.toml"
    first, second, groceries = (folder / name for name in ("first", "second", "demo"))

    def command(name: str, config: Path, warehouse: Path, *options: str) -> list[str]:
        where = ["--config", str(config), "--warehouse", str(warehouse)]
        return [str(place.program), name, *where, *options]

    def write_few() -> None:
        if not few_config.exists():
            few.mkdir(parents=True, exist_ok=True)
            (few / "receipts.csv").write_text(_example("csv"), encoding="utf-8")
            few_config.write_text(_example("toml"), encoding="utf-8")

    def anew(warehouse: Path, make_input: Callable[[], None]) -> Callable[[], None]:
        def prepare() -> None:
            make_input()
            shutil.rmtree(warehouse, ignore_errors=True)

        return prepare

    def make_groceries() -> None:
        script = [sys.executable, str(ROOT / "scripts" / "complete_journey_data.py")]
        subprocess.run([*script, str(folder / "groceries")], check=True)

    def once() -> None:
        """The code may have changed since a warehouse was made, so that results would not stand."""
        if second not in _made:
            anew(second, write_few)()
            subprocess.run(of_few(second), check=True, stdout=subprocess.DEVNULL)
            _made.add(second)

    def of_few(warehouse: Path) -> list[str]:
        return command("run", few_config, warehouse, "--input", str(few))

    demo = command(
        "run",
        ROOT / "conf" / "complete_journey.toml",
        groceries,
        *("--input", str(folder / "groceries")),
    )
    return {
        "first-run": Case("first-run", OURS, anew(first, write_few), of_few(first)),
        "second-run": Case("second-run", OURS, once, of_few(second)),
        "tables": Case("tables", OURS, once, command("tables", few_config, second)),
        "demo": Case("demo", OURS, anew(groceries, make_groceries), demo),
    }


def _example(language: str) -> str:
    """The README's first block of a language: its six receipts, or how they are read."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return readme.partition(f"```{language}\n")[2].partition("```")[0]


_made: set[Path] = set()
"""Warehouses that this process has made."""
