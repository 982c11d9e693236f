"""A run: what every job is given, and what is known of it afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame, SparkSession

from rfm_spark.core.progress import Progress, Quiet
from rfm_spark.core.table import Table
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.warehouse import Commit, Warehouse

ABSENT = -1
"""Noted as the version of a table that was to be read and is not there."""


def note_of_days(days: Iterable[date]) -> dict[str, list[str]]:
    """Noted by a commit whose rows are of some days: those of all others stay as they are."""
    return {"days": sorted(day.isoformat() for day in days)}


@dataclass
class TableVersions:
    """Delta versions that a piece of work saw and left.

    Attributes:
        read: version of every table read from.
        written: version of every table written, after the last write.
        rows: rows written to every table.
    """

    read: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def add_read(self, table: Table, version: int) -> None:
        """Notes that a table was read at a version."""
        self.read[table.name] = version

    def add_written(self, table: Table, commit: Commit) -> None:
        """Notes a write."""
        self.written[table.name] = commit.version
        self.rows[table.name] = self.rows.get(table.name, 0) + commit.rows


@dataclass
class Run:
    """One run of one command.

    Attributes:
        session: with Delta, or where to get one.
        settings: the checked configuration of the shop; the application's has the sections of all
            results as well.
        warehouse: where the tables are.
        input: where the raw data lie.
        progress: shows what is being done.
        night: the day whose deliveries are taken in; None for all that are new.
        since: the earlier day that a result which compares two days is asked for; None for those
            that it compares by itself.
        taken_back: names of deliveries that are to count no more; then nothing new is taken in.
        read_again: names of deliveries that are read again by the configuration of now, with rows
            that were rejected; empty for all that have such. None where what is new is taken in.
        last_day: the last business day of the facts, once they are up to date.
        began_at: the moment by the clock.
        versions: what the whole run read and wrote.
        notes: what is worth a look though nothing is wrong, a line each, for a person at the end.
    """

    session: InitVar[SparkSession | SessionOnDemand]
    settings: ShopSettings
    warehouse: Warehouse
    input: str
    progress: Progress = field(default_factory=Quiet)
    night: date | None = None
    since: date | None = None
    taken_back: tuple[str, ...] = ()
    read_again: tuple[str, ...] | None = None
    last_day: date | None = None
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    versions: TableVersions = field(default_factory=TableVersions)
    notes: list[str] = field(default_factory=list)
    _tracked: list[TableVersions] = field(default_factory=list)

    sessions: SessionOnDemand = field(init=False)

    def __post_init__(self, session: SparkSession | SessionOnDemand) -> None:
        self.sessions = SessionOnDemand.of(session)

    @property
    def spark(self) -> SparkSession:
        """The session, started now where it has not been."""
        return self.sessions.session

    @property
    def today(self) -> date:
        """The shop's calendar day at which the run began."""
        return self.began_at.astimezone(ZoneInfo(self.settings.business.time_zone)).date()

    @contextmanager
    def tracking(self) -> Iterator[TableVersions]:
        """Notes what is read and written until the context ends, beside what the whole run does."""
        own = TableVersions()
        self._tracked.append(own)
        try:
            yield own
        finally:
            self._tracked.remove(own)

    def read(self, table: Table) -> DataFrame:
        """A table as it is now, its version noted for the run record."""
        rows = self.warehouse.read(table)
        self.version_read(table)
        return rows

    def version_read(self, table: Table) -> int:
        """The version of a table as it is now, noted for the run record as one that was read.

        Raises:
            UserError: if it has not been made yet, or was written by a newer version.
        """
        self.warehouse.require(table)
        written = self.versions.written.get(table.name)
        version = self.warehouse.version(table) if written is None else written
        for versions in (self.versions, *self._tracked):
            versions.add_read(table, version)
        return version

    def read_or_empty(self, table: Table) -> DataFrame:
        """The same; no rows where the table has not been made yet."""
        if self.warehouse.is_there(table):
            return self.read(table)
        for versions in (self.versions, *self._tracked):
            versions.add_read(table, ABSENT)
        return self.warehouse.read_or_empty(table)

    def replace(
        self,
        table: Table,
        rows: DataFrame,
        where: Column,
        note: Mapping[str, Any] | None = None,
        is_in_order: bool = False,
    ) -> Commit:
        """Replaces a slice of a table in one commit, and notes it for the run record."""
        commit = self.warehouse.replace(table, rows, where, note, is_in_order)
        for versions in (self.versions, *self._tracked):
            versions.add_written(table, commit)
        return commit

    def replace_by(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        where: Column,
        note: Mapping[str, Any] | None = None,
    ) -> Commit:
        """Replaces a slice by a few rows of the driver, in one file for each partition."""
        few = local_rows(self.spark, rows, table.schema)
        return self.replace(table, few.coalesce(1), where, note)
