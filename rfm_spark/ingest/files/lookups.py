"""Look-up tables: joins a small table to the rows of a source."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.ingest.rows.expressions import quoted_column
from rfm_spark.ingest.rows.identifiers import key_text
from rfm_spark.settings.sources import Lookup
from rfm_spark.storage.locations import below, literal
from rfm_spark.storage.spark_errors import FAILED, first_line


def with_lookup(
    spark: SparkSession, rows: DataFrame, input_path: str, name: str, lookup: Lookup, label: str
) -> DataFrame:
    """Rows of a source left-joined with a look-up table.

    Args:
        spark: the session.
        rows: one row per raw row of the source.
        input_path: path of the raw data folder.
        name: name of the look-up, and of the struct column that is added.
        lookup: path, format and join column of the look-up table.
        label: configuration section of the look-up, for messages.

    Returns:
        One row per raw row: all columns of `rows`, and a struct with the look-up's columns; NULL
        without a match.

    Raises:
        UserError: if the look-up cannot be read, has not the join column, or would multiply rows.
    """
    path = below(input_path, lookup.path)
    reader = spark.read.option("header", True).option("sep", lookup.delimiter).option("escape", '"')
    try:
        load_path = path if lookup.format == "delta" else below(literal(input_path), lookup.path)
        table = reader.format(lookup.format).load(load_path)
    except FAILED as error:
        raise UserError(f"[{label}] {path} cannot be read: {first_line(error)}") from None
    if name in rows.columns:
        raise UserError(f"[{label}] the source has a column '{name}' already: name it otherwise")
    for side, columns in (("the lookup", table.columns), ("the source", rows.columns)):
        if lookup.on not in columns:
            known = ", ".join(columns)
            raise UserError(f"[{label}] on: {side} has no column '{lookup.on}'; it has {known}")
    key, own_key = (
        key_text(quoted_column(lookup.on), side.schema[lookup.on].dataType)
        for side in (table, rows)
    )
    repeated = table.where(key.isNotNull()).groupBy(key).count().where("count > 1")
    try:
        is_unique = repeated.isEmpty()
    except FAILED as error:
        raise UserError(f"[{label}] {path} cannot be read: {first_line(error)}") from None
    if not is_unique:
        raise UserError(
            f"[{label}] on: '{lookup.on}' occurs more than once in {path}; rows would be "
            "multiplied: make it unique"
        )
    lookup_rows = table.select(
        key.alias("_lookup_key"),
        F.struct(*[quoted_column(column) for column in table.columns]).alias(name),
    )
    return rows.join(lookup_rows, own_key == F.col("_lookup_key"), "left").drop("_lookup_key")
