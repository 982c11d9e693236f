"""What every job is given, and the record it leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from pyspark.sql import Column, DataFrame, SparkSession

from rfm_spark.settings import Settings
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.warehouse import Commit, Warehouse
from rfm_spark.tables import Table


class Step(Protocol):
    """A piece of work a person can follow."""

    def says(self, result: str) -> None:
        """What came of it, in a few words."""


class Progress(Protocol):
    """Shows a person what is being done."""

    def step(self, title: str) -> AbstractContextManager[Step]:
        """A piece of work from now until the context ends."""


class _Silent:
    def says(self, result: str) -> None:
        """Says nothing."""


class Quiet:
    """Shows nothing: for callers that do not watch."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:  # noqa: ARG002 - nobody watches
        """A piece of work nobody watches."""
        yield _Silent()


@dataclass
class Job:
    """One run of a job.

    Attributes:
        spark: the session.
        settings: the checked configuration.
        warehouse: where the tables are.
        input: where the raw data lie.
        progress: shows what is being done.
        night: the day whose deliveries are taken in; None for all that are new.
        last_day: the last business day of the facts, once they are up to date.
        read_versions: Delta version of every table read from.
        commits: last commit of every table written.
        written_rows: rows written to every table.
    """

    spark: SparkSession
    settings: Settings
    warehouse: Warehouse
    input: str
    progress: Progress = field(default_factory=Quiet)
    night: date | None = None
    last_day: date | None = None
    read_versions: dict[str, int] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    written_rows: dict[str, int] = field(default_factory=dict)

    def read(self, table: Table) -> DataFrame:
        """A table as it is now, its version noted for the run record."""
        rows = self.warehouse.read(table)
        commit = self.commits.get(table.name)
        version = commit.version if commit else self.warehouse.version(table)
        self.read_versions[table.name] = version
        return rows

    def read_or_empty(self, table: Table) -> DataFrame:
        """The same; no rows where the table has not been made yet."""
        if self.warehouse.is_there(table):
            return self.read(table)
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
        self.commits[table.name] = commit
        self.written_rows[table.name] = self.written_rows.get(table.name, 0) + commit.rows
        return commit

    def replace_by(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        where: Column,
    ) -> Commit:
        """Replaces a slice by a few rows of the driver, in one file for each partition."""
        few = local_rows(self.spark, rows, table.schema)
        return self.replace(table, few.coalesce(1), where)
