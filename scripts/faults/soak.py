"""`scripts/soak`: nights in a row, in one process, and what grows meanwhile."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Annotated

import psutil
import typer
from nights import Shop
from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table
from shops import make_up

import rfm_spark
from rfm_spark.app.settings import Settings

_LAST_DAY = date(2024, 12, 31)
"""Of the nights, however many."""
_YEAR = 365
_MARK = ".made_by_soak"
"""A file of a folder that may be removed."""
_WARM_NIGHTS = 10
"""First nights of the JVM, which do not count."""
_PARTS = 8

_screen = Console(highlight=False)


@dataclass(frozen=True)
class Night:
    """A night, and what there is after it.

    Attributes:
        number: from 1.
        day: that it is of.
        seconds: that it took.
        processor_seconds: of all threads of the process and its JVM; what else runs on the machine
            hardly changes them.
        warehouse_bytes: of all files of all tables.
        log_bytes: of the tables' logs among them.
        warehouse_files: how many files there are.
        memory_bytes: resident, of the process and its JVM.
        threads: of the same.
        open_files: of the same.
    """

    number: int
    day: str
    seconds: float
    processor_seconds: float
    warehouse_bytes: int
    log_bytes: int
    warehouse_files: int
    memory_bytes: int
    threads: int
    open_files: int


def main(
    nights: Annotated[int, typer.Option(min=1)] = 730,
    days_apart: Annotated[int, typer.Option(min=1, help="From one night to the next.")] = 1,
    receipts_a_day: Annotated[int, typer.Option(min=1, help="And as many events.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the receipts.")] = 0,
    record: Annotated[Path | None, typer.Option(help="Where to add a line a night.")] = None,
    folder: Annotated[Path, typer.Option(help="Where everything is put.")] = Path(".soak"),
) -> None:
    """Load a year, do nights in a row, and compare the last ones with the first."""
    before = range(_YEAR + nights * days_apart - 1, -1, -1)
    days = [_LAST_DAY - timedelta(days=number) for number in before]
    make_up(folder, folder / _MARK, days, receipts_a_day * len(days), seed)
    done: list[Night] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        for night in _nights(Shop(folder), days, days_apart):
            done.append(night)
            if record is not None:
                with record.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(night)) + "\n")
            _screen.print(
                f"{night.number} of {nights}, {night.day}: {night.seconds:.1f} s, of processors "
                f"{night.processor_seconds:.1f} s"
            )
    finally:
        _tell(done[_WARM_NIGHTS:])


def _nights(shop: Shop, days: Sequence[date], days_apart: int) -> Iterator[Night]:
    """A year in one load, and then nights, each of the days since the one before."""
    settings = rfm_spark.load_settings(shop.folder / "shop.toml")
    made_up = shop.folder / "made_up"
    with rfm_spark.local_session(has_few_rows=True) as spark:
        shop.deliver(made_up, [str(day) for day in days[:_YEAR]])
        rfm_spark.run_job(spark, "run", settings, input=shop.input, warehouse=shop.warehouse)
        for number, place in enumerate(range(_YEAR, len(days), days_apart), 1):
            those = days[place : place + days_apart]
            shop.deliver(made_up, [str(day) for day in those])
            yield _timed(shop, number, those[-1], settings, spark)


def _timed(shop: Shop, number: int, day: date, settings: Settings, spark: SparkSession) -> Night:
    worked, began = _processor_seconds(), time.monotonic()
    rfm_spark.run_job(
        spark, "nightly", settings, input=shop.input, warehouse=shop.warehouse, as_of=day
    )
    seconds = time.monotonic() - began
    worked = _processor_seconds() - worked
    sizes = {file: file.stat().st_size for file in _files(shop.warehouse)}
    family = _family()
    return Night(
        number=number,
        day=str(day),
        seconds=round(seconds, 2),
        processor_seconds=round(worked, 2),
        warehouse_bytes=sum(sizes.values()),
        log_bytes=sum(size for file, size in sizes.items() if "_delta_log" in file.parts),
        warehouse_files=len(sizes),
        memory_bytes=sum(one.memory_info().rss for one in family),
        threads=sum(one.num_threads() for one in family),
        open_files=sum(one.num_fds() for one in family),
    )


def _files(warehouse: Path) -> Iterator[Path]:
    return (Path(place, name) for place, _, names in os.walk(warehouse) for name in names)


def _family() -> list[psutil.Process]:
    """This process and those it started, which is the JVM."""
    own = psutil.Process()
    return [own, *own.children(recursive=True)]


def _processor_seconds() -> float:
    times = [one.cpu_times() for one in _family()]
    ended = psutil.Process().cpu_times()
    return sum(one.user + one.system for one in times) + ended.children_user + ended.children_system


def _tell(nights: Sequence[Night]) -> None:
    """Medians of eight parts of the nights, and of the last part to the first."""
    if len(nights) < _PARTS:
        _screen.print(f"{len(nights)} nights after the first {_WARM_NIGHTS}: too few to compare")
        return
    bounds = [len(nights) * number // _PARTS for number in range(_PARTS + 1)]
    parts = [nights[first:end] for first, end in pairwise(bounds)]
    shown = Table("nights", "s", "of processors", "MB", "of logs", "files", "memory, MB", "threads",
                  "open files", title="medians")  # fmt: skip
    for part in parts:
        shown.add_row(
            f"{part[0].number} to {part[-1].number}",
            f"{_median(part, 'seconds'):.1f}",
            f"{_median(part, 'processor_seconds'):.1f}",
            f"{_median(part, 'warehouse_bytes') / 1e6:.1f}",
            f"{_median(part, 'log_bytes') / 1e6:.1f}",
            f"{_median(part, 'warehouse_files'):.0f}",
            f"{_median(part, 'memory_bytes') / 1e6:.0f}",
            f"{_median(part, 'threads'):.0f}",
            f"{_median(part, 'open_files'):.0f}",
        )
    _screen.print(shown)
    for name in ("seconds", "processor_seconds"):
        ratio = _median(parts[-1], name) / _median(parts[0], name)
        _screen.print(f"{name}: the last of these parts takes {ratio:.2f} times the first")


def _median(nights: Sequence[Night], name: str) -> float:
    return median(getattr(night, name) for night in nights)


if __name__ == "__main__":
    typer.run(main)
