"""Cases: what is timed, for each contender as one command on the same receipts."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

CONTENDERS = Path(__file__).parent / "contenders"
PEERS = ("duckdb", "polars", "pyspark")
OURS = "rfm-spark"
CASES = ("load", "rfm", "windows", "cohorts", "clusters", "night")
"""In this order: the first leaves the warehouse that others read."""
RFM_TABLES = ("rfm", "rfm_boundaries", "rfm_cells", "segments", "reconciliation", "runs")
COHORT_TABLES = ("cohorts", "runs")
CLUSTER_TABLES = ("customer_features", "cluster_models", "clusters", "cluster_assignments", "runs")


@dataclass(frozen=True)
class Place:
    """Where the benchmark's data are.

    Attributes:
        folder: everything lies below it.
        days: of the history.
        first_day: of it.
    """

    folder: Path
    days: int
    first_day: date

    @property
    def input(self) -> Path:
        """Made-up receipts."""
        return self.folder / "input"

    @property
    def before(self) -> Path:
        """The same, without the last delivery."""
        return self.folder / "before"

    @property
    def config(self) -> Path:
        """How to read them."""
        return self.folder / "rfm.toml"

    @property
    def last(self) -> date:
        """The last day."""
        return self.first_day + timedelta(days=self.days - 1)

    def warehouse(self, name: str) -> Path:
        """A warehouse of its own for each purpose."""
        return self.folder / f"warehouse-{name}"

    @property
    def out(self) -> Path:
        """Where peers write."""
        return self.folder / "out"


@dataclass(frozen=True)
class Case:
    """One thing to time for one contender.

    Attributes:
        name: of the case.
        contender: who does it.
        prepare: brings everything into the state from which the command starts; not timed.
        command: what is timed.
    """

    name: str
    contender: str
    prepare: Callable[[], None]
    command: list[str]

    @property
    def has_spark(self) -> bool:
        """Whether it leaves an event log."""
        return self.contender in (OURS, "pyspark")


def our_cases(place: Place) -> dict[str, Case]:
    """What rfm-spark does, by case."""
    rfm_spark = [str(Path(sys.executable).parent / "rfm-spark")]
    common = ["--config", str(place.config)]
    data = ["--input", str(place.input)]
    loaded, night = place.warehouse("loaded"), place.warehouse("night")
    as_of = ["--as-of", str(place.last)]
    windows = [  # beside the profile `purchase`, over 365 days
        "rfm.quarter.window_days=90",
        "rfm.two_years.window_days=730",
        "rfm.ever.window_days='all'",
    ]
    features = "clusters.features=['recency_days', 'frequency', 'monetary_cents']"

    def on(warehouse: Path) -> list[str]:
        return ["--warehouse", str(warehouse)]

    return {
        "load": Case(
            "load",
            OURS,
            lambda: _remove([loaded]),
            [*rfm_spark, "ingest", *common, *data, *on(loaded)],
        ),
        "rfm": Case(
            "rfm",
            OURS,
            lambda: _remove(loaded / name for name in RFM_TABLES),
            [*rfm_spark, "rfm", *common, *on(loaded), *as_of],
        ),
        "windows": Case(
            "windows",
            OURS,
            lambda: _remove(loaded / name for name in RFM_TABLES),
            [*rfm_spark, "rfm", *common, *on(loaded), *as_of, *_set(windows)],
        ),
        "cohorts": Case(
            "cohorts",
            OURS,
            lambda: _remove(loaded / name for name in COHORT_TABLES),
            [
                *rfm_spark,
                "cohorts",
                *common,
                *on(loaded),
                *as_of,
                *_set(["cohorts.grains=['month']"]),
            ],
        ),
        "clusters": Case(
            "clusters",
            OURS,
            lambda: _remove(loaded / name for name in CLUSTER_TABLES),
            [*rfm_spark, "clusters", *common, *on(loaded), *as_of, *_set([features])],
        ),
        "night": Case(
            "night",
            OURS,
            lambda: _copy(place.warehouse("before"), night),
            [*rfm_spark, "nightly", *common, *data, *on(night), "--date", str(place.last)],
        ),
    }


def peer_case(place: Place, peer: str, case: str) -> Case | None:
    """What a peer does; None where it has nothing like it.

    A night is for peers what it is for who uses them so: everything again, `load` and then `rfm`.
    """
    if (case == "clusters" and peer != "pyspark") or case == "night":
        return None
    script = CONTENDERS / f"with_{peer}.py"
    command = [sys.executable, str(script), case, str(place.input / "receipts"), str(place.out)]
    return Case(case, peer, lambda: _empty(place.out), [*command, str(place.last)])


def cases(place: Place, names: Sequence[str]) -> list[Case]:
    """Everything to time, contenders of a case one after another."""
    ours = our_cases(place)
    found: list[Case] = []
    for name in names:
        found.append(ours[name])
        found += [case for peer in PEERS if (case := peer_case(place, peer, name))]
    return found


def _set(settings: Iterable[str]) -> list[str]:
    return [word for one in settings for word in ("--set", one)]


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
