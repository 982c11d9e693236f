"""Recording: what a command that is no job writes, under the warehouse's lease."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rfm_spark.app.jobs import told_failure, writing
from rfm_spark.app.run_record import SUCCEEDED, Outcome, record_run
from rfm_spark.run import Run


@dataclass
class Record:
    """What the row of `runs` is to tell beside what was written.

    Attributes:
        details: see `Outcome`.
    """

    details: str | None = None


@contextmanager
def recorded(run: Run, command: str, day: date | None) -> Iterator[Record]:
    """The warehouse's lease, and a record of what is written until the context ends."""
    started, clock, found = datetime.now(UTC), time.monotonic(), Record()
    run_id = str(uuid.uuid4())

    def record(told: str) -> None:
        outcome = Outcome(told, started, time.monotonic() - clock, found.details)
        record_run(run, command, run_id, day, outcome)

    with writing(run, command, run_id):
        try:
            yield found
        except BaseException as error:
            if run.versions.written:
                with suppress(Exception):  # a record of the failure must not hide the failure
                    record(told_failure(error))
            raise
        if run.versions.written:
            record(SUCCEEDED)
