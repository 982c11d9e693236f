"""Samples: the first rows of a file of any format, with how the file is written."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from rfm_spark.app.proposal.csv_samples import csv_sample
from rfm_spark.app.proposal.fields import Column
from rfm_spark.app.proposal.json_samples import json_sample
from rfm_spark.app.proposal.raw_text import read_text, without_compression
from rfm_spark.app.proposal.sample import MAX_ROWS, NoRows, Sample, value_inside
from rfm_spark.core.errors import UserError

if TYPE_CHECKING:
    from deltalake import DeltaTable

_UNREAD = {
    ".xlsx": "a spreadsheet: save it as CSV (UTF-8)",
    ".xls": "a spreadsheet: save it as CSV (UTF-8)",
    ".ods": "a spreadsheet: save it as CSV (UTF-8)",
    ".zip": "an archive: unpack it, and name what was in it",
    ".7z": "an archive: unpack it, and name what was in it",
    ".tar": "an archive: unpack it, and name what was in it",
    ".tgz": "an archive: unpack it, and name what was in it",
    ".xz": "compressed in a way that is not read: give it plain, or as .gz, .bz2 or .zst",
}
_JSON_ENDINGS = (".json", ".jsonl", ".ndjson")
_TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".tab", ".psv", *_JSON_ENDINGS)
ENDINGS = (*_TEXT_ENDINGS, ".parquet")
"""Of files that are looked for in a folder, in front of those of compressions."""
_BROKEN = (OSError, ValueError, ArithmeticError, RecursionError, pa.ArrowException)
"""What comes of values that Python has no place for: a year above 9999, objects too deep."""


def is_delta_table(place: Path) -> bool:
    """Whether a folder is a Delta table."""
    return (place / "_delta_log").is_dir()


def read_sample(file: Path) -> Sample:
    """The first rows of a file or a Delta table.

    Raises:
        NoRows: if there is no row in it.
        UserError: if it cannot be read, or by no format of a source; it says what to do.
    """
    ending = file.suffix.lower()
    if ending in _UNREAD:
        raise UserError(f"{file}: is {_UNREAD[ending]}")
    try:
        if is_delta_table(file):
            return _delta_sample(file)
        return _parquet_sample(file) if ending == ".parquet" else _text_sample(file)
    except _BROKEN as error:
        kind = type(error).__name__
        raise UserError(
            f"{file}: has values that cannot be looked at ({kind}: {error}): write it anew, or "
            "leave it out and write its section by hand"
        ) from error


def _text_sample(file: Path) -> Sample:
    raw = read_text(file)
    if not raw.text.strip():
        raise NoRows(f"{file}: is empty")
    name = without_compression(file.name).lower()
    if name.endswith(_JSON_ENDINGS) or raw.text.lstrip()[0] in "{[":
        return json_sample(file, raw)
    return csv_sample(file, raw)


def _parquet_sample(file: Path) -> Sample:
    try:
        parquet = pq.ParquetFile(file)
        batches = [*islice(parquet.iter_batches(batch_size=MAX_ROWS), 1)]
        schema = parquet.schema_arrow
        is_whole = parquet.metadata.num_rows <= MAX_ROWS
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{file}: cannot be read as Parquet: {error}") from None
    leaves = [parquet.schema.column(at) for at in range(len(parquet.schema))]
    if any("nanoseconds" in str(leaf.logical_type) for leaf in leaves):
        raise UserError(
            f"{file}: has times in nanoseconds, which Spark does not read: write microseconds, "
            "with pandas to_parquet(..., coerce_timestamps='us')"
        )
    table = pa.Table.from_batches(batches, schema)
    return _typed_sample(file, "parquet", table, is_whole)


def _delta_sample(folder: Path) -> Sample:
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError:
        raise UserError(
            f"{folder}: to look into a Delta table, Python's deltalake is needed: "
            "python -m pip install 'rfm-spark[local]'"
        ) from None
    try:
        table, is_whole = _first_rows(DeltaTable(str(folder)))
    except (OSError, DeltaError, pa.ArrowException) as error:
        raise UserError(f"{folder}: cannot be read as a Delta table: {error}") from None
    return _typed_sample(folder, "delta", table, is_whole)


def _first_rows(delta: DeltaTable) -> tuple[pa.Table, bool]:
    """Rows of the first file of a Delta table, and whether these are all."""
    actions = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
    if not actions:
        return pa.Table.from_pylist([], pa.schema(delta.schema())), True
    first, *others = sorted(actions, key=lambda action: str(action["path"]))
    file = f"{delta.table_uri.removeprefix('file://').rstrip('/')}/{unquote(first['path'])}"
    parquet = pq.ParquetFile(file)
    batches = [*islice(parquet.iter_batches(batch_size=MAX_ROWS), 1)]
    table = pa.Table.from_batches(batches, parquet.schema_arrow)
    for name in delta.metadata().partition_columns:
        values = pa.array([first[f"partition.{name}"]] * len(table))
        table = table.append_column(name, values)
    return table, not others and len(table) == parquet.metadata.num_rows


def _typed_sample(file: Path, file_format: str, table: pa.Table, is_whole: bool) -> Sample:
    """Of rows with types; what lies inside of structs has columns of its own."""
    if not len(table):
        raise NoRows(f"{file}: has columns and no row, so nothing can be told of them")
    columns: dict[str, Column] = {}
    for one in table.schema:
        columns |= _typed_columns(one, one.name)
    rows = [
        {name: value_inside(row, name, column) for name, column in columns.items()}
        for row in table.to_pylist()
    ]
    return Sample(file, file_format, columns, rows, is_whole)


def _typed_columns(one: pa.Field, name: str) -> dict[str, Column]:
    if pa.types.is_struct(one.type):
        found: dict[str, Column] = {}
        for inner in one.type:
            found |= _typed_columns(inner, f"{name}.{inner.name}")
        return {key: Column(key, _struct_path(key)) for key in found}
    if pa.types.is_nested(one.type):
        return {}
    return {name: Column(name)}


def _struct_path(name: str) -> str:
    return ".".join(Column(part).sql for part in name.split("."))
