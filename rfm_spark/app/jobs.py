"""The jobs by name, each under the warehouse's lease and with a record of its run."""

from __future__ import annotations

import getpass
import os
import socket
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import chain
from typing import Any

from pyspark.sql import DataFrame

from rfm_spark.app.damage import require_whole
from rfm_spark.app.failures import Failures, ResultsFailed
from rfm_spark.app.maintenance import maintain
from rfm_spark.app.migrations import upgrade
from rfm_spark.app.publishing import follow_published, publish, take_back_unpublished
from rfm_spark.app.run_record import (
    SUCCEEDED,
    Outcome,
    ResultRecord,
    last_made,
    record_run,
    results_that_stand,
)
from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.core.table import Table
from rfm_spark.facts.as_of import resolved_as_of
from rfm_spark.facts.job import refresh_facts
from rfm_spark.facts.kept_sums import sums_of_customers
from rfm_spark.facts.tables import FACT_TABLES
from rfm_spark.ingest.job import ingest
from rfm_spark.ingest.tables import INGEST_TABLES
from rfm_spark.results.declaration import AnyResult, Made, Request
from rfm_spark.results.registry import BY_COMMAND, RESULTS, numbers_of, tables_read
from rfm_spark.run import Run
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.storage.lease import lease
from rfm_spark.storage.snapshot import NEWEST


@dataclass(frozen=True)
class Job:
    """What a command that writes does.

    Attributes:
        name: of the command.
        summary: one line for a person.
        results: made after the facts are up to date, in this order.
        takes_in: whether it takes in new deliveries first.
        takes_back: whether it takes back deliveries, `run.taken_back`.
        reads_again: whether it reads deliveries again, `run.read_again`.
        maintains: whether maintenance follows.
        compares_days: whether it takes an earlier day, `run.since`, to compare with.
    """

    name: str
    summary: str
    results: tuple[AnyResult, ...] = ()
    takes_in: bool = False
    takes_back: bool = False
    reads_again: bool = False
    maintains: bool = False
    compares_days: bool = False


JOBS: tuple[Job, ...] = (
    Job(
        "run",
        "Do everything: ingest, facts, RFM, cohorts, clusters and customer 360.",
        RESULTS,
        takes_in=True,
    ),
    Job(
        "nightly",
        "Do what a night needs: new deliveries, every result as of the day, maintenance.",
        RESULTS,
        takes_in=True,
        maintains=True,
    ),
    Job(
        "ingest",
        "Take in new and changed deliveries, and bring the facts up to date.",
        takes_in=True,
    ),
    Job(
        "retract",
        "Take deliveries back: what they brought counts no more, and is not taken in again.",
        takes_back=True,
    ),
    Job(
        "replay",
        "Read deliveries with rejected rows again, by the configuration of now.",
        reads_again=True,
    ),
    *(
        Job(result.name, result.summary, (result,), compares_days=result.compares_days)
        for result in RESULTS
    ),
)

BY_NAME = {job.name: job for job in JOBS}


def run_job(run: Run, name: str, as_of: date | None) -> date | None:
    """Does a job, leaves a record of it, and publishes what it made, all of it in one commit.

    Args:
        run: session, settings and places.
        name: one of JOBS.
        as_of: the day to describe; by default the last business day of the data.

    Returns:
        The day described; None for `ingest`, `retract` and `replay`.

    Raises:
        UserError, RunFailure: after a record of the failure, where the warehouse can hold one.
    """
    job = BY_NAME[name]
    started, clock = datetime.now(UTC), time.monotonic()
    run_id = str(uuid.uuid4())
    day: date | None = None
    whole: list[ResultRecord] = []

    def record(told: str) -> None:
        outcome = Outcome(told, started, time.monotonic() - clock)
        # What is asked for with one earlier day is less than the result: that would not stand.
        record_run(run, name, run_id, day, outcome, whole if run.since is None else ())

    with writing(run, name, run_id):
        try:
            if job.takes_in or job.takes_back or job.reads_again:
                ingest(run)
            refresh_facts(run)
            if job.results:
                results = results_made_for(job, run.settings)
                wanted = [one for one in job.results if one.is_wanted(run.settings)]
                _tell_left_out(run, [one for one in wanted if one not in results])
                day = resolved_as_of(run, as_of)
                take_back_unpublished(run, [day])
                with run.warehouse.describing([day]):
                    _make_results(run, results, day, whole)
        except BaseException as error:
            if run.versions.written:
                with suppress(Exception):  # a record of the failure must not hide the failure
                    record(told_failure(error))
            if isinstance(error, ResultsFailed) and job.maintains and day is not None:
                maintain(run, day)  # the layout has nothing to do with it
            raise
        record(SUCCEEDED)
        publish(run, [*taken_in(), *made_by(run, whole)], run_id, day)
        if job.maintains and day is not None:
            maintain(run, day)
    return day


@contextmanager
def writing(run: Run, name: str, run_id: str = "") -> Iterator[None]:
    """The warehouse's lease for a command, and the warehouse as this release makes it.

    All tables are read as they are now until the context ends; afterwards, by a run that reads
    published ones, as they are published by then.

    Args:
        run: the run.
        name: of the command.
        run_id: by which `runs` will have it, where that is known.
    """
    who = f"{_user()}@{socket.gethostname()}, pid {os.getpid()}"
    since = f"since {run.began_at:%Y-%m-%d %H:%M:%S} UTC"
    holder = ", ".join([f"rfm-spark {name}", who, *([f"run {run_id}"] if run_id else []), since])
    with (
        lease(run.sessions, run.warehouse.place, holder, run.progress) as hold,
        run.warehouse.held_by(hold),
        run.warehouse.reading(NEWEST),
    ):
        if run_id:
            with run.progress.step("run id") as step:
                step.says(run_id)
        upgrade(run)
        require_whole(run)
        yield
    if run.warehouse.snapshot is not NEWEST:
        follow_published(run.warehouse)


