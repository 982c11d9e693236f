"""Exports: rows written by Spark as files for others, whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pyspark.sql import DataFrame, DataFrameWriter

from rfm_spark.core.errors import UserError
from rfm_spark.storage.gateway import HadoopFolder, JvmError
from rfm_spark.storage.locations import below, is_local, location, plain
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.spark_errors import FAILED, first_line

ExportFormat = Literal["csv", "json", "parquet", "delta"]

_ROWS_A_FILE = 1_000_000
_ONE_FILE = {".csv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet"}
"""Endings of places that are a file; every other is a folder of files."""
_OPTIONS: Mapping[ExportFormat, Mapping[str, str | bool | int]] = {
    # Without these, blanks at the ends of texts are cut off, and a quote in one is escaped by a
    # backslash, which RFC 4180 does not know.
    "csv": {
        "header": True,
        "escape": '"',
        "ignoreLeadingWhiteSpace": False,
        "ignoreTrailingWhiteSpace": False,
        "emptyValue": "",
    },
    "json": {"ignoreNullFields": False},
    "parquet": {},
    "delta": {},
}


class Export:
    """A place that rows are written to; made before there are rows, so that it is known to be free.

    Args:
        sessions: where to get a session.
        place: a folder or URI that is not there yet; with the ending of the format, one file.
        format: of the files.

    Raises:
        UserError: if it is there already, cannot be written, or does not go with the format.
    """

    def __init__(self, sessions: SessionOnDemand, place: str, format: ExportFormat) -> None:  # noqa: A002
        self.place, self.format = location(sessions, place), format
        above, _, self._name = self.place.rpartition("/")
        ending = _ONE_FILE.get(Path(self._name).suffix)
        if ending not in (None, format):
            raise UserError(
                f"--out {place}: is the name of a {ending} file, and the format {format}"
            )
        self._is_file = ending is not None
        self._above = f"{above}/" if above in ("", "file:") else above
        self._unfinished = f".{self._name}.{uuid.uuid4()}"
        self._session = sessions.session
        try:
            self._folder = HadoopFolder(self._session, self._above)
            if self._folder.exists(self._name):
                raise UserError(
                    f"--out {place}: is there already: name another place, or remove it"
                )
            self._folder.make_folder(self._unfinished)
        except JvmError as error:
            raise UserError(f"--out {place}: cannot be written ({error})") from None

    def write(self, rows: DataFrame, order: str) -> None:
        """Writes the rows.

        Args:
            rows: one row of the files each.
            order: column by which they lie in the files.

        Raises:
            UserError: if they cannot be written; nothing of them is left then.
        """
        moved = rows.repartition(1) if self._is_file else rows.repartitionByRange(order)
        writer = moved.sortWithinPartitions(order).write.format(self.format).mode("overwrite")
        try:
            self._written(writer).save(below(self._above.rstrip("/"), self._unfinished))
            if self._is_file:
                [part] = self._parts()
                self._folder.move(f"{self._unfinished}/{part}", self._name)
                self._drop_checksum()
            else:
                self._folder.move(self._unfinished, self._name)
        except (JvmError, *FAILED) as error:
            told = str(error) if isinstance(error, JvmError) else first_line(error)
            raise UserError(f"--out {self.place}: cannot be written ({told})") from None

    def __enter__(self) -> Export:
        return self

    def __exit__(self, *error: object) -> None:
        """Removes what is not finished."""
        self._folder.delete(self._unfinished, with_content=True)

    def _written(self, writer: DataFrameWriter) -> DataFrameWriter:
        # The session has a limit of its own, for tables; 0 is none.
        rows_a_file = 0 if self._is_file else _ROWS_A_FILE
        return writer.options(**_OPTIONS[self.format]).option("maxRecordsPerFile", rows_a_file)

    def _parts(self) -> list[str]:
        folder = HadoopFolder(self._session, below(self._above.rstrip("/"), self._unfinished))
        return [name for name in folder.names() if name.startswith("part-")]

    def _drop_checksum(self) -> None:
        """Hadoop's, beside a local file: who changes the file would be told that it is broken."""
        if is_local(self.place):
            Path(plain(self._above), f".{self._name}.crc").unlink(missing_ok=True)
