"""Cases: what is timed, for each contender as one command on the same receipts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from deliveries import clean_delivery, corrected_delivery, late_delivery, next_delivery

from rfm_spark.session import DRIVER_MEMORY
from rfm_spark.storage.comet import COMET_JAR

CONTENDERS = Path(__file__).parent / "contenders"
OURS, BASELINE, COMET = "rfm-spark", "baseline", "comet"
OF_RFM_SPARK = (OURS, BASELINE, COMET)
"""Contenders that are rfm-spark, each with warehouses of its own."""
SORTED_FACTS = "duckdb-facts"
"""DuckDB on the facts that its case `load` makes; all other peers start from receipts."""
CASES: dict[str, tuple[str, ...]] = {
    "load": ("duckdb", "polars", "pyspark"),
    "rfm": ("duckdb", SORTED_FACTS, "polars", "pyspark"),
    "windows": ("duckdb", SORTED_FACTS, "polars", "pyspark"),
    "cohorts": ("duckdb", SORTED_FACTS, "polars", "pyspark"),
    "cohorts-all": (),
    "rhythm": (),
    "lifetime": (),
    "clusters": ("pyspark",),
    "clusters-full": ("mllib", "sklearn-kmeans", "sklearn-minibatch"),
    "engagement": (),
    "engagement-alone": (),
    "moves": (),
    "backfill": (),
    "backtest": (),
    "results": (),
    "report": (),
    "history": ("duckdb", SORTED_FACTS),
    "night": (),
    "night-unbounded": (),
    "clean": (),
    "late": (),
    "corrected": (),
}
"""Peers by case, in this order: the first case leaves the warehouse that others read.

`cohorts-all` is of two origins, by day, week, month, year and 28 days.

`clusters-full` is of five features and eight clusters; its peers cluster all customers by the same
numbers, the best of three starts each, and tell their cost and ours in their output.

`engagement` is of two profiles of one window, `engagement-alone` of one of them; `moves` compares
two stored days, of which `rfm` scores one; `backfill` scores the same day of 24 months;
`backtest` scores the day before the last DAYS_BEFORE, beside what customers did in them.

A night is for peers what it is for who uses them so: everything again, `load` and then `rfm`.
"""
OF_INTERACTIONS = frozenset({"engagement", "engagement-alone"})
"""Cases that need some."""

DAYS_LATE = 60
DAYS_BEFORE = 30
"""Between the days whose segments are compared, and of which a backtest knows what came."""

DAYS_OF_23_MONTHS = 701
"""So that a day of each of 24 months is scored."""

DELIVERIES: dict[str, Callable[[Path, date, Path], None]] = {
    "night": next_delivery,
    "clean": clean_delivery,
    "late": partial(late_delivery, days_late=DAYS_LATE),
    "corrected": partial(corrected_delivery, days_ago=DAYS_LATE),
}
"""Further deliveries, by name; each is made of the last one."""
RFM_TABLES = ("rfm", "rfm_boundaries", "rfm_cells", "segments", "reconciliation", "runs")
COHORT_TABLES = (
    "cohorts",
    "cohort_curves",
    "cohort_cuts",
    "cohort_engagement",
    "cohort_growth",
    "runs",
)
RHYTHM_TABLES = ("customer_rhythm", "customer_status", "second_purchases", "runs")
LIFETIME_TABLES = (
    "lifetime_value",
    "lifetime_classes",
    "lifetime_models",
    "lifetime_parameters",
    "lifetime_checks",
    "runs",
)
CLUSTER_TABLES = (
    "customer_features",
    "cluster_models",
    "clusters",
    "cluster_assignments",
    "cluster_representatives",
    "micro_groups",
    "cluster_tiers",
    "cluster_moves",
    "cluster_candidates",
    "runs",
)
RESULT_TABLES = {
    *RFM_TABLES,
    *COHORT_TABLES,
    *RHYTHM_TABLES,
    *CLUSTER_TABLES,
    *("segment_moves", "revenue_bridge", "cluster_segments", "customer_360"),
}


@dataclass(frozen=True)
class Place:
    """Where the benchmark's data are.

    Attributes:
        folder: everything lies below it.
        days: of the history.
        first_day: of it.
        customer: whose history is asked for.
        program: the rfm-spark that is timed.
        environment: variables that it has beside those of all.
    """

    folder: Path
    days: int
    first_day: date
    customer: int = 0
    program: Path = Path(sys.executable).parent / "rfm-spark"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        """The folder whose environment has the program."""
        return self.program.parents[2]

    def code_version(self) -> str:
        """Of the code that is timed."""
        code = "from rfm_spark.core.code_version import code_version; print(code_version())"
        command = [str(self.program.parent / "python"), "-c", code]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    @property
    def input(self) -> Path:
        """Made-up receipts."""
        return self.folder / "input"

    @property
    def receipts(self) -> Path:
        """Their deliveries, a folder each."""
        return self.input / "receipts"

    def further(self, name: str) -> Path:
        """The input of a further delivery."""
        return self.folder / f"input-{name}"

    @property
    def sorted_facts(self) -> Path:
        """What DuckDB makes of the receipts once."""
        return self.folder / "duckdb-facts"

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
    def is_loaded(self) -> Path:
        """A file that is there once the warehouse `loaded` is whole."""
        return self.folder / "loaded"

    @property
    def has_results(self) -> Path:
        """A file that is there while `loaded` holds all results of the last day."""
        return self.folder / "results"

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
        untimed: commands that come before it, once prepared.
        warehouse: whose tables it changes, where that is told.
        needs_results: it starts from what `results` left.
    """

    name: str
    contender: str
    prepare: Callable[[], None]
    command: list[str]
    untimed: tuple[list[str], ...] = ()
    warehouse: Path | None = None
    needs_results: bool = False

    @property
    def has_spark(self) -> bool:
        """Whether it leaves an event log."""
        return self.contender == "pyspark" or Path(self.command[0]).name == "rfm-spark"


