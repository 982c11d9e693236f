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
_RECEIPTS = """\
number,card,bought_at,total,shop
1001,anna,2026-01-02 10:30:00,19.90,north
1002,ben,2026-01-02 17:05:00,5.00,north
1003,anna,2026-01-20 09:12:00,-4.00,north
1004,,2026-01-21 12:00:00,7.25,south
1005,carla,2026-01-28 18:40:00,42.10,south
1006,anna,2026-01-31 11:20:00,12.00,north
"""
_SHOP = """\
[business]
time_zone = "Europe/Berlin"
currency = "EUR"

[receipts]
path = "*.csv"
format = "csv"
grain = "receipt"

[receipts.columns]
receipt_id = "number"
customer_id = "card"
time = "bought_at"
amount = "total"
store_id = "shop"

[clusters]
k = 2
"""


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
        few.mkdir(parents=True, exist_ok=True)
        if not few_config.exists():
            (few / "receipts.csv").write_text(_RECEIPTS, encoding="utf-8")
            few_config.write_text(_SHOP, encoding="utf-8")

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


_made: set[Path] = set()
"""Warehouses that this process has made."""
