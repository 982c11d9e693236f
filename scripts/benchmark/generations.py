"""Files of three generations against the same rows in files of one: how much longer loading takes.

    python scripts/benchmark/generations.py FOLDER [--receipts 2e6] [--repeat 3]

A hundred CSV files, each with a third of a history whose columns were added, dropped and put in
another order; and the same rows with all columns in one order. Both are loaded in one session, in
turns, after one of each that is not counted.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer

import rfm_spark
from rfm_spark.app.loading import load_settings

FILES = 100
ALL_COLUMNS = ("id", "customer", "at", "total", "till", "note", "channel", "coupon")
GENERATIONS: Sequence[Sequence[str]] = (
    ("id", "customer", "at", "total", "till", "note"),
    ("id", "customer", "at", "channel", "total", "till"),
    ("coupon", "at", "id", "total", "customer", "channel"),
)
"""A column added and one dropped; then another of each, and all in another order."""

CONFIGURATION = """
[business]
time_zone = "Europe/Berlin"

[receipts]
path = "*.csv"
format = "csv"
grain = "receipt"

[receipts.columns]
receipt_id = "id"
customer_id = "customer"
time = "at"
amount = "total"
store_id = "till"
channel = "channel"
"""


def write(folder: Path, receipts: int) -> None:
    """The two inputs, and their configuration."""
    for name in ("one", "three"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    (folder / "generations.toml").write_text(CONFIGURATION, encoding="utf-8")
    chance = np.random.default_rng(7)
    for number in range(FILES):
        generation = GENERATIONS[number * len(GENERATIONS) // FILES]
        values = _values(chance, number, receipts // FILES)
        for name in ALL_COLUMNS:
            if name not in generation:
                values[name] = [""] * (receipts // FILES)
        for name, columns in (("one", ALL_COLUMNS), ("three", generation)):
            rows = zip(*(values[column] for column in columns), strict=True)
            text = "".join(",".join(row) + "\n" for row in rows)
            file = folder / name / f"{number:03}.csv"
            file.write_text(",".join(columns) + "\n" + text, encoding="utf-8")


def _values(chance: np.random.Generator, number: int, size: int) -> dict[str, list[str]]:
    day = date(2023, 1, 1) + timedelta(days=10 * number)
    days = [day + timedelta(days=int(n)) for n in chance.integers(0, 10, size)]
    return {
        "id": [f"{number:03}-{n:07}" for n in range(size)],
        "customer": [f"c{n}" for n in chance.integers(0, 100_000, size)],
        "at": [f"{one} {hour:02}:15:00" for one, hour in zip(days, chance.integers(8, 20, size),
                                                             strict=True)],
        "total": [f"{cents / 100:.2f}" for cents in chance.integers(100, 20_000, size)],
        "till": [f"t{n}" for n in chance.integers(1, 9, size)],
        "note": ["paid"] * size,
        "channel": [("web", "shop")[n] for n in chance.integers(0, 2, size)],
        "coupon": ["none"] * size,
    }  # fmt: skip


def timed(folder: Path, repeat: int) -> Iterator[tuple[str, float]]:
    """Seconds of each load, by input."""
    settings = load_settings(folder / "generations.toml")
    with rfm_spark.local_session() as spark:
        for turn in range(repeat + 1):
            for name in ("one", "three"):
                warehouse = folder / "warehouse"
                shutil.rmtree(warehouse, ignore_errors=True)
                start = time.perf_counter()
                rfm_spark.run_job(
                    spark, "ingest", settings, input=folder / name, warehouse=warehouse
                )
                if turn:
                    yield name, time.perf_counter() - start


def main(
    folder: Path,
    receipts: Annotated[float, typer.Option()] = 2e6,
    repeat: Annotated[int, typer.Option()] = 3,
) -> None:
    """Writes both inputs, loads them in turns and tells the median of the ratios of two in turn."""
    write(folder, int(receipts))
    found: dict[str, list[float]] = {"one": [], "three": []}
    for name, seconds in timed(folder, repeat):
        found[name].append(seconds)
        typer.echo(f"{name:5} {seconds:6.1f} s")
    # A machine is not as fast all the time: what ran one after the other is compared.
    pairs = zip(found["one"], found["three"], strict=True)
    typer.echo(f"three generations against one: {median(three / one for one, three in pairs):.2f}")


if __name__ == "__main__":
    typer.run(main)
