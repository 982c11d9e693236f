"""The jobs by name, each under the warehouse's lease and with a record of its run."""

from __future__ import annotations

import getpass
import os
import socket
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime

from rfm_spark import __version__
from rfm_spark.errors import UserError
from rfm_spark.pipeline.as_of import resolved_as_of
from rfm_spark.pipeline.clusters import refresh_clusters
from rfm_spark.pipeline.cohorts import refresh_cohorts
from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.customer_360 import refresh_customer_360
from rfm_spark.pipeline.facts import refresh_facts
from rfm_spark.pipeline.ingest import ingest
from rfm_spark.pipeline.rfm import score_profiles
from rfm_spark.settings.loading import settings_digest
from rfm_spark.storage.lease import lease
from rfm_spark.tables import RUNS
from rfm_spark.transforms.local_rows import local_rows

Results = Callable[[Job, date], None]

RESULTS: dict[str, tuple[Results, ...]] = {
    "ingest": (),
    "rfm": (score_profiles,),
    "cohorts": (refresh_cohorts,),
    "clusters": (refresh_clusters,),
    "customer-360": (refresh_customer_360,),
    "run": (score_profiles, refresh_cohorts, refresh_clusters, refresh_customer_360),
}
"""Job to the results it makes, after the facts are up to date."""

TAKES_IN = ("ingest", "run")


def run_job(job: Job, name: str, as_of: date | None) -> date | None:
    """Does a job and leaves a record of it, written last.

    Args:
        job: session, settings and places.
        name: one of RESULTS.
        as_of: the day to describe; by default the last business day of the data.

    Returns:
        The day described; None for `ingest`.

    Raises:
        UserError, RunFailure: after a record of the failure, where the warehouse can hold one.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    run_id = str(uuid.uuid4())
    holder = f"rfm-spark {name}, {_user()}@{socket.gethostname()}, pid {os.getpid()}"
    with lease(job.spark, job.warehouse.place, holder):
        day: date | None = None
        try:
            if name in TAKES_IN:
                ingest(job)
            refresh_facts(job)
            if RESULTS[name]:
                day = resolved_as_of(job, as_of)
            for result in RESULTS[name]:
                if day is not None:
                    result(job, day)
        except BaseException as error:
            # The message can name a file or a setting, never a customer; others are not kept.
            told = f": {error}" if isinstance(error, UserError) else ""
            if job.commits:
                with suppress(Exception):  # a record of the failure must not hide the failure
                    outcome = f"failed: {type(error).__name__}{told}"
                    _record(job, name, run_id, day, outcome, started, time.monotonic() - clock)
            raise
        _record(job, name, run_id, day, "succeeded", started, time.monotonic() - clock)
    return day


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user can have a number and no name
        return str(os.getuid())


def _record(
    job: Job,
    name: str,
    run_id: str,
    as_of: date | None,
    outcome: str,
    started: datetime,
    seconds: float,
) -> None:
    row = {
        "run_id": run_id,
        "job": name,
        "as_of": as_of,
        "outcome": outcome,
        "started_at": started,
        "seconds": round(seconds, 3),
        "settings_digest": settings_digest(job.settings),
        "code_version": __version__,
        "read_versions": job.read_versions,
        "written_versions": {table: commit.version for table, commit in job.commits.items()},
        "written_rows": job.written_rows,
    }
    job.warehouse.append(RUNS, local_rows(job.spark, [row], RUNS.schema))
