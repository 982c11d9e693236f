"""`scripts/bench`: makes receipts up, times every case for every contender, tells the medians."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated

import psutil
import pyspark
import typer
from cases import (
    BASELINE,
    CASES,
    COMET,
    DELIVERIES,
    OF_INTERACTIONS,
    OF_RFM_SPARK,
    OURS,
    SORTED_FACTS,
    Case,
    Place,
    baseline_of,
    comet_of,
    our_cases,
    peer_case,
    peer_command,
)
from committed import added_bytes, log_versions
from deliveries import some_customer
from measure import Measured, measured
from rich.console import Console
from rich.table import Table
from short_runs import SHORT_RUNS, short_runs

from rfm_spark.session import DRIVER_MEMORY
from rfm_spark.storage.comet import COMET_JAR

LAST_DAY = date(2024, 12, 30)
"""Of every history, so that no receipt is of a day to come."""
MEMORY = f"{max(1, min(psutil.virtual_memory().total // 2**31, 24))}g"
"""What rfm-spark gives itself: half of the machine. Plain PySpark has as much."""

Found = dict[tuple[str, str], list[Measured | None]]
"""By case and contender; None for a run that failed."""

LARGEST_SHARE = 0.01
"""Of all receipts, those of one customer where the receipts are skewed."""


@dataclass(frozen=True)
class _Size:
    """What is made up; numbers as they were written."""

    receipts: str
    customers: str
    days: int
    skewed: bool
    interactions: float

    @property
    def name(self) -> str:
        """Of its folder."""
        name = f"{float(self.receipts):.0f}-{float(self.customers):.0f}-{self.days}-to-{LAST_DAY}"
        name += f"-{self.interactions:g}-interactions" if self.interactions else ""
        return f"{name}-skewed" if self.skewed else name

    @property
    def first_day(self) -> date:
        """Of the history."""
        return LAST_DAY - timedelta(days=self.days - 1)

    @property
    def made_up(self) -> list[str]:
        """Options of `rfm-spark generate`."""
        options = ["--receipts", self.receipts, "--customers", self.customers]
        options += ["--days", str(self.days), "--first-day", str(self.first_day)]
        if self.interactions:
            options += ["--set", f"interactions_per_receipt={self.interactions:g}"]
        if self.skewed:
            largest = f"largest_customer_receipts={float(self.receipts) * LARGEST_SHARE:.0f}"
            options += ["--set", "guest_share=0.3", "--set", largest]
        return options


_screen = Console(stderr=True, highlight=False)


def main(  # noqa: PLR0913, PLR0917 - the options of a command
    receipts: Annotated[str, typer.Option(help="How many, such as 1e7.")] = "1e6",
    customers: Annotated[str, typer.Option(help="Who can buy.")] = "5e4",
    days: Annotated[int, typer.Option(help="Length of the history.")] = 1095,
    repeat: Annotated[int, typer.Option(help="Times each is run; medians are told.")] = 3,
    case: Annotated[list[str] | None, typer.Option(help="One, or CASE/CONTENDER.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Another folder of the project, to take turns with.")
    ] = None,
    comet: Annotated[
        Path | None,
        typer.Option(
            help="Comet's jar, to take turns with, on Spark 4.1.", exists=True, dir_okay=False
        ),
    ] = None,
    skewed: Annotated[bool, typer.Option(help="Many guests, and one very large customer.")] = False,
    interactions: Annotated[float, typer.Option(help="Clicks and visits beside a receipt.")] = 0,
    memory: Annotated[str, typer.Option(help="Of every Spark's JVM, such as 3g.")] = MEMORY,
    folder: Annotated[Path, typer.Option(help="Where everything is put.")] = Path(".bench"),
) -> None:
    """Times rfm-spark and what people use instead, on the same made-up receipts."""
    asked = set(case or CASES)
    every = CASES | dict.fromkeys(SHORT_RUNS, ())
    names = tuple(name for name in every if name in {one.partition("/")[0] for one in asked})
    ours = _contenders(baseline, comet)
    known = {f"{name}/{who}" for name, peers in every.items() for who in (*ours, *peers)}
    # Others read what ours loads.
    asked |= {f"load/{OURS}"} if "load" in names and len(names) > 1 else set()
    if unknown := asked - known - set(every):
        raise typer.BadParameter(f"{', '.join(unknown)}: the cases are {', '.join(every)}")
    if not interactions and (without := OF_INTERACTIONS.intersection(names)):
        if case:
            raise typer.BadParameter(f"{', '.join(sorted(without))}: give --interactions 3, say")
        names = tuple(name for name in names if name not in without)
    size = _Size(receipts, customers, days, skewed, interactions)
    place = Place(folder.absolute() / size.name, days, size.first_day)
    environment = _environment(place, memory)
    has_sorted = {name for name in names if SORTED_FACTS in every[name]}
    sorted_facts = not asked.isdisjoint(has_sorted | {f"{name}/{SORTED_FACTS}" for name in names})
    if not set(names) <= set(SHORT_RUNS):
        place = _prepare(place, size.made_up, "load" in names, sorted_facts, environment)
    places = _places(place, baseline, comet)
    if not set(names) <= set(SHORT_RUNS):
        for who, one_place in places.items():
            if asked.isdisjoint(("load", f"load/{who}")):
                _load(one_place, environment)
    found: Found = defaultdict(list)
    commits = {who: _commit(one.project) for who, one in places.items()}
    for number in range(repeat):
        for place_of, one in _cases(places, names):
            if asked.isdisjoint((one.name, f"{one.name}/{one.contender}")):
                continue
            if one.needs_results and not _is_of_this_code(place_of, place_of.has_results):
                _untimed(
                    place_of, our_cases(place_of)["results"], place_of.has_results, environment
                )
            found[one.name, one.contender].append(_timed(place_of, one, number, environment))
            _keep(place, found, asdict(size), commits, memory)
    _show(found)


def _contenders(baseline: Path | None, comet: Path | None) -> list[str]:
    """Those that are rfm-spark."""
    if comet is not None and not pyspark.__version__.startswith("4.1."):
        raise typer.BadParameter(f"--comet: Comet is for Spark 4.1, this is {pyspark.__version__}")
    return [OURS, *([BASELINE] if baseline else []), *([COMET] if comet else [])]


def _places(place: Place, baseline: Path | None, comet: Path | None) -> dict[str, Place]:
    """Where each of these has its data."""
    places = {OURS: place}
    if baseline is not None:
        places[BASELINE] = baseline_of(place, baseline.absolute())
    if comet is not None:
        places[COMET] = comet_of(place, comet.absolute())
    return places


def _cases(places: dict[str, Place], names: Sequence[str]) -> Iterator[tuple[Place, Case]]:
    """Everything to time, contenders of a case one after another, and where each has its data."""
    of_project = {who: our_cases(one) | short_runs(one) for who, one in places.items()}
    for name in names:
        for who, found in of_project.items():
            yield places[who], replace(found[name], contender=who)
        for peer in CASES.get(name, ()):
            yield places[OURS], peer_case(places[OURS], peer, name)


def _environment(place: Place, memory: str) -> dict[str, str]:
    """Every Spark leaves an event log, and has the same memory."""
    conf, events = place.folder / "conf", place.folder / "events"
    for made in (conf, events):
        made.mkdir(parents=True, exist_ok=True)
    (conf / "spark-defaults.conf").write_text(
        f"spark.eventLog.enabled true\nspark.eventLog.dir file://{events}\n"
        f"spark.eventLog.compress false\nspark.eventLog.rolling.enabled false\n"
        f"spark.driver.memory {memory}\nspark.ui.enabled false\nspark.sql.session.timeZone UTC\n",
        encoding="utf-8",
    )
    own = {name: value for name, value in os.environ.items() if name != COMET_JAR}
    return {**own, "SPARK_CONF_DIR": str(conf), DRIVER_MEMORY: memory, "TZ": "UTC"}


def _prepare(
    place: Place, made_up: list[str], loads: bool, sorted_facts: bool, env: dict[str, str]
) -> Place:
    """Makes what is to be there before anything is timed, and finds whose history is asked for."""
    if not place.config.exists():
        _screen.print("making receipts up ...")
        rfm_spark = str(Path(sys.executable).parent / "rfm-spark")
        command = [rfm_spark, "generate", *made_up, "--out", str(place.input)]
        made = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=env)
        place.config.write_bytes(made.stdout)
    for name, make in DELIVERIES.items():
        if not any(place.further(name).rglob("*.parquet")):
            make(place.receipts, place.last, out=place.further(name))
    place = replace(place, customer=some_customer(place.receipts, place.last))
    if not loads:
        _load(place, env)
    if sorted_facts and not place.sorted_facts.exists():
        _screen.print("loading all days into DuckDB's facts ...")
        half = place.sorted_facts.with_name("half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        subprocess.run(peer_command(place, "duckdb", "load", half), check=True, env=env)
        half.rename(place.sorted_facts)
    return place


def _load(place: Place, environment: dict[str, str]) -> None:
    """Makes the warehouse that others start from, where it is not there."""
    if not place.is_loaded.exists():
        _untimed(place, our_cases(place)["load"], place.is_loaded, environment)


def _untimed(place: Place, one: Case, done: Path, environment: dict[str, str]) -> None:
    """Does what a case does, for others to start from."""
    _screen.print(f"{one.name} ...")
    one.prepare()
    own = {**environment, **place.environment}
    subprocess.run(one.command, check=True, env=own, stdout=subprocess.DEVNULL)
    done.write_text(place.code_version(), encoding="utf-8")


def _is_of_this_code(place: Place, done: Path) -> bool:
    """Whether results were made by the code that is timed: no other code goes by them."""
    return done.exists() and done.read_text(encoding="utf-8") == place.code_version()


def _timed(place: Place, one: Case, number: int, environment: dict[str, str]) -> Measured | None:
    """None for a peer that fails, such as for want of memory."""
    environment = {**environment, **place.environment}
    one.prepare()
    for command in one.untimed:
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    log = place.folder / "logs" / f"{one.name}-{one.contender}-{number}.log"
    log.parent.mkdir(exist_ok=True)
    events = place.folder / "events" if one.has_spark else None
    before = log_versions(one.warehouse) if one.warehouse else {}
    try:
        result = measured(one.command, log, environment, events, place.folder)
    except subprocess.CalledProcessError:
        if one.contender in OF_RFM_SPARK:
            raise
        _screen.print(f"{one.name:<10}{one.contender:<12}  failed: {log}")
        return None
    if one.warehouse:
        result = replace(result, added_bytes=added_bytes(one.warehouse, before))
    if one.contender in OF_RFM_SPARK and one.name in ("load", "results"):
        done = place.is_loaded if one.name == "load" else place.has_results
        done.write_text(place.code_version(), encoding="utf-8")
    _screen.print(f"{one.name:<10}{one.contender:<12}{result.seconds:8.1f} s")
    return result


def _show(found: Found) -> None:
    """Medians on the screen."""
    shown = Table(title=f"medians of {max(map(len, found.values()))}")
    for column in ("case", "contender", "s", "ratio to ours", "CPU s", "memory GB",
                   "disk GB", "read MB", "written MB", "shuffled MB"):  # fmt: skip
        shown.add_column(column, justify="left" if column in ("case", "contender") else "right")
    done = {key: [one for one in runs if one] for key, runs in found.items()}
    for (case, who), runs in done.items():
        if not runs:
            shown.add_row(case, who, "failed")
            continue
        seconds = median(one.seconds for one in runs)
        ours = [one.seconds for one in done.get((case, OURS), [])]
        shown.add_row(
            case,
            who,
            f"{seconds:.1f}",
            f"{seconds / median(ours):.2f}" if ours else "",
            f"{median(one.processor_seconds for one in runs):.1f}",
            *(_gigabytes(runs, name) for name in ("peak_bytes", "disk_bytes")),
            *(_megabytes(runs, name) for name in ("read_bytes", "written_bytes", "shuffled_bytes")),
        )
    Console(width=120).print(shown)


def _commit(project: Path) -> str:
    """Which code is timed."""
    told = ["git", "-C", str(project), "describe", "--always", "--dirty"]
    return subprocess.run(told, capture_output=True, text=True, check=False).stdout.strip()


def _keep(
    place: Place, found: Found, size: dict[str, object], commits: dict[str, str], memory: str
) -> None:
    """Every figure, in a JSON file; of what is not run now, or with other memory, they stay."""
    file = place.folder / "result.json"
    before = json.loads(file.read_text(encoding="utf-8"))["runs"] if file.exists() else []
    told = {
        "size": size,
        "machine": {"cores": os.cpu_count(), "system": platform.platform()},
        "runs": [
            one
            for one in before
            if (one["case"], one["contender"]) not in found or one.get("memory") != memory
        ]
        + [
            {
                "case": case,
                "contender": who,
                "commit": commits.get(who, commits[OURS]),
                "memory": memory,
                **(one.as_dict() if one else {"failed": True}),
            }
            for (case, who), runs in found.items()
            for one in runs
        ],
    }
    file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _gigabytes(runs: list[Measured], name: str) -> str:
    return f"{median(getattr(one, name) for one in runs) / 1e9:.1f}"


def _megabytes(runs: list[Measured], name: str) -> str:
    values = [getattr(one, name) for one in runs]
    return "" if None in values else f"{median(values) / 1e6:,.0f}"


if __name__ == "__main__":
    typer.run(main)
