"""Tables without Spark: delta-rs reads a log and a few rows in milliseconds, where it reaches them.

It is asked only for what is small: states, sizes, statistics, and rows bounded by settings. What it
answers is what Spark answers, which `tests/test_direct.py` holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import fs
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from rfm_spark.core.table import Table
from rfm_spark.storage.local_rows import arrow_rows
from rfm_spark.storage.locations import below, is_local
from rfm_spark.storage.table_state import SCHEMA_VERSION, TableState

if TYPE_CHECKING:
    from deltalake import DeltaTable

_SCHEMES = {"s3": "s3", "s3a": "s3", "gs": "gs", "abfs": "abfs", "abfss": "abfss"}
"""Of stores that delta-rs reaches, by how Hadoop calls them."""


@dataclass(frozen=True)
class Contents:
    """What there is of a table.

    Attributes:
        rows: how many; None where the files do not say.
        files: of the newest version.
        bytes: their size.
    """

    rows: int | None
    files: int
    bytes: int


class DirectTables:
    """The tables of a warehouse, each read when it is asked for.

    Args:
        place: folder or URI, as delta-rs takes it.
    """

    def __init__(self, place: str) -> None:
        self._place = place

    def is_there(self, table: Table) -> bool:
        """Whether the table has been created."""
        from deltalake import DeltaTable

        return DeltaTable.is_deltatable(below(self._place, table.name))

    def state(self, table: Table) -> TableState:
        """Columns, properties and schema number."""
        stored = self._open(table)
        schema = StructType.fromJson(json.loads(stored.schema().to_json()))
        properties = {**stored.metadata().configuration}
        version = int(properties.pop(SCHEMA_VERSION, 0) or 0)
        protocol = stored.protocol()
        for feature in protocol.writer_features or ():
            properties[f"delta.feature.{feature}"] = "supported"
        properties["delta.minReaderVersion"] = str(protocol.min_reader_version)
        properties["delta.minWriterVersion"] = str(protocol.min_writer_version)
        return TableState(
            {field.name: field.dataType for field in schema},
            frozenset(field.name for field in schema if not field.nullable),
            {name: str(value) for name, value in properties.items()},
            version,
        )

    def contents(self, table: Table) -> Contents:
        """Rows, files and bytes, by the log."""
        files = self._files(table)
        counts = files["num_records"]
        rows = None if counts.null_count else pc.sum(counts).as_py() or 0
        return Contents(rows, len(files), pc.sum(files["size_bytes"]).as_py() or 0)

    def bounds(self, table: Table, column: str) -> tuple[Any, Any] | None:
        """Least and greatest value of a column by statistics; None where they do not tell."""
        files = self._files(table)
        names = (f"min.{column}", f"max.{column}")
        if not len(files):
            return None, None
        if not set(names) <= set(files.column_names) or any(files[n].null_count for n in names):
            return None
        least, greatest = (files[name] for name in names)
        return pc.min(least).as_py(), pc.max(greatest).as_py()

    def rows(
        self, table: Table, where: Mapping[str, Any], columns: Sequence[str] | None
    ) -> list[dict[str, Any]]:
        """Rows whose columns have these values; only for tables that a driver can hold."""
        stored = self._open(table)
        names = [field.name for field in stored.schema().fields]
        wanted = [name for name in columns or table.column_names if name in names]
        equal = [(name, "=", value) for name, value in where.items()]
        # The file system of delta-rs calls back into Python: threads of Arrow that read ahead
        # through it abort a process that ends meanwhile.
        path = below(self._place, table.name)
        local = fs.SubTreeFileSystem(path, fs.LocalFileSystem()) if is_local(path) else None
        found = stored.to_pyarrow_table(columns=wanted, filters=equal or None, filesystem=local)
        return [
            {name: row.get(name) for name in columns or table.column_names}
            for row in found.to_pylist(maps_as_pydicts="strict")
        ]

    def append(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Adds rows to a table that is there, in one commit."""
        from deltalake import PostCommitHookProperties, write_deltalake

        names = [field.name for field in self._open(table).schema().fields]
        added = arrow_rows(rows, to_arrow_schema(table.schema, timezone="UTC")).select(names)
        write_deltalake(
            below(self._place, table.name),
            added,
            mode="append",
            # Checkpoints are Spark's: on a local disk it keeps a checksum beside each file, which
            # would no longer fit one that somebody else writes over.
            post_commithook_properties=PostCommitHookProperties(
                create_checkpoint=False, cleanup_expired_logs=False
            ),
        )

    def _open(self, table: Table) -> DeltaTable:
        from deltalake import DeltaTable

        return DeltaTable(below(self._place, table.name))

    def _files(self, table: Table) -> pa.Table:
        return pa.table(self._open(table).get_add_actions(flatten=True))


def direct_tables(place: str) -> DirectTables | None:
    """The tables of a warehouse; None where delta-rs is not here, or does not know such a place."""
    if find_spec("deltalake") is None:  # a cluster's driver may have Spark alone
        return None
    if is_local(place):
        return DirectTables(place)
    scheme = _SCHEMES.get(urlsplit(place).scheme)
    return None if scheme is None else DirectTables(f"{scheme}:{place.partition(':')[2]}")
