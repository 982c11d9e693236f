"""Run records: what a run did, and which results would come out the same again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from rfm_spark.app.tables import ALL_TABLES, PUBLISHED, RUNS, SETTINGS
from rfm_spark.core.code_version import code_version
from rfm_spark.core.table import Table
from rfm_spark.facts.changes import days_changed_since
from rfm_spark.results.declaration import AnyResult, Made
from rfm_spark.results.registry import RESULTS, tables_read
from rfm_spark.run import ABSENT, Run, TableVersions
from rfm_spark.settings.digest import digest_of, settings_digest
from rfm_spark.settings.shop import ShopSettings

SUCCEEDED = "succeeded"

_TABLES = {table.name: table for table in ALL_TABLES}


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        told: `succeeded`, or failed and in what way.
        started: when the run began.
        seconds: how long it took.
        details: of an upgrade, what it did; of days made together, which; of customers forgotten,
            how many.
    """

    told: str
    started: datetime
    seconds: float
    details: str | None = None


@dataclass(frozen=True)
class ResultRecord:
    """A result that is whole: a row of `runs.results`.

    Attributes:
        result: its name.
        rules_digest: of all settings it depends on.
        read_versions: Delta version of every table it was made from.
        written_versions: of every table it wrote.
    """

    result: str
    rules_digest: str
    read_versions: Mapping[str, int]
    written_versions: Mapping[str, int]

    @classmethod
    def of(
        cls,
        run: Run,
        result: AnyResult,
        read: Mapping[str, int],
        written: Mapping[str, int],
    ) -> ResultRecord:
        """The record of a result that was just made."""
        return cls(result.name, rules_digest(run.settings, result), read, written)


def record_run(
    run: Run,
    name: str,
    run_id: str,
    as_of: date | None,
    outcome: Outcome,
    results: Sequence[ResultRecord] = (),
) -> None:
    """Adds the run to `runs`, and its configuration to `settings` where that is a new one."""
    # First of all, so that readers know that what was written so far is not published.
    run.warehouse.create(PUBLISHED)
    digest = settings_digest(run.settings)
    _keep_settings(run, digest, outcome.started)
    row = {"run_id": run_id, "as_of": as_of, "results": [asdict(one) for one in results]}
    run.warehouse.append(RUNS, [{**row, **_told(run.versions, name, digest, outcome)}])


def record_days(
    run: Run,
    name: str,
    outcome: Outcome,
    versions: TableVersions,
    made: Mapping[date, ResultRecord],
) -> dict[date, str]:
    """Adds a run of each day to `runs`, of days whose results were made together.

    Args:
        run: the run.
        name: of the command.
        outcome: of all days together.
        versions: what was read and written for all of them.
        made: by day, its result.

    Returns:
        By day, the `run_id` of its run.
    """
    digest = settings_digest(run.settings)
    _keep_settings(run, digest, outcome.started)
    told = _told(versions, name, digest, outcome)
    ids = {day: str(uuid.uuid4()) for day in made}
    rows = [
        {"run_id": ids[day], "as_of": day, "results": [asdict(one)], **told}
        for day, one in made.items()
    ]
    run.warehouse.append(RUNS, rows)
    return ids


def _told(versions: TableVersions, name: str, digest: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "job": name,
        "outcome": outcome.told,
        "started_at": outcome.started,
        "seconds": round(outcome.seconds, 3),
        "settings_digest": digest,
        "code_version": code_version(),
        "read_versions": versions.read,
        "written_versions": versions.written,
        "written_rows": versions.rows,
        "details": outcome.details,
    }


def _keep_settings(run: Run, digest: str, started: datetime) -> None:
    if not run.warehouse.rows(SETTINGS, {"settings_digest": digest}, ["settings_digest"]):
        row = {
            "settings_digest": digest,
            "settings": run.settings.model_dump_json(),
            "first_used_at": started,
        }
        run.warehouse.append(SETTINGS, [row])


def results_that_stand(
    run: Run, results: Iterable[AnyResult], as_of: date
) -> dict[str, ResultRecord]:
    """The results that would come out the same again, by name.

    One stands where it was last made for the same day by the same code and rules, and every table
    it was made from or wrote is at the version it left, or what it wrote has changed for other days
    only. Runs that failed later count as well: what they had finished is whole.
    """
    made = run.warehouse.rows(
        RUNS, {"as_of": as_of, "code_version": code_version()}, ["started_at", "results"]
    )
    last = {
        record["result"]: ResultRecord(**record)
        for row in sorted(made, key=lambda one: one["started_at"])
        for record in row["results"] or ()
    }
    versions: dict[str, int] = {}
    return {
        result.name: last[result.name]
        for result in results
        if result.name in last and _stands(run, result, last[result.name], as_of, versions)
    }


def last_made(run: Run, result: str, as_of: date) -> Made | None:
    """How a result was last made for a day, or stood; None where no record tells.

    Releases before 0.2.0 kept neither results nor settings on record.
    """
    columns = ["started_at", "settings_digest", "results"]
    found = [
        (row["started_at"], row["settings_digest"], record["read_versions"])
        for row in run.warehouse.rows(RUNS, {"as_of": as_of}, columns)
        for record in row["results"] or ()
        if record["result"] == result
    ]
    if not found:
        return None
    _, digest, read = max(found, key=lambda one: one[0])
    kept = run.warehouse.rows(SETTINGS, {"settings_digest": digest}, ["settings"])
    return Made(json.loads(kept[0]["settings"]), read) if kept else None


def _stands(
    run: Run, result: AnyResult, record: ResultRecord, as_of: date, versions: dict[str, int]
) -> bool:
    if record.rules_digest != rules_digest(run.settings, result):
        return False
    left = {**record.read_versions, **record.written_versions}
    for table in left:
        if table not in versions:
            versions[table] = _version(run, table)
    own = {table.name for table in result.tables}
    keeps = result.has_kept_decisions(run.settings)
    return all(
        versions[table] == version
        or (
            table in own
            and ABSENT not in (version, versions[table])
            and _is_of_other_days(run, _TABLES[table], version, as_of, keeps)
        )
        for table, version in left.items()
    )


def _is_of_other_days(run: Run, table: Table, version: int, as_of: date, keeps: bool) -> bool:
    """Whether all that was written to a result's table after a version leaves a day as it was."""
    days = days_changed_since(run, table, version)
    if days is None:
        return False
    # Where decisions are kept, that of an earlier day can decide for this one.
    return all(day > as_of if keeps else day != as_of for day in days)


def rules_digest(settings: ShopSettings, result: AnyResult) -> str:
    """A short name for the settings of the shop, of a result, and of the results it reads."""
    read = tables_read(result, settings)
    others = [one for one in RESULTS if read & {table.name for table in one.tables}]
    sections = {one.section.name for one in (result, *others) if one.section is not None}
    # With the metastore, in which what stands would have no name.
    names = {*ShopSettings.model_fields, *sections, "metastore"} - {"maintenance", "privacy"}
    return digest_of(settings.model_dump(mode="json", include=names), is_order_told=True)


def _version(run: Run, table: str) -> int:
    known = _TABLES.get(table)
    is_there = known is not None and run.warehouse.is_there(known)
    return run.warehouse.version(known) if known and is_there else ABSENT