def our_cases(place: Place) -> dict[str, Case]:
    """What rfm-spark does, by case."""
    loaded, night = place.warehouse("loaded"), place.warehouse("night")
    as_of = ["--as-of", str(place.last)]
    windows = [  # what is set takes the place of the profile that would be there by default
        "rfm.quarter.window_days=90",
        "rfm.purchase.window_days=365",
        "rfm.two_years.window_days=730",
        "rfm.ever.window_days='all'",
    ]
    all_cohorts = [
        "cohorts.grains=['day', 'week', 'month', 'year']",
        "cohorts.rolling_days=[28]",
        "cohorts.origins.receipt.events=['receipts']",
        "cohorts.origins.loyal.events=['receipts']",
        "cohorts.origins.loyal.at_least_receipts=2",
    ]
    engagement = ["rfm.engagement.window_days=365", "rfm.engagement.events='all'"]
    both = [*engagement, "rfm.purchase.window_days=365"]
    features = "clusters.features=['recency_days', 'frequency', 'monetary_cents']"
    five = [
        "clusters.features=['recency_days', 'frequency', 'monetary_cents', 'tenure_days', "
        "'visit_gap_days']",
        "clusters.k=8",
    ]

    def job(name: str, warehouse: Path, *options: str) -> list[str]:
        where = ["--config", str(place.config), "--warehouse", str(warehouse)]
        return [str(place.program), name, *where, *options]

    def without(tables: Iterable[str]) -> Callable[[], None]:
        return lambda: _remove([place.has_results, *(loaded / name for name in tables)])

    history = [sys.executable, str(CONTENDERS / "with_delta.py"), str(loaded / "customer_days")]
    commands: dict[str, tuple[Callable[[], None], list[str]]] = {
        "load": (
            lambda: _remove([place.is_loaded, place.has_results, loaded]),
            job("ingest", loaded, "--input", str(place.input)),
        ),
        "rfm": (without(RFM_TABLES), job("rfm", loaded, *as_of)),
        "windows": (without(RFM_TABLES), job("rfm", loaded, *as_of, *_set(windows))),
        "cohorts": (
            without(COHORT_TABLES),
            job("cohorts", loaded, *as_of, *_set(["cohorts.grains=['month']"])),
        ),
        "cohorts-all": (
            without(COHORT_TABLES),
            job("cohorts", loaded, *as_of, *_set(all_cohorts)),
        ),
        "rhythm": (without(RHYTHM_TABLES), job("rhythm", loaded, *as_of)),
        "lifetime": (
            without(LIFETIME_TABLES),
            job("lifetime", loaded, *as_of, *_set(["lifetime_value.horizon_days=365"])),
        ),
        "engagement": (without(RFM_TABLES), job("rfm", loaded, *as_of, *_set(both))),
        "engagement-alone": (without(RFM_TABLES), job("rfm", loaded, *as_of, *_set(engagement))),
        "clusters": (
            without(CLUSTER_TABLES),
            job("clusters", loaded, *as_of, *_set([features])),
        ),
        "clusters-full": (
            without(CLUSTER_TABLES),
            job("clusters", loaded, *as_of, *_set(five)),
        ),
        "results": (
            without(RESULT_TABLES),
            job("run", loaded, "--input", str(place.input), *as_of),
        ),
        "history": (_nothing, [*history, str(place.customer)]),
        "report": (
            _nothing,
            job("report", loaded, "--out", str(place.folder / "report.html")),
        ),
    }
    nightly = job(
        "nightly",
        night,
        *("--input", str(place.further("night"))),
        *("--date", str(place.last + timedelta(days=1))),
    )

    def renewed() -> None:
        _copy(loaded, night)

    # A warehouse without `runs` is taken for one of the first release, which a command upgrades.
    upgrades = (job("ingest", loaded, "--input", str(place.input)),)
    found = {
        name: Case(name, OURS, *how, () if name in ("load", "history") else upgrades)
        for name, how in commands.items()
    }
    found["report"] = replace(found["report"], needs_results=True)
    bounded = [*nightly, *_set(["ingest.correction_days=90"])]
    found["night"] = Case("night", OURS, renewed, bounded, (), night, needs_results=True)
    found["night-unbounded"] = replace(found["night"], name="night-unbounded", command=nightly)
    for name in ("clean", "late", "corrected"):
        command = job("ingest", night, "--input", str(place.further(name)))
        found[name] = Case(name, OURS, renewed, command, (), night)
    since = str(place.last - timedelta(days=DAYS_BEFORE))
    months = ["--from", str(place.last - timedelta(days=DAYS_OF_23_MONTHS)), "--every", "month"]
    found["backfill"] = Case(
        "backfill",
        OURS,
        without(RFM_TABLES),
        job("backfill", loaded, *months, "--to", str(place.last)),
        upgrades,
    )
    found["backtest"] = Case(
        "backtest",
        OURS,
        _nothing,
        job("backtest", loaded, "--as-of", since, "--days", str(DAYS_BEFORE)),
        upgrades,
    )
    found["moves"] = Case(
        "moves",
        OURS,
        without((*RFM_TABLES, "segment_moves")),
        job("moves", loaded, *as_of, "--since", since),
        tuple(job("rfm", loaded, "--as-of", day) for day in (since, str(place.last))),
    )
    return found


