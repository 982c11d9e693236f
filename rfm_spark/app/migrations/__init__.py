"""Migrations: a warehouse that an earlier release wrote is brought up to this one.

The `schema_version` of `runs` is the number of the whole warehouse: each migration raises it, and
`runs` is renewed last, so a process killed before does all of it again. Every step can be repeated.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from rfm_spark.app.migrations.m002_changed_keys import digests_of_changed_keys
from rfm_spark.app.migrations.m011_published import publish_what_is_there
from rfm_spark.app.run_record import SUCCEEDED, Outcome, record_run
from rfm_spark.app.tables import ALL_TABLES, RESULT_TABLES, RUNS
from rfm_spark.run import Run
from rfm_spark.storage.renewal import renew


@dataclass(frozen=True)
class Migration:
    """What one release changed that columns and properties do not tell.

    Attributes:
        version: `schema_version` of `runs` that it leads to.
        apply: does it; what it did, a line each, nothing where nothing was to be done.
    """

    version: int
    apply: Callable[[Run], Iterator[str]]


MIGRATIONS = (Migration(2, digests_of_changed_keys), Migration(11, publish_what_is_there))
"""In their order."""


def upgrade(run: Run) -> None:
    """Brings the warehouse up to this release, and records what was done.

    Runs under the writer's lease, before anything else is read. No raw file is read again.

    Raises:
        UserError: if a newer release wrote the warehouse, or a table cannot be brought up to date.
    """
    version = warehouse_version(run)
    if version == RUNS.schema_version:
        return
    started, clock = datetime.now(UTC), time.monotonic()
    with run.progress.step("upgrade the warehouse") as step:
        done = list(_steps(run, version))
        if run.warehouse.is_there(RUNS):
            done += [f"{RUNS.name}: {one}" for one in renew(run.warehouse, RUNS, False)]
        step.says(f"from schema {version} to {RUNS.schema_version}, {len(done)} changes")
    if not done:  # a first run of this release that was killed before its record
        return
    outcome = Outcome(SUCCEEDED, started, time.monotonic() - clock, "\n".join(done))
    record_run(run, "upgrade", str(uuid.uuid4()), None, outcome)


def warehouse_version(run: Run) -> int:
    """The number of the warehouse: of one without a table, that of this release.

    Raises:
        UserError: if a newer release wrote it.
    """
    if run.warehouse.is_there(RUNS):
        return run.warehouse.state(RUNS).schema_version
    # A first run that was killed before its record, of this release or an earlier one.
    is_new = not any(run.warehouse.is_there(table) for table in ALL_TABLES)
    return RUNS.schema_version if is_new else 1


def _steps(run: Run, version: int) -> Iterator[str]:
    run.sessions.start()
    for table in ALL_TABLES:
        if table is not RUNS and run.warehouse.is_there(table):
            is_made_again = table in RESULT_TABLES and not table.keeps_decisions
            for done in renew(run.warehouse, table, is_made_again):
                yield f"{table.name}: {done}"
    for migration in MIGRATIONS:
        if migration.version > version:
            yield from migration.apply(run)
