"""Columns of raw files: reads and checks them, as Spark silently fills missing ones with NULL."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pyspark.sql import DataFrameReader, SparkSession

from rfm_spark.core.errors import UserError
from rfm_spark.storage.gateway import JvmError, parquet_columns
from rfm_spark.storage.locations import literal


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