def taken_in() -> Iterator[Table]:
    """Tables that are whole after every job: of what was delivered, and the facts."""
    return chain(INGEST_TABLES, FACT_TABLES)


def made_by(run: Run, whole: Iterable[ResultRecord]) -> Iterator[Table]:
    """Tables of results that are whole, and whatever else a run that succeeded has written."""
    names = {one.result for one in whole}
    tables = {table.name for name in names for table in BY_COMMAND[name].tables}
    return (one for one in ALL_TABLES if one.name in tables or one.name in run.versions.written)


def told_failure(error: BaseException) -> str:
    """How a run that failed ended: the message can name a file or a setting, never a customer.

    Other messages than those for users are not kept.
    """
    why = f": {error}" if isinstance(error, UserError) else ""
    return f"failed: {type(error).__name__}{why}"


def results_made_for(job: Job, settings: ShopSettings) -> list[AnyResult]:
    """The results of a job that a shop's deliveries can be made into.

    Raises:
        UserError: if there is none.
    """
    made = [result for result in job.results if result.is_made_for(settings)]
    if not made:
        raise UserError(_made_of_receipts(job.results, settings))
    return made


def _made_of_receipts(results: Iterable[AnyResult], settings: ShopSettings) -> str:
    """Why results are not made."""
    names = ", ".join(result.name for result in results)
    sections = [one.section.name for one in results if one.section and not one.is_wanted(settings)]
    if sections:
        return f"{names}: made where it is asked for: write [{sections[0]}] into the configuration"
    if settings.customer_totals is not None:
        return f"{names}: made of receipts, and customers are given as totals"
    return f"{names}: made of receipts, and no [receipts] are configured"


def _tell_left_out(run: Run, results: Sequence[AnyResult]) -> None:
    if results:
        with run.progress.step("left out") as step:
            step.says(_made_of_receipts(results, run.settings))


def _make_results(
    run: Run, results: Sequence[AnyResult], day: date, whole: list[ResultRecord]
) -> None:
    """Makes the results that do not stand; notes each as soon as it is whole.

    Raises:
        ResultsFailed: if the numbers of one do not add up, after all that do not read it.
    """
    with run.progress.step("compare with the last run") as step:
        stand = results_that_stand(run, results, day) if run.since is None else {}
        to_make = _not_standing(results, stand, run.settings)
        step.says(_told(results, to_make))
    if to_make:
        run.sessions.start()
    whole += [stand[result.name] for result in results if result not in to_make]
    # In their order; the sums are kept until the last result that is made of them.
    last = max((at for at, result in enumerate(to_make) if result.asks is not None), default=-1)
    first, later = to_make[: last + 1], to_make[last + 1 :]
    how_made, failures = partial(_how_made, run, day, whole), Failures()

    def make(result: AnyResult, sums: DataFrame | None, read: Mapping[str, int]) -> None:
        if failures.keep_from(result, run.settings):
            return
        numbers = partial(numbers_of, run, day)
        request = Request(run, result.rules(run.settings), day, how_made, numbers)
        try:
            whole.append(_made(request, result, sums, read))
        except RunFailure as error:
            failures.add(result, error)

    if first:
        asks = [
            ask
            for result in first
            if result.asks is not None
            for ask in result.asks(result.rules(run.settings), run.settings)
        ]
        of_sums = [result for result in first if result.asks is not None]
        kept = len(of_sums) > 1 or of_sums[0].rereads
        with run.tracking() as facts, sums_of_customers(run, day, asks, kept) as sums:
            read = dict(facts.read)
            for result in first:
                make(result, *((sums, read) if result.asks is not None else (None, {})))
    for result in later:
        make(result, None, {})
    failures.require_none()


def _not_standing(
    results: Sequence[AnyResult], stand: Collection[str], settings: ShopSettings
) -> list[AnyResult]:
    """Results that do not stand, and those that read what is made anew."""
    to_make: list[AnyResult] = []
    for result in results:
        anew = {table.name for one in to_make for table in one.tables}
        if result.name not in stand or anew & tables_read(result, settings):
            to_make.append(result)
    return to_make


def _made(
    request: Request[Any],
    result: AnyResult,
    sums: DataFrame | None,
    sums_read: Mapping[str, int],
) -> ResultRecord:
    with request.run.tracking() as own:
        result.make(request, sums)
    return ResultRecord.of(request.run, result, {**sums_read, **own.read}, own.written)


def _how_made(
    run: Run, day: date, whole: Sequence[ResultRecord], result: str, as_of: date
) -> Made | None:
    """How a result of a day was made: in this run, which is not on record yet, or in another."""
    own = [record for record in whole if as_of == day and record.result == result]
    if own:
        return Made(run.settings.model_dump(mode="json"), own[0].read_versions)
    return last_made(run, result, as_of)


def _told(results: Sequence[AnyResult], to_make: Sequence[AnyResult]) -> str:
    if not to_make:
        return "results stand: nothing they are made of has changed"
    if len(to_make) == len(results):
        return "to be made"
    return f"to be made: {', '.join(result.name for result in to_make)}; the others stand"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user can have a number and no name
        return str(os.getuid())
