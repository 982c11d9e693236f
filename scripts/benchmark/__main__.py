"""`scripts/bench`: makes receipts up, times every case for every contender, tells the medians."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path
from statistics import median
from typing import Annotated

import psutil
import typer
from cases import CASES, OURS, Case, Place, cases
from measure import Measured, measured
from rich.console import Console
from rich.table import Table

FIRST_DAY = date(2022, 1, 1)
MEMORY = f"{max(1, min(psutil.virtual_memory().total // 2**31, 24))}g"
"""What rfm-spark gives itself: half of the machine."""

_screen = Console(stderr=True, highlight=False)


def main(
    receipts: Annotated[str, typer.Option(help="How many, such as 1e7.")] = "1e6",
    customers: Annotated[str, typer.Option(help="Who can buy.")] = "5e4",
    days: Annotated[int, typer.Option(help="Length of the history.")] = 1095,
    repeat: Annotated[int, typer.Option(help="Times each is run; medians are told.")] = 3,
    case: Annotated[list[str] | None, typer.Option(help="By default all of them.")] = None,
    folder: Annotated[Path, typer.Option(help="Where everything is put.")] = Path(".bench"),
) -> None:
    """Times rfm-spark and what people use instead, on the same made-up receipts."""
    names = tuple(case or CASES)
    unknown = set(names) - set(CASES)
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: the cases are {', '.join(CASES)}")
    size = f"{float(receipts):.0f}-{float(customers):.0f}-{days}"
    place = Place(folder.absolute() / size, days, FIRST_DAY)
    environment = _environment(place)
    _prepare(place, receipts, customers, names, environment)
    found: dict[tuple[str, str], list[Measured]] = defaultdict(list)
    for number in range(repeat):
        for one in cases(place, names):
            found[one.name, one.contender].append(_timed(place, one, number, environment))
    _write(place, found, {"receipts": receipts, "customers": customers, "days": days})


def _environment(place: Place) -> dict[str, str]:
    """Every Spark leaves an event log, and has the same memory."""
    conf, events = place.folder / "conf", place.folder / "events"
    for made in (conf, events):
        made.mkdir(parents=True, exist_ok=True)
    (conf / "spark-defaults.conf").write_text(
        f"spark.eventLog.enabled true\nspark.eventLog.dir file://{events}\n"
        f"spark.eventLog.compress false\nspark.eventLog.rolling.enabled false\n"
        f"spark.driver.memory {MEMORY}\nspark.ui.enabled false\nspark.sql.session.timeZone UTC\n",
        encoding="utf-8",
    )
    return {**os.environ, "SPARK_CONF_DIR": str(conf), "TZ": "UTC"}


def _prepare(
    place: Place, receipts: str, customers: str, names: tuple[str, ...], env: dict[str, str]
) -> None:
    rfm_spark = str(Path(sys.executable).parent / "rfm-spark")
    if not place.config.exists():
        _screen.print("making receipts up ...")
        size = ["--receipts", receipts, "--customers", customers, "--days", str(place.days)]
        made = subprocess.run(
            [rfm_spark, "generate", *size, "--out", str(place.input)],
            check=True,
            stdout=subprocess.PIPE,
            env=env,
        )
        place.config.write_bytes(made.stdout)
    if "night" in names and not place.warehouse("before").exists():
        (place.before / "receipts").mkdir(parents=True, exist_ok=True)
        for delivery in sorted((place.input / "receipts").glob("delivered=*"))[:-1]:
            link = place.before / "receipts" / delivery.name
            if not link.exists():
                link.symlink_to(delivery)
        _screen.print("loading all days but the last ...")
        _job(rfm_spark, "ingest", place, place.before, place.warehouse("before"), env)
    if "load" not in names and not place.warehouse("loaded").exists():
        _screen.print("loading all days ...")
        _job(rfm_spark, "ingest", place, place.input, place.warehouse("loaded"), env)


def _job(
    rfm_spark: str, name: str, place: Place, data: Path, warehouse: Path, env: dict[str, str]
) -> None:
    half = warehouse.with_name(f"{warehouse.name}-half")
    shutil.rmtree(half, ignore_errors=True)
    where = ["--input", str(data), "--warehouse", str(half)]
    subprocess.run([rfm_spark, name, "--config", str(place.config), *where], check=True, env=env)
    half.rename(warehouse)


def _timed(place: Place, one: Case, number: int, environment: dict[str, str]) -> Measured:
    one.prepare()
    log = place.folder / "logs" / f"{one.name}-{one.contender}-{number}.log"
    log.parent.mkdir(exist_ok=True)
    events = place.folder / "events" if one.has_spark else None
    result = measured(one.command, log, environment, events)
    _screen.print(f"{one.name:<10}{one.contender:<12}{result.seconds:8.1f} s")
    return result


def _write(
    place: Place, found: dict[tuple[str, str], list[Measured]], size: dict[str, object]
) -> None:
    """Medians on the screen; every figure in a JSON file."""
    shown = Table(title=f"medians of {max(map(len, found.values()))}")
    for column in ("case", "contender", "s", "ratio to ours", "peak GB", "read MB", "shuffled MB",
                   "written MB"):  # fmt: skip
        shown.add_column(column, justify="left" if column in ("case", "contender") else "right")
    ours = {
        case: median(one.seconds for one in runs)
        for (case, who), runs in found.items()
        if who == OURS
    }
    for (case, who), runs in found.items():
        seconds = median(one.seconds for one in runs)
        shown.add_row(
            case,
            who,
            f"{seconds:.1f}",
            f"{seconds / ours[case]:.2f}",
            f"{median(one.peak_bytes for one in runs) / 1e9:.1f}",
            *(_megabytes(runs, name) for name in ("read_bytes", "shuffled_bytes", "written_bytes")),
        )
    Console(width=120).print(shown)
    told = {
        "size": size,
        "machine": {"cores": os.cpu_count(), "system": platform.platform()},
        "runs": [
            {"case": case, "contender": who, **one.as_dict()}
            for (case, who), runs in found.items()
            for one in runs
        ],
    }
    file = place.folder / "result.json"
    file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    _screen.print(f"every figure: {file}")


def _megabytes(runs: list[Measured], name: str) -> str:
    values = [getattr(one, name) for one in runs]
    return "" if None in values else f"{median(values) / 1e6:,.0f}"


if __name__ == "__main__":
    typer.run(main)
