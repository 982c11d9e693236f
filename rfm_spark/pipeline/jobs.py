"""The jobs by name, each under the warehouse's lease and with a record of its run."""

from __future__ import annotations

import getpass
import os
import socket
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pyspark.sql import DataFrame

from rfm_spark.errors import UserError
from rfm_spark.pipeline.as_of import resolved_as_of
from rfm_spark.pipeline.clusters import refresh_clusters, wanted_by_clusters
from rfm_spark.pipeline.cohorts import refresh_cohorts
from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.customer_360 import refresh_customer_360, wanted_by_customer_360
from rfm_spark.pipeline.customer_sums import sums_of_customers
from rfm_spark.pipeline.facts import refresh_facts
from rfm_spark.pipeline.ingest import ingest
from rfm_spark.pipeline.maintenance import maintain
from rfm_spark.pipeline.rfm import score_profiles, wanted_by_profiles
from rfm_spark.pipeline.run_record import SUCCEEDED, Outcome, record_run, results_stand
from rfm_spark.settings import Settings
from rfm_spark.storage.lease import lease
from rfm_spark.transforms.customer_sums import Wanted


@dataclass(frozen=True)
class OfSums:
    """A result that is made of `customer_sums`.

    Attributes:
        make: writes it as of a day; given the sums as of that day.
        wanted: what these must hold.
        rereads: whether it goes over them several times.
    """

    make: Callable[[Job, date, DataFrame], None]
    wanted: Callable[[Settings], Wanted]
    rereads: bool = False


@dataclass(frozen=True)
class Results:
    """What a job makes after the facts are up to date.

    Attributes:
        of_sums: made in this order, each of the same sums.
        has_cohorts: whether cohorts follow.
    """

    of_sums: tuple[OfSums, ...] = ()
    has_cohorts: bool = False


_SCORES = OfSums(score_profiles, wanted_by_profiles, rereads=True)
_CLUSTERS = OfSums(refresh_clusters, wanted_by_clusters)
_CUSTOMER_360 = OfSums(refresh_customer_360, wanted_by_customer_360)

_NOTHING = Results()
_EVERYTHING = Results((_SCORES, _CLUSTERS, _CUSTOMER_360), has_cohorts=True)

RESULTS = {
    "ingest": _NOTHING,
    "rfm": Results((_SCORES,)),
    "cohorts": Results(has_cohorts=True),
    "clusters": Results((_CLUSTERS,)),
    "customer-360": Results((_CUSTOMER_360,)),
    "run": _EVERYTHING,
    "nightly": _EVERYTHING,
}

TAKES_IN = ("ingest", "run", "nightly")

MAINTAINS = ("nightly",)


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
    day: date | None = None

    def record(told: str) -> None:
        outcome = Outcome(told, started, time.monotonic() - clock)
        record_run(job, name, run_id, day, outcome)

    holder = f"rfm-spark {name}, {_user()}@{socket.gethostname()}, pid {os.getpid()}"
    with lease(job.spark, job.warehouse.place, holder):
        try:
            if name in TAKES_IN:
                ingest(job)
            refresh_facts(job)
            if RESULTS[name] != _NOTHING:
                day = resolved_as_of(job, as_of)
                _make_results(job, name, day)
        except BaseException as error:
            # The message can name a file or a setting, never a customer; others are not kept.
            why = f": {error}" if isinstance(error, UserError) else ""
            if job.commits:
                with suppress(Exception):  # a record of the failure must not hide the failure
                    record(f"failed: {type(error).__name__}{why}")
            raise
        record(SUCCEEDED)
        if name in MAINTAINS and day is not None:
            maintain(job, day)
    return day


def _make_results(job: Job, name: str, day: date) -> None:
    results = RESULTS[name]
    with job.progress.step("compare with the last run") as step:
        alike = [other for other, made in RESULTS.items() if made == results]
        stand = results_stand(job, alike, day)
        step.says("results stand: nothing they are made of has changed" if stand else "to be made")
    if stand:
        return
    if results.of_sums:
        wanted = [result.wanted(job.settings) for result in results.of_sums]
        kept = len(wanted) > 1 or results.of_sums[0].rereads
        with sums_of_customers(job, day, wanted, kept) as sums:
            for result in results.of_sums:
                result.make(job, day, sums)
    if results.has_cohorts:
        refresh_cohorts(job, day)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user can have a number and no name
        return str(os.getuid())
