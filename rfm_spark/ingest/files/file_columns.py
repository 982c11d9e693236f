"""Columns of raw files: Spark takes one that a file lacks for NULL, and says nothing."""

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

_ROWS_LOOKED_AT = 1_000
_MUCH_ALIKE = 0.8


def header(reader: DataFrameReader, file: str, label: str) -> list[str]:
    """The columns a CSV file names in its first line.

    Args:
        reader: with the file's delimiter, encoding and so on.
        file: its path.
        label: of the source, for messages.

    Raises:
        UserError: if a column has no name, or two have the same: Spark gives them others.
    """
    columns = reader.option("header", True).csv(literal(file)).columns
    if any(name.endswith(str(place)) for place, name in enumerate(columns)):
        written = reader.option("header", False).csv(literal(file)).first() or columns
        pairs = enumerate(zip(written, columns, strict=True), 1)
        # By their places: a file without a header has a row of data there.
        if changed := [str(place) for place, (own, name) in pairs if own != name]:
            raise UserError(
                f"[{label}] {file}: header, column {', '.join(changed)}: no name, or one that "
                "another column has (upper and lower case are the same): give each a name of its "
                "own; with pandas, write index=False"
            )
    return columns


def absent_columns(
    spark: SparkSession, files: Sequence[str], columns: Collection[str], label: str
) -> dict[tuple[str, ...], tuple[str, list[str]]]:
    """What is missing in Parquet files, read from the end of each.

    Args:
        spark: the session.
        files: their paths.
        columns: looked for; upper and lower case are the same.
        label: of the source, for messages.

    Returns:
        Every combination of columns that some files lack, with the first of them and the columns
        it has.

    Raises:
        UserError: if a file is not Parquet.
    """
    try:
        schemas = parquet_columns(spark, files)
    except JvmError as error:
        raise UserError(f"[{label}] {error}") from None
    found: dict[tuple[str, ...], tuple[str, list[str]]] = {}
    for file, own in zip(files, schemas, strict=True):
        known = {name.lower() for name in own}
        if absent := tuple(name for name in columns if name.lower() not in known):
            found.setdefault(absent, (file, own))
    return found


def misnamed_keys(spark: SparkSession, source: Source, file: str, label: str) -> Iterator[str]:
    """Declared columns that JSON lines call otherwise.

    Lines may leave out what they have no value for, so that a key is missed only where there is
    another much like it that is not declared.

    Args:
        spark: the session.
        source: which columns it declares.
        file: whose first rows are looked at.
        label: of the source, for messages.

    Raises:
        UserError: if the file cannot be read.
    """
    rows = spark.read.text(literal(file)).limit(_ROWS_LOOKED_AT)
    keys = rows.select(F.explode(F.json_object_keys("value")).alias("key")).distinct()
    try:
        found = {row["key"] for row in keys.collect()}
    except FAILED as error:
        raise UserError(f"[{label}] {file} cannot be read as json: {first_line(error)}") from None
    others = {key.lower(): key for key in sorted(found - source.types.keys())}
    for name in sorted(source.types.keys() - found):
        if near := difflib.get_close_matches(name.lower(), others, n=1, cutoff=_MUCH_ALIKE):
            yield (
                f"[{label}.types] {name}: no row at the beginning of {file} has it; did you mean "
                f"'{others[near[0]]}'? Where there are both, declare both"
            )
