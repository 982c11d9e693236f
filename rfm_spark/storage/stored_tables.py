"""Stored tables: a folder of Delta tables, read in one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import Table
from rfm_spark.storage.commit_log import CommitLog, Note
from rfm_spark.storage.direct import direct_tables
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.locations import below
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.snapshot import NEWEST, Snapshot
from rfm_spark.storage.table_state import SCHEMA_VERSION, TableState


class StoredTables:
    """Delta tables, each in the folder of its name, as they are now or at a snapshot.

    Args:
        spark: session with Delta, or where to get one: what the logs tell needs none.
        place: folder or URI.
        database: where to register the tables by name as well; None for nowhere.
    """

    def __init__(
        self, spark: SparkSession | SessionOnDemand, place: str, database: str | None = None
    ) -> None:
        self._sessions = SessionOnDemand.of(spark)
        self.place = place
        # Names in a metastore are Spark's to give.
        self._direct = direct_tables(place) if database is None else None
        self._database = database
        self._checked: set[str] = set()
        self._registered: set[str] = set()
        self._snapshot: Snapshot = NEWEST
        self._whole: set[str] = set()

    @property
    def snapshot(self) -> Snapshot:
        """At which version each table is read."""
        return self._snapshot

    def follow(self, snapshot: Snapshot) -> None:
        """Reads the tables at other versions from now on."""
        self._snapshot = snapshot
        if self._direct is not None:
            self._direct.snapshot = snapshot

    @contextmanager
    def reading(self, snapshot: Snapshot) -> Iterator[None]:
        """Reads the tables at other versions until the context ends."""
        before = self._snapshot
        self.follow(snapshot)
        try:
            yield
        finally:
            self.follow(before)

    @property
    def spark(self) -> SparkSession:
        """The session."""
        return self._sessions.session

    @property
    def sessions(self) -> SessionOnDemand:
        """Where to get the session."""
        return self._sessions

    def path(self, table: Table) -> str:
        """The folder of a table."""
        return below(self.place, table.name)

    def is_there(self, table: Table) -> bool:
        """Whether the table has been created, as far as it is read.

        Raises:
            Damage: if commits of it are gone or damaged: its rows would be others.
        """
        if table.name not in self._whole:
            self._log(table).require_whole(table.name)
            self._whole.add(table.name)
        return bool(self._versions(table))

    def read(self, table: Table) -> DataFrame:
        """The table, at its version of the snapshot.

        Raises:
            UserError: if it has not been made yet, or was written by a newer version.
        """
        self.require(table)
        self._register(table)
        reader, version = self.spark.read.format("delta"), self._snapshot.version(table.name)
        if version is not None:
            reader = reader.option("versionAsOf", version)
        rows = reader.load(self.path(table))
        have = set(rows.columns)
        absent = [column for column in table.columns if column.name not in have]
        return (
            rows.withColumns({column.name: F.lit(None).cast(column.type) for column in absent})
            if absent
            else rows
        )

    def read_or_empty(self, table: Table) -> DataFrame:
        """The same; no rows where it has not been made yet."""
        if self.is_there(table):
            return self.read(table)
        return local_rows(self.spark, [], table.schema)

    def rows(
        self,
        table: Table,
        where: Mapping[str, Any] | None = None,
        columns: Sequence[str] | None = None,
    ) -> list[dict[str, Any]]:
        """A few rows of a table on the driver, without Spark where delta-rs reaches them.

        Args:
            table: one whose rows are bounded by settings or by files; of others the rows of one
                customer.
            where: only rows whose columns have these values, or one of several in a list.
            columns: to read; all by default.

        Returns:
            Column name to value, maps as dicts; no rows where the table has not been made yet.

        Raises:
            UserError: if the table was written by a newer version.
        """
        if not self.is_there(table):
            return []
        self._check(table)
        if self._direct is not None:
            return self._direct.rows(table, where or {}, columns)
        found = self.read(table)
        for name, value in (where or {}).items():
            values = value if isinstance(value, list) else [value]
            found = found.where(F.col(name).isin(values))
        names = columns or table.column_names
        few: list[dict[str, Any]] = (
            found.select(*names).toArrow().to_pylist(maps_as_pydicts="strict")
        )
        return few

    def days(self, table: Table) -> dict[date, int]:
        """Rows of each day that a result describes, the earliest first.

        Raises:
            UserError: if it has not been made yet, or was written by a newer version.
        """
        self.require(table)
        told = self._direct.partitions(table, "as_of") if self._direct is not None else None
        if told is None:
            found = self.read(table).groupBy("as_of").agg(F.count(F.lit(1)).alias("rows"))
            told = {row["as_of"]: row["rows"] for row in found.collect()}
        return dict(sorted(told.items()))

    def small_day(
        self, table: Table, day: date, columns: Sequence[str], most_rows: int
    ) -> pa.Table | None:
        """Columns of the rows of a day, without Spark.

        Args:
            table: partitioned by `as_of`.
            day: to read.
            columns: to read.
            most_rows: that may come to the driver.

        Returns:
            None where there are more, or delta-rs does not reach the table.

        Raises:
            UserError: if it has not been made yet, or was written by a newer version.
        """
        self.require(table)
        if self._direct is None:
            return None
        told = self._direct.partitions(table, "as_of")
        if told is None or told.get(day, 0) > most_rows:
            return None
        return self._direct.slice(table, "as_of", day, columns)

    def counts(self, table: Table, column: str) -> dict[Any, int]:
        """How many rows have each element of a column of arrays, of which there are few.

        Args:
            table: to look at.
            column: of arrays; elements that one array holds twice count twice.

        Returns:
            Element to rows; none where the table has not been made yet.
        """
        if not self.is_there(table):
            return {}
        self._check(table)
        if self._direct is not None:
            return self._direct.counts(table, column)
        found = self.read(table).select(F.explode(column).alias("element"))
        return {one["element"]: one["count"] for one in found.groupBy("element").count().collect()}

    def files_holding(self, table: Table, column: str, value: Any) -> tuple[int, int] | None:
        """Files in which a value can be, and all of the table's; None where it cannot be told.

        Args:
            table: to look at.
            column: one with statistics: of the key, or `skip_by`.
            value: sought.
        """
        if self._direct is None or not self.is_there(table):
            return None
        self._check(table)
        return self._direct.files_holding(table, column, value)

    def bounds(self, table: Table, column: str) -> tuple[Any, Any]:
        """Least and greatest value of a column; None for both of a table without rows.

        Args:
            table: to look at.
            column: of dates or numbers: of text, statistics keep the beginning.

        Raises:
            UserError: if it has not been made yet, or was written by a newer version.
        """
        self.require(table)
        told = self._direct.bounds(table, column) if self._direct is not None else None
        if told is None:
            row = self.read(table).agg(F.min(column), F.max(column)).collect()[0]
            told = (row[0], row[1])
        return told

    def version(self, table: Table) -> int:
        """Delta version of the last commit."""
        return self._versions(table)[-1]

    def notes_since(self, table: Table, version: int) -> list[Note] | None:
        """Commits after a version, oldest first; None where the log no longer holds them all."""
        log, versions = self._log(table), self._versions(table)
        later = [one for one in versions if one > version]
        if versions[-1] < version or later != list(range(version + 1, versions[-1] + 1)):
            return None
        return [log.note(one) for one in later]

    def last_note(self, table: Table) -> Note | None:
        """The newest commit with a note of ours.

        None where there is none, or somebody else has changed rows since, by hand for example.
        """
        log = self._log(table)
        for note in map(log.note, reversed(self._versions(table))):
            if note.content:
                return note
            if note.is_write and not note.is_ours:
                return None
        return None

    def detail(self, table: Table) -> tuple[int, int]:
        """Files and bytes of the newest version."""
        if self._direct is not None:
            return self._direct.detail(table)
        row = self._delta(table).detail().select("numFiles", "sizeInBytes").collect()[0]
        return int(row["numFiles"]), int(row["sizeInBytes"])

    def count(self, table: Table) -> int:
        """Rows of the newest version."""
        told = self._direct.count(table) if self._direct is not None else None
        return self.read(table).count() if told is None else told

    def last_written(self, table: Table) -> datetime:
        """When the table was last changed, in the time of this machine."""
        milliseconds = self._log(table).info(self.version(table))["timestamp"]
        return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone()

    def state(self, table: Table) -> TableState:
        """What there is of a table that is there, compared with what this release makes.

        Raises:
            UserError: if a newer release wrote it.
        """
        direct, path = self._direct, self.path(table)
        found = self._state_by_spark(path) if direct is None else direct.state(table)
        if found.schema_version > table.schema_version:
            raise UserError(
                f"{path}: written with schema {found.schema_version} by a newer rfm-spark; this "
                f"one knows schema {table.schema_version}: upgrade it, or use another warehouse"
            )
        return found

    def require(self, table: Table) -> None:
        """Makes sure that the table is there and is ours.

        Raises:
            UserError: if it has not been made yet, or was written by a newer version.
        """
        if not self.is_there(table):
            raise UserError(
                f"{self.path(table)}: there is no table '{table.name}' yet; "
                "run `rfm-spark run`, or the job that makes it"
            )
        self._check(table)

    def _check(self, table: Table) -> None:
        if table.name in self._checked:
            return
        path, state = self.path(table), self.state(table)
        if clashes := state.clashes(table):
            raise UserError(
                f"{path}: its columns are not those of '{table.name}' (see {', '.join(clashes)}): "
                "use another warehouse, or rebuild this one from the input"
            )
        reader = state.properties.get("delta.minReaderVersion")
        if reader != "1":
            raise UserError(
                f"{path}: needs Delta reader protocol {reader}, which other tools cannot read; "
                "rebuild it: tables here keep to protocol 1"
            )
        self._checked.add(table.name)

    def _state_by_spark(self, path: str) -> TableState:
        listed = self.spark.sql(f"SHOW TBLPROPERTIES delta.`{path}`").collect()
        properties = {row["key"]: row["value"] for row in listed}
        schema = self.spark.read.format("delta").load(path).schema
        version = int(properties.pop(SCHEMA_VERSION, 0))
        [detail] = self.spark.sql(f"DESCRIBE DETAIL delta.`{path}`").select("description").collect()
        return TableState.of(schema, properties, version, detail["description"])

    def _register(self, table: Table) -> None:
        if table.name in self._registered:
            return
        self._registered.add(table.name)
        if self._database is None:
            return
        # The database is a checked lower-case word, and table names are our own.
        self.spark.sql(f"CREATE DATABASE IF NOT EXISTS {self._database}")
        name = f"{self._database}.{table.name}"
        # Spark's tableExists fails on one whose files are gone.
        if self.spark.sql(f"SHOW TABLES IN {self._database} LIKE '{table.name}'").isEmpty():
            self.spark.catalog.createTable(name, path=self.path(table), source="delta")

    def _delta(self, table: Table) -> DeltaTable:
        return DeltaTable.forPath(self.spark, self.path(table))

    def _versions(self, table: Table) -> list[int]:
        """Versions whose commit is there, up to that of the snapshot, ascending."""
        if self._snapshot.hides(table.name):
            return []
        versions, last = self._log(table).versions(), self._snapshot.version(table.name)
        if last is None or not versions:
            return versions
        if last not in versions:
            raise UserError(
                f"{self.path(table)}: its version {last}, which is the published one, is gone: "
                "somebody removed old versions or made the table anew. The next night publishes "
                "another; until then `rfm-spark sql --newest` reads what is there"
            )
        return [one for one in versions if one <= last]

    def _log(self, table: Table) -> CommitLog:
        return CommitLog(self._sessions, self.path(table))
