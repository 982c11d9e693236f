"""The Python API: open a warehouse, read its tables, run a command.

Everything here is available from `rfm_spark` itself:

    import rfm_spark

    settings = rfm_spark.load_settings("shop.toml")
    with rfm_spark.local_session() as spark:
        day = rfm_spark.run_job(spark, "run", settings, input="data", warehouse="warehouse")
        segments = rfm_spark.open_warehouse(spark, "warehouse").read("segments", as_of=day)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.app import jobs
from rfm_spark.app.publishing import follow_published
from rfm_spark.app.settings import Settings
from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.core.progress import Progress, Quiet
from rfm_spark.core.table import Table
from rfm_spark.run import Run
from rfm_spark.session import MEANING
from rfm_spark.storage.locations import location
from rfm_spark.storage.metastore import require_names
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.session_settings import session_settings
from rfm_spark.storage.warehouse import Warehouse, as_of_slice

_TABLES = {table.name: table for table in ALL_TABLES}


class WarehouseReader:
    """A warehouse to read from, as it was published when it was opened; it is never written to.

    Args:
        spark: session with Delta.
        place: folder or URI.

    Raises:
        UserError: if Spark has no such file system.
    """

    def __init__(self, spark: SparkSession, place: str | Path) -> None:
        self._warehouse = Warehouse(spark, location(spark, str(place)))
        follow_published(self._warehouse)

    @property
    def place(self) -> str:
        """The folder, as an absolute path or a URI."""
        return self._warehouse.place

    def tables(self) -> list[str]:
        """Names of the tables that are there."""
        return [table.name for table in ALL_TABLES if self._warehouse.is_there(table)]

    def days(self, table: str) -> list[date]:
        """The days that a result describes, the earliest first.

        Raises:
            UserError: if there is no such table, or it describes no days.
        """
        return list(self._warehouse.days(_described(table)))

    def read(self, table: str, as_of: date | None = None) -> DataFrame:
        """The rows of a table.

        Args:
            table: its name.
            as_of: of a result, the day described; by default the newest it holds. Tables that
                describe no days are read whole, and take none.

        Returns:
            One row per grain of the table (see docs/tables.md).

        Raises:
            UserError: if there is no such table, or the day is not stored.
        """
        known = _table(table)
        rows = self._warehouse.read(known)
        if "as_of" not in known.key:
            if as_of is not None:
                raise UserError(f"{table}: describes no days: read it without as_of={as_of}")
            return rows
        if as_of is None:
            newest = rows.agg(F.max("as_of")).collect()[0][0]
            return rows if newest is None else rows.where(as_of_slice(newest))
        if rows.where(as_of_slice(as_of)).isEmpty():
            days = ", ".join(map(str, self.days(table))) or "none"
            raise UserError(f"{table}: has no rows as of {as_of}; stored days: {days}")
        return rows.where(as_of_slice(as_of))


def open_warehouse(spark: SparkSession, place: str | Path) -> WarehouseReader:
    """Opens a warehouse for reading: every table as it is published now; see docs/analysts.md.

    Args:
        spark: session with Delta, such as `local_session` gives.
        place: folder or URI.
    """
    return WarehouseReader(spark, place)


def open_run(
    spark: SparkSession | SessionOnDemand,
    settings: Settings,
    input: str | Path,  # noqa: A002 - as the command line calls it
    warehouse: str | Path,
    progress: Progress | None = None,
    night: date | None = None,
    since: date | None = None,
) -> Run:
    """A run on absolute places that this session reaches, which reads published tables.

    Args:
        spark: session with Delta, or where to get one.
        settings: the configuration.
        input: where the raw data lie: folder or URI.
        warehouse: where the tables are: folder or URI.
        progress: shows what is being done; by default nothing does.
        night: the day whose deliveries are taken in; None for all that are new.
        since: the earlier day, of a command that compares two.

    Raises:
        UserError: if the session cannot reach them, or has no metastore where one is wanted.
    """
    sessions = SessionOnDemand.of(spark)
    tables_at, raw_at = (location(sessions, str(place)) for place in (warehouse, input))
    database = None
    if settings.metastore is not None:
        database = settings.metastore.database
        require_names(sessions.session, database, tables_at, ALL_TABLES)
    tables = Warehouse(sessions, tables_at, database)
    follow_published(tables)
    return Run(
        session=sessions,
        settings=settings,
        warehouse=tables,
        input=raw_at,
        progress=progress or Quiet(),
        night=night,
        since=since,
    )


def run_job(  # noqa: PLR0913 - the options of a command
    spark: SparkSession,
    command: str,
    settings: Settings,
    *,
    input: str | Path,  # noqa: A002 - as the command line calls it
    warehouse: str | Path,
    as_of: date | None = None,
    since: date | None = None,
    deliveries: Sequence[str] | None = None,
) -> date | None:
    """Does what a command does, under the warehouse's lease and with a record in `runs`.

    Args:
        spark: session with Delta.
        command: run, nightly, ingest, retract, replay, or the name of a result, such as rfm.
        settings: the configuration.
        input: where the raw data lie: folder or URI.
        warehouse: where the tables are: folder or URI.
        as_of: the day to describe; by default the last business day of the data. Of nightly, the
            business day that is over; it must be given.
        since: of moves, the earlier day; by default the day before, a week and a month before,
            where they are stored.
        deliveries: of retract and replay, names as the table `deliveries` has them; of replay, by
            default all with rejected rows.

    Returns:
        The day described; None for `ingest`, `retract` and `replay`.

    Raises:
        UserError: for a mistake in what was given.
        RunFailure: if it could not be finished.
    """
    job = jobs.BY_NAME.get(command)
    if job is None:
        raise UserError(f"{command}: no such command; {did_you_mean(command, list(jobs.BY_NAME))}")
    if job.maintains and as_of is None:
        raise UserError(f"{command}: name the business day that is over: as_of=date(...)")
    if since is not None and not job.compares_days:
        raise UserError(f"{command}: compares no days: leave out since={since}")
    names_deliveries = job.takes_back or job.reads_again
    if deliveries is not None and not names_deliveries:
        raise UserError(f"{command}: takes no deliveries by name: leave them out")
    if not deliveries and (job.takes_back or deliveries is not None):
        raise UserError(f"{command}: name at least one delivery: deliveries=[...]")
    night = as_of if job.maintains else None
    run = open_run(spark, settings, input, warehouse, night=night, since=since)
    run.taken_back = tuple(deliveries or ()) if job.takes_back else ()
    run.read_again = tuple(deliveries or ()) if job.reads_again else None
    with session_settings(spark, MEANING):  # a session that is given has its own
        return jobs.run_job(run, command, as_of)


def _table(name: str) -> Table:
    if name not in _TABLES:
        raise UserError(f"{name}: no such table; {did_you_mean(name, list(_TABLES))}")
    return _TABLES[name]


def _described(name: str) -> Table:
    table = _table(name)
    if "as_of" not in table.key:
        raise UserError(f"{name}: describes no days")
    return table
