"""Columns of raw files: reads and checks them, as Spark silently fills missing ones with NULL."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence

from pyspark.sql import DataFrameReader, SparkSession
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.settings.sources import Source
from rfm_spark.storage.gateway import JvmError, parquet_columns
from rfm_spark.storage.locations import literal
from rfm_spark.storage.spark_errors import FAILED, first_line

_SAMPLED_ROWS = 1_000
_MIN_SIMILARITY = 0.8


def csv_header(reader: DataFrameReader, file: str, label: str) -> list[str]:
    """Column names of a CSV file, from its header.

    Args:
        reader: CSV reader with the delimiter, encoding and other options of the file.
        file: path of the file.
        label: configuration section of the source, for messages.

    Raises:
        UserError: if a column has no name or a duplicate one, which Spark would replace.
    """
    columns = reader.option("header", True).csv(literal(file)).columns
    if any(name.endswith(str(position)) for position, name in enumerate(columns)):
        written_names = reader.option("header", False).csv(literal(file)).first() or columns
        pairs = enumerate(zip(written_names, columns, strict=True), 1)
        # Columns by position, not name: without a header, the first line is a row of data.
        if positions := [str(position) for position, (written, name) in pairs if written != name]:
            raise UserError(
                f"[{label}] {file}: header, column {', '.join(positions)}: no name, or one that "
                "another column has (upper and lower case are the same): give each a name of its "
                "own; with pandas, write index=False"
            )
    return columns


def missing_parquet_columns(
    spark: SparkSession, files: Sequence[str], columns: Collection[str], label: str
) -> dict[tuple[str, ...], tuple[str, list[str]]]:
    """Columns that Parquet files lack, from the file footers.

    Args:
        spark: the session.
        files: paths of the files.
        columns: expected column names, case-insensitive.
        label: configuration section of the source, for messages.

    Returns:
        For every combination of missing columns, the path and column names of the first file
        that lacks them.

    Raises:
        UserError: if a file is not Parquet.
    """
    try:
        schemas = parquet_columns(spark, files)
    except JvmError as error:
        raise UserError(f"[{label}] {error}") from None
    files_by_missing: dict[tuple[str, ...], tuple[str, list[str]]] = {}
    for file, file_columns in zip(files, schemas, strict=True):
        known_names = {name.lower() for name in file_columns}
        if missing := tuple(name for name in columns if name.lower() not in known_names):
            files_by_missing.setdefault(missing, (file, file_columns))
    return files_by_missing


def misnamed_key_problems(
    spark: SparkSession, source: Source, file: str, label: str
) -> Iterator[str]:
    """Problems of declared columns that no JSON line has, but with a similar key instead.

    JSON lines may omit keys without a value, so an absent key alone is no problem.

    Args:
        spark: the session.
        source: source with the declared column types.
        file: path of the file, of which the first rows are sampled.
        label: configuration section of the source, for messages.

    Yields:
        One message per column that is probably misspelled.

    Raises:
        UserError: if the file cannot be read.
    """
    rows = spark.read.text(literal(file)).limit(_SAMPLED_ROWS)
    keys = rows.select(F.explode(F.json_object_keys("value")).alias("key")).distinct()
    try:
        found_keys = {row["key"] for row in keys.collect()}
    except FAILED as error:
        raise UserError(f"[{label}] {file} cannot be read as json: {first_line(error)}") from None
    undeclared_keys = {key.lower(): key for key in sorted(found_keys - source.types.keys())}
    for name in sorted(source.types.keys() - found_keys):
        if similar := difflib.get_close_matches(
            name.lower(), undeclared_keys, n=1, cutoff=_MIN_SIMILARITY
        ):
            yield (
                f"[{label}.types] {name}: no row at the beginning of {file} has it; did you mean "
                f"'{undeclared_keys[similar[0]]}'? Where there are both, declare both"
            )
