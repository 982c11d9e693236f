"""Tables of a local warehouse without Spark: delta-rs reads logs and few rows in milliseconds.

It is asked only for what is small: states, sizes, statistics, and rows bounded by settings. What it
answers is what Spark answers, which `tests/test_direct.py` holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import fs
from pyspark.sql.types import StructType

from rfm_spark.core.table import Table
from rfm_spark.storage.commit_log import NOTE, Note
from rfm_spark.storage.damage import Damage
from rfm_spark.storage.local_rows import arrow_rows, arrow_schema
from rfm_spark.storage.locations import below, is_local, plain
from rfm_spark.storage.snapshot import NEWEST, Snapshot
from rfm_spark.storage.table_state import SCHEMA_VERSION, TableState

if TYPE_CHECKING:
    from deltalake import DeltaTable


class DirectTables:
    """The tables of a warehouse, each read when it is asked for.

    Args:
        place: absolute path of the warehouse.

    Attributes:
        snapshot: at which version each table is read.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self.snapshot: Snapshot = NEWEST

    def state(self, table: Table) -> TableState:
        """Columns, properties and schema number of the newest version."""
        stored = self._open(table, NEWEST)
        schema = StructType.fromJson(json.loads(stored.schema().to_json()))
        properties = {**stored.metadata().configuration}
        version = int(properties.pop(SCHEMA_VERSION, 0) or 0)
        protocol = stored.protocol()
        for feature in protocol.writer_features or ():
            properties[f"delta.feature.{feature}"] = "supported"
        properties["delta.minReaderVersion"] = str(protocol.min_reader_version)
        properties["delta.minWriterVersion"] = str(protocol.min_writer_version)
        told = {name: str(value) for name, value in properties.items()}
        return TableState.of(schema, told, version, stored.metadata().description)

    def detail(self, table: Table) -> tuple[int, int]:
        """Files and bytes of its version."""
        sizes = self._files(table)["size_bytes"]
        return len(sizes), pc.sum(sizes).as_py() or 0

    def count(self, table: Table) -> int | None:
        """Rows of its version by statistics; None where they do not tell."""
        counts = self._files(table)["num_records"]
        return None if counts.null_count else pc.sum(counts).as_py() or 0

    def bounds(self, table: Table, column: str) -> tuple[Any, Any] | None:
        """Least and greatest date or number of a column; None where statistics do not tell."""
        files = self._files(table)
        names = (f"min.{column}", f"max.{column}")
        if not len(files):
            return None, None
        if not set(names) <= set(files.column_names) or any(files[n].null_count for n in names):
            return None
        least, greatest = (files[name] for name in names)
        return pc.min(least).as_py(), pc.max(greatest).as_py()

    def files_holding(self, table: Table, column: str, value: Any) -> tuple[int, int] | None:
        """Files that can hold a value by statistics, and all; None where these do not tell."""
        files = self._files(table)
        names = (f"min.{column}", f"max.{column}")
        if not set(names) <= set(files.column_names):
            return None
        least, greatest = (files[name] for name in names)
        holds = pc.and_(pc.less_equal(least, value), pc.greater_equal(greatest, value))
        return pc.sum(pc.fill_null(holds, True)).as_py() or 0, len(files)

    def rows(
        self, table: Table, where: Mapping[str, Any], columns: Sequence[str] | None
    ) -> list[dict[str, Any]]:
        """Rows whose columns have these values, or one of a list: no more than fit a driver."""
        stored = self._open(table)
        names = [field.name for field in stored.schema().fields]
        wanted = [name for name in columns or table.column_names if name in names]
        equal = [
            (name, "in" if isinstance(value, list) else "=", value) for name, value in where.items()
        ]
        found = self._read(stored, table, wanted, equal or None)
        return [
            {name: row.get(name) for name in columns or table.column_names}
            for row in found.to_pylist(maps_as_pydicts="strict")
        ]

    def counts(self, table: Table, column: str) -> dict[Any, int]:
        """How many rows have each element of a column of arrays."""
        stored = self._open(table)
        elements = pc.list_flatten(self._read(stored, table, [column], None)[column])
        return {one["values"]: one["counts"] for one in pc.value_counts(elements).to_pylist()}

    def slice(self, table: Table, column: str, value: Any, names: Sequence[str]) -> pa.Table:
        """Columns of the rows that a column has a value of; null where the table lacks one."""
        stored = self._open(table)
        kinds = arrow_schema(table.schema)
        have = {field.name for field in stored.schema().fields}
        found = self._read(
            stored, table, [name for name in names if name in have], [(column, "=", value)]
        )
        lacking = {
            name: pa.nulls(len(found), kinds.field(name).type) for name in names if name not in have
        }
        for name, nulls in lacking.items():
            found = found.append_column(name, nulls)
        return found

    def partitions(self, table: Table, column: str) -> dict[Any, int] | None:
        """Rows by the value of a column that partitions; None where statistics do not tell."""
        files = self._files(table)
        if not len(files):
            return {}
        name = f"partition.{column}"
        if name not in files.column_names or files["num_records"].null_count:
            return None
        counted = files.group_by(name).aggregate([("num_records", "sum")]).to_pylist()
        return {one[name]: one["num_records_sum"] for one in counted if one["num_records_sum"]}

    def _read(self, stored: DeltaTable, table: Table, columns: list[str], filters: Any) -> pa.Table:
        # The file system of delta-rs calls back into Python: threads of Arrow that read ahead
        # through it abort a process that ends meanwhile.
        local = fs.SubTreeFileSystem(below(self._place, table.name), fs.LocalFileSystem())
        with self._telling(table):
            return stored.to_pyarrow_table(columns=columns, filters=filters, filesystem=local)

    def append(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Adds rows to a table that is there, in one commit."""
        from deltalake import CommitProperties, PostCommitHookProperties, write_deltalake

        names = [field.name for field in self._open(table, NEWEST).schema().fields]
        added = arrow_rows(rows, arrow_schema(table.schema)).select(names)
        write_deltalake(
            below(self._place, table.name),
            added,
            mode="append",
            commit_properties=CommitProperties(custom_metadata={NOTE: Note.written({})}),
            # Checkpoints are Spark's: on a local disk it keeps a checksum beside each file, which
            # would no longer fit one that somebody else writes over.
            post_commithook_properties=PostCommitHookProperties(
                create_checkpoint=False, cleanup_expired_logs=False
            ),
        )

    def _open(self, table: Table, at: Snapshot | None = None) -> DeltaTable:
        from deltalake import DeltaTable

        version = (at or self.snapshot).version(table.name)
        with self._telling(table):
            return DeltaTable(below(self._place, table.name), version=version)

    def _files(self, table: Table) -> pa.Table:
        stored = self._open(table)
        with self._telling(table):
            return pa.table(stored.get_add_actions(flatten=True))

    @contextmanager
    def _telling(self, table: Table) -> Iterator[None]:
        """What cannot be read of a table is told as damage of it."""
        from deltalake.exceptions import DeltaError

        try:
            yield
        except (DeltaError, pa.ArrowInvalid, OSError) as error:
            place = below(self._place, table.name)
            raise Damage(table.name, place, f"cannot be read: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line), type(error).__name__)[:300]


def direct_tables(place: str) -> DirectTables | None:
    """The tables of a warehouse; None where it is not local, or delta-rs is not here."""
    # A cluster's driver may have Spark alone.
    is_possible = is_local(place) and find_spec("deltalake") is not None
    return DirectTables(plain(place)) if is_possible else None