def peer_case(place: Place, peer: str, case: str) -> Case:
    """What a peer does."""
    return Case(case, peer, lambda: _empty(place.out), peer_command(place, peer, case, place.out))


def peer_command(place: Place, peer: str, case: str, out: Path) -> list[str]:
    """How a peer is started."""
    # On the features of the warehouse that ours has just written.
    stored = [str(place.warehouse("loaded")), str(out), str(place.last)]
    if peer == "mllib":
        return [sys.executable, str(CONTENDERS / "with_mllib.py"), *stored]
    if peer.startswith("sklearn"):
        return [sys.executable, str(CONTENDERS / "with_sklearn.py"), peer, *stored]
    script = CONTENDERS / f"with_{peer.partition('-')[0]}.py"
    facts = place.sorted_facts / "load.parquet"
    source = facts if peer == SORTED_FACTS else place.receipts
    command = [sys.executable, str(script), case, str(source), str(out), str(place.last)]
    return [*command, str(place.customer)] if peer.startswith("duckdb") else command


def baseline_of(place: Place, project: Path) -> Place:
    """The same receipts for the rfm-spark of another folder of the project, warehouses apart."""
    return replace(_beside(place, BASELINE), program=project / ".venv" / "bin" / "rfm-spark")


def comet_of(place: Place, jar: Path) -> Place:
    """The same receipts for this rfm-spark with Comet, which shares its memory out by itself."""
    return replace(_beside(place, COMET), environment={COMET_JAR: str(jar), DRIVER_MEMORY: ""})


def _beside(place: Place, contender: str) -> Place:
    folder = place.folder / contender
    folder.mkdir(parents=True, exist_ok=True)
    events = place.folder / "events"
    shared = [place.input, place.config, events, *map(place.further, DELIVERIES)]
    for link, target in ((folder / one.name, one) for one in shared):
        if not link.is_symlink():
            link.symlink_to(target)
    return replace(place, folder=folder)


def _nothing() -> None:
    pass


def _set(settings: Iterable[str]) -> list[str]:
    return [word for one in settings for word in ("--set", one)]


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.is_file():
            folder.unlink()
        shutil.rmtree(folder, ignore_errors=True)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _copy(source: Path, target: Path) -> None:
    """A copy; files of data, which no writer changes, are links to the same bytes."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=_linked)


def _linked(source: str, target: str) -> None:
    if source.endswith(".parquet") and "/_delta_log/" not in source:
        os.link(source, target)
    else:
        shutil.copy2(source, target)
