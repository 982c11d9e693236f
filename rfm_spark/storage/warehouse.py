"""The warehouse: a folder of Delta tables, created and written in one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from delta.tables import DeltaTable, DeltaTableBuilder
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.core.errors import RunFailure
from rfm_spark.core.table import Table
from rfm_spark.storage.commit_log import NOTE, Note
from rfm_spark.storage.lease import Hold, Unlosable
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.session_settings import session_settings
from rfm_spark.storage.snapshot import Snapshot
from rfm_spark.storage.spark_errors import CONFLICTS
from rfm_spark.storage.stored_tables import StoredTables
from rfm_spark.storage.table_state import (
    AT_CREATION,
    SCHEMA_VERSION,
    table_properties,
)

_NOTE_OF_SESSION = "spark.databricks.delta.commitInfo.userMetadata"
"""Setting that tells Delta a commit's note, for what has no option of a writer."""


@dataclass(frozen=True)
class Commit:
    """What one write did.

    Attributes:
        version: Delta version of the table afterwards.
        rows: rows it wrote, by Delta's own commit metrics.
    """

    version: int
    rows: int


class Warehouse(StoredTables):
    """The same tables, which can be written as well; see `StoredTables`."""

    def __init__(
        self, spark: SparkSession | SessionOnDemand, place: str, database: str | None = None
    ) -> None:
        super().__init__(spark, place, database)
        self._new: set[str] = set()
        """Tables created here and not written yet."""
        self._hold: Hold = Unlosable()
        self._described: frozenset[date] = frozenset()

    @contextmanager
    def held_by(self, hold: Hold) -> Iterator[None]:
        """All that is written until the context ends is written under a lease."""
        before, self._hold = self._hold, hold
        try:
            yield
        finally:
            self._hold = before

    @contextmanager
    def describing(self, days: Iterable[date]) -> Iterator[None]:
        """All that is written until the context ends is noted to be of some days."""
        before, self._described = self._described, frozenset(days)
        try:
            yield
        finally:
            self._described = before

    @contextmanager
    def committing(self, table: Table, note: Mapping[str, Any] | None = None) -> Iterator[None]:
        """What is committed to a table until the context ends: every commit is in one of these.

        The lease is looked at before, and once more afterwards: Delta asks nobody in between.

        Args:
            table: to be written, by whatever way.
            note: of ours, for commits that have no option for one; None for no note.

        Raises:
            RunFailure: if the lease has been lost, or somebody else has changed it meanwhile.
        """
        self._hold.check()
        settings = _encoding(table)
        if note is not None:
            settings[_NOTE_OF_SESSION] = self._written(note)
        try:
            with self._tagged(), session_settings(self.spark, settings):
                yield
        except CONFLICTS as error:
            raise RunFailure(
                f"{self.path(table)}: somebody else changed it meanwhile "
                f"({type(error).__name__}); nothing was written: run it again"
            ) from error
        except Exception:
            self._hold.check()  # where it is lost, that is why the work was interrupted
            raise
        try:
            self._hold.check()
        except RunFailure as error:
            raise RunFailure(
                f"{error}; the newest version of {self.path(table)} may have come after that: see "
                "its history for `lease` in userMetadata"
            ) from None

    @contextmanager
    def _tagged(self) -> Iterator[None]:
        """Work that is interrupted where the lease is lost; a local one cannot be."""
        tag = self._hold.tag
        if tag is None:
            yield
            return
        self.spark.sparkContext.addJobTag(tag)
        try:
            yield
        finally:
            self.spark.sparkContext.removeJobTag(tag)

    def _written(self, note: Mapping[str, Any] | None) -> str:
        return Note.written(note or {}, self._hold.number, self._described)

    def replace(
        self,
        table: Table,
        rows: DataFrame,
        where: Column,
        note: Mapping[str, Any] | None = None,
        is_in_order: bool = False,
    ) -> Commit:
        """Replaces the slice `where` by `rows`, in one commit; creates the table if need be.

        Where there was nothing and comes nothing, Delta makes no commit, and keeps no note.

        `rows` may read the table itself, unpinned: Delta then sees a concurrent change.

        Args:
            table: what to write.
            rows: its columns, in any order; every row must lie in the slice.
            where: the slice.
            note: kept with the commit.
            is_in_order: no task has rows of many partitions, and each has its own in the order of
                the table: there is nothing to gather or to sort.
        """
        self.create(table)
        is_new = table.name in self._new
        self._new.discard(table.name)
        ordered = rows.select(*[F.col(c.name).cast(c.type) for c in table.columns])
        if is_new:
            ordered = ordered.withColumn(table.key[0], _inside(where, table.key[0]))
        if table.gather and not is_in_order:
            ordered = ordered.hint("rebalance", *table.partition_by)
        if table.sort_by and not is_in_order:
            # Not by partition first: a task has a file open for each of them.
            ordered = ordered.sortWithinPartitions(*table.sort_by)
        before = self.version(table)
        writer = ordered.writeTo(f"delta.`{self.path(table)}`")
        writer = writer.option(NOTE, self._written(note))
        with self.committing(table):
            if is_new and self._hold.number is None:
                # Nothing to replace: looking for it takes twice as long as adding rows. Where the
                # lease can be lost, the table may no longer be empty, and rows that are only added
                # conflict with nobody's.
                writer.append()
            else:
                writer.overwrite(where)
        return self._commit_since(table, before)

    def append(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Adds a few rows of the driver, in one commit; creates the table if need be.

        Without Spark where none has been started yet and delta-rs reaches the table.
        """
        if self._direct is not None and not self._sessions.is_started and self.is_there(table):
            self._check(table)
            self._direct.append(table, rows)
            return
        self.create(table)
        self._new.discard(table.name)
        added = local_rows(self.spark, rows, table.schema)
        writer = added.write.format("delta").option(NOTE, self._written(None))
        with self.committing(table):
            writer.mode("append").save(self.path(table))

    def create(self, table: Table) -> None:
        """Creates the table if it is not there, and makes sure that it can be written."""
        if table.name in self._checked and table.name in self._registered:
            return
        if not self.is_there(table):
            self._create(table)
        self._check(table)
        self._register(table)

    def _create(self, table: Table) -> None:
        self.build(DeltaTable.createIfNotExists(self.spark), table)
        self._new.add(table.name)

    def build(self, builder: DeltaTableBuilder, table: Table) -> None:
        """Creates or replaces a table as this release makes it, without rows."""
        builder = (
            builder.location(self.path(table))
            .comment(table.grain)
            .addColumns(table.schema)
            .partitionedBy(*table.partition_by)
            .property(SCHEMA_VERSION, str(table.schema_version))
        )
        for name, value in {**AT_CREATION, **table_properties(table)}.items():
            builder = builder.property(name, value)
        with self.committing(table):
            builder.execute()
        self._checked.discard(table.name)

    def compact(self, table: Table, where: str | None = None) -> None:
        """Joins small files, of some partitions or of all; rows and readers are not touched."""
        optimize = self._delta(table).optimize()
        with self.committing(table):
            (optimize.where(where) if where else optimize).executeCompaction()

    def delete(self, table: Table, where: Column) -> None:
        """Removes a slice of rows."""
        with self.committing(table, {}):
            self._delta(table).delete(where)

    def restore(self, table: Table, version: int) -> None:
        """Gives a table the rows of an earlier version again, by a commit of its own.

        What was noted of that version is noted again, but for days that changed: others have now.
        """
        with self.reading(Snapshot({table.name: version})):
            made = self.last_note(table)
        note = {name: one for name, one in made.content.items() if name != "days"} if made else None
        with self.committing(table, note):
            self._delta(table).restoreToVersion(version)

    def vacuum(self, table: Table) -> None:
        """Removes files that no version within the table's retention needs."""
        with self.committing(table):
            self._delta(table).vacuum()

    def _commit_since(self, table: Table, before: int) -> Commit:
        """The commit that was just made: a platform may have made its own after it.

        No rows over a slice without any are no commit.
        """
        log = self._log(table)
        later = [one for one in reversed(log.versions()) if one > before]
        version = next((one for one in later if log.note(one).is_ours), None)
        if version is None:
            return Commit(before, 0)
        metrics = log.info(version)["operationMetrics"]
        rows = int(metrics.get("numOutputRows", 0)) - int(metrics.get("numCopiedRows", 0))
        return Commit(version, rows)


def _encoding(table: Table) -> dict[str, str]:
    """Settings of the session by which Parquet writes a table's files."""
    if not table.plain:
        return {}
    plain = {f"parquet.enable.dictionary#{name}": "false" for name in table.plain}
    return {"spark.sql.parquet.compression.codec": "zstd", **plain}


def as_of_slice(as_of: date) -> Column:
    """The rows of a result that describe a day."""
    return F.col("as_of") == F.lit(as_of)


def _inside(where: Column, column: str) -> Column:
    """The column, of a row of the slice; any other row fails the write, as it does in `overwrite`.

    Not a filter: Spark would push it down and repeat, for each mention of a column, the expression
    the column is made of; the code it then generates is too long for the JVM to compile.
    """
    outside = F.raise_error(F.lit("a row lies outside the slice that is written"))
    return F.when(where, F.col(column)).otherwise(outside)
