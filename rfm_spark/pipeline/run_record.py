"""Run records: what a run did, and whether doing it again would change anything."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable

from pyspark.sql import functions as F

from rfm_spark import __version__
from rfm_spark.pipeline.context import Job
from rfm_spark.settings.loading import settings_digest
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.tables import ALL_TABLES, RUNS

SUCCEEDED = "succeeded"

_TABLES = {table.name: table for table in ALL_TABLES}


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        told: `succeeded`, or failed and in what way.
        started: when the run began.
        seconds: how long it took.
    """

    told: str
    started: datetime
    seconds: float


def record_run(job: Job, name: str, run_id: str, as_of: date | None, outcome: Outcome) -> None:
    """Adds the run to `runs`."""
    row = {
        "run_id": run_id,
        "job": name,
        "as_of": as_of,
        "outcome": outcome.told,
        "started_at": outcome.started,
        "seconds": round(outcome.seconds, 3),
        "settings_digest": settings_digest(job.settings),
        "code_version": code_version(),
        "read_versions": job.read_versions,
        "written_versions": {table: commit.version for table, commit in job.commits.items()},
        "written_rows": job.written_rows,
    }
    job.warehouse.append(RUNS, local_rows(job.spark, [row], RUNS.schema))


def results_stand(job: Job, names: Collection[str], as_of: date) -> bool:
    """Whether the last run of these jobs made the same results, and they are still there.

    It did where it succeeded with the same code and settings for the same day, and every table it
    read or wrote is at the version it left. The versions are then noted as read by this run, so
    that the next run can go by its record.
    """
    if not job.warehouse.is_there(RUNS):
        return False
    of_job = job.warehouse.read(RUNS).where(F.col("job").isin(*names))
    last = of_job.orderBy(F.desc("started_at")).limit(1).collect()
    same = {
        "as_of": as_of,
        "outcome": SUCCEEDED,
        "settings_digest": settings_digest(job.settings),
        "code_version": code_version(),
    }
    if not last or any(last[0][column] != value for column, value in same.items()):
        return False
    left = {**last[0]["read_versions"], **last[0]["written_versions"]}
    now = {table: _version(job, table) for table in left}
    if now != left:
        return False
    job.read_versions |= left
    return True


def _version(job: Job, table: str) -> int | None:
    known = _TABLES.get(table)
    is_there = known is not None and job.warehouse.is_there(known)
    return job.warehouse.version(known) if known and is_there else None


@cache
def code_version() -> str:
    """The version of rfm_spark and a digest of its source: results of other code do not stand."""
    digest = sha256()
    for path, file in sorted(_sources(resources.files("rfm_spark"), "")):
        digest.update(path.encode() + b"\0" + file.read_bytes() + b"\0")
    return f"{__version__}+{digest.hexdigest()[:12]}"


def _sources(folder: Traversable, path: str) -> list[tuple[str, Traversable]]:
    found = []
    for entry in folder.iterdir():
        inside = f"{path}/{entry.name}"
        if entry.is_dir():
            found += _sources(entry, inside)
        elif entry.name.endswith(".py"):
            found.append((inside, entry))
    return found
