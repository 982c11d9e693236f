"""Recording: what a command that is no job writes, under the warehouse's lease."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rfm_spark.app.jobs import taken_in, told_failure, writing
from rfm_spark.app.publishing import publish, published
from rfm_spark.app.run_record import SUCCEEDED, Outcome, record_run
from rfm_spark.core.table import Table
from rfm_spark.run import Run
from rfm_spark.storage.snapshot import NEWEST


@dataclass
class Record:
    """What the row of `runs` is to tell beside what was written.

    Attributes:
        details: see `Outcome`.
    """

    details: str | None = None


@contextmanager
def recorded(
    run: Run, command: str, day: date | None, own: Sequence[Table], makes_facts: bool
) -> Iterator[Record]:
    """The warehouse's lease, and a record of what is written until the context ends.

    Its own tables are published then, and what it made facts of.

    Args:
        run: the run.
        command: its name.
        day: that it is about.
        own: tables of its results.
        makes_facts: whether it brings the facts up to date, and so reads all tables as they are
            now; else all but its own are read as they are published.
    """
    started, clock, found = datetime.now(UTC), time.monotonic(), Record()
    run_id = str(uuid.uuid4())

    def record(told: str) -> None:
        outcome = Outcome(told, started, time.monotonic() - clock, found.details)
        record_run(run, command, run_id, day, outcome)

    with writing(run, command, run_id):
        as_published = published(run.warehouse).snapshot.freed(table.name for table in own)
        try:
            with run.warehouse.reading(NEWEST if makes_facts else as_published):
                yield found
        except BaseException as error:
            if run.versions.written:
                with suppress(Exception):  # a record of the failure must not hide the failure
                    record(told_failure(error))
            raise
        if run.versions.written:
            record(SUCCEEDED)
        # Also where nothing was written: whoever wrote it may have been killed before this.
        whole = [*own, *(taken_in() if makes_facts else ())]
        publish(run, whole, run_id if run.versions.written else None)
