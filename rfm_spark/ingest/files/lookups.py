"""Look-ups: small tables whose columns stand beside a source's own."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.ingest.rows.delivered import column
from rfm_spark.settings.sources import Lookup
from rfm_spark.storage.locations import below, literal
from rfm_spark.storage.spark_errors import FAILED, first_line


def with_lookup(
    spark: SparkSession, rows: DataFrame, place: str, name: str, lookup: Lookup, label: str
) -> DataFrame:
    """Rows with a look-up's columns beside them, in a struct of its name; NULL where none fits.

    Args:
        spark: the session.
        rows: of the source.
        place: the input.
        name: of the look-up.
        lookup: where it lies.
        label: of the look-up, for messages.

    Raises:
        UserError: if it cannot be read, does not fit, or would multiply rows.
    """
    path = below(place, lookup.path)
    reader = spark.read.option("header", True).option("sep", lookup.delimiter).option("escape", '"')
    try:
        opened = path if lookup.format == "delta" else below(literal(place), lookup.path)
        table = reader.format(lookup.format).load(opened)
    except FAILED as error:
        raise UserError(f"[{label}] {path} cannot be read: {first_line(error)}") from None
    if name in rows.columns:
        raise UserError(f"[{label}] the source has a column '{name}' already: name it otherwise")
    for side, columns in (("the lookup", table.columns), ("the source", rows.columns)):
        if lookup.on not in columns:
            known = ", ".join(columns)
            raise UserError(f"[{label}] on: {side} has no column '{lookup.on}'; it has {known}")
    key = column(lookup.on)
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
    beside = table.select(
        key.cast("string").alias("_lookup_key"),
        F.struct(*[column(one) for one in table.columns]).alias(name),
    )
    matches = column(lookup.on).cast("string") == F.col("_lookup_key")
    return rows.join(beside, matches, "left").drop("_lookup_key")
