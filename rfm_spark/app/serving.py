"""Serving: views of a warehouse's tables for clients of Spark's Thrift server.

They are global temporary views: each client has a session of its own, so that what one sets, or
the views it makes, change nothing for others. Tables themselves are not in the catalog, and none of
these views can be written to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import functions as F

from rfm_spark.app.publishing import follow_published
from rfm_spark.app.queries import view_names, views
from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.core.errors import UserError
from rfm_spark.run import Run
from rfm_spark.storage.gateway import JvmError, ThriftServer

DATABASE = "global_temp"
"""What Spark calls the database of these views."""


class ServedViews:
    """Views of all tables, which follow what is published.

    Args:
        run: session, settings and warehouse.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._versions: dict[str, int] = {}
        self.names: list[str] = []

    def refresh(self) -> None:
        """Makes the views of tables that are new or changed, and those that a client has dropped.

        Raises:
            UserError: if a table was written by a newer version.
        """
        warehouse = self._run.warehouse
        follow_published(warehouse)
        shown = self._run.spark.sql(f"SHOW VIEWS IN {DATABASE}").collect()
        there = {row["viewName"] for row in shown}
        for table in ALL_TABLES:
            if not warehouse.is_there(table):
                continue
            version, names = warehouse.version(table), view_names(table)
            if self._versions.get(table.name) == version and there.issuperset(names):
                continue
            for name, rows in views(self._run, table).items():
                # Delta would delete from a view that is nothing but a table, and insert into it.
                rows.where(F.lit(True)).createOrReplaceGlobalTempView(name)
            self.names = sorted({*self.names, *names})
            self._versions[table.name] = version

    def drop(self) -> None:
        """Removes them."""
        for name in self.names:
            self._run.spark.catalog.dropGlobalTempView(name)


@contextmanager
def served(run: Run, host: str, port: int) -> Iterator[tuple[ServedViews, str]]:
    """Serves the views of a warehouse until the context ends.

    Args:
        run: session, settings and warehouse.
        host: name or address to listen at.
        port: to listen at; 0 for one that is free.

    Yields:
        The views, to be refreshed now and then, and where they are served, as `host:port`.

    Raises:
        UserError: if there are no tables, or nobody can listen there.
    """
    if not any(run.warehouse.is_there(table) for table in ALL_TABLES):
        raise UserError(f"{run.warehouse.place}: no tables are there yet; run `rfm-spark run`")
    made = ServedViews(run)
    try:
        with run.progress.step("make the views") as step:
            made.refresh()
            step.says(f"{len(made.names)} views")
        server = _listening(run, host, port)
        try:
            yield made, "{}:{}".format(*server.address)
        finally:
            server.stop()
    finally:
        made.drop()


def _listening(run: Run, host: str, port: int) -> ThriftServer:
    with run.progress.step("start the Thrift server"):
        try:
            return ThriftServer(run.spark, host, port)
        except JvmError as error:
            raise UserError(
                f"cannot serve at {host}:{port}: {error}; --host and --port name another place"
            ) from None
