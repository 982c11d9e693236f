"""Raw files: reads the rows of deliveries through Spark, on any file system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.ingest.files.deliveries import Delivery, file_paths
from rfm_spark.ingest.files.file_columns import csv_header
from rfm_spark.ingest.files.lookups import with_lookup
from rfm_spark.ingest.rows.delivered import CORRUPT_RECORD, DELIVERY, FILE, typed_rows
from rfm_spark.ingest.rows.expressions import quoted_column
from rfm_spark.settings.sources import Source
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.locations import literal
from rfm_spark.storage.spark_errors import FAILED, first_line

_MIN_TASK_BYTES, _MAX_TASK_BYTES = 16 * 2**20, 128 * 2**20
_MAX_FILES_SHOWN = 3


def read_rows(
    spark: SparkSession,
    source: Source,
    deliveries: list[Delivery],
    input_path: str,
    label: str,
    groups: Sequence[Sequence[Delivery]] = (),
) -> DataFrame:
    """Raw rows of deliveries, joined with the look-ups of their source.

    Args:
        spark: the session.
        source: source of the deliveries.
        deliveries: deliveries to read, from which the schema is inferred.
        input_path: path of the raw data folder.
        label: configuration section of the source, for messages.
        groups: groups of deliveries to read instead of all, each by few tasks of its own.

    Returns:
        One row per raw row: DELIVERY, FILE, RAW (JSON text), MALFORMED (rejection
        reasons of its format and types), the source's columns, and a struct per look-up.

    Raises:
        UserError: if a file or look-up cannot be read, or a look-up cannot be joined.
    """
    files = file_paths(source, deliveries)
    if source.format == "csv" and literal(files[0]) != files[0]:
        raise UserError(
            f"[{label}] {files[0]}: Spark cannot look up the header of a CSV file with any of "
            r"[ ] { } * ? \ in its path: rename it"
        )
    try:
        rows = _open_files(spark, source, files, label)
    except FAILED as error:
        first_files = ", ".join(files[:_MAX_FILES_SHOWN])
        reason = first_line(error)
        if "TIMESTAMP(NANOS" in reason:
            reason = (
                "it has times in nanoseconds, which Spark does not read: write microseconds, with "
                "pandas to_parquet(..., coerce_timestamps='us')"
            )
        raise UserError(
            f"[{label}] {first_files} cannot be read as {source.format}: {reason}"
        ) from None
    if source.format == "delta":
        [table] = deliveries
        named_rows = rows.withColumns({FILE: F.lit(table.name), DELIVERY: F.lit(table.name)})
    else:
        row_groups = [rows]
        if groups:
            sizes = [sum(file.length for item in group for file in item.files) for group in groups]
            bytes_per_core = sum(sizes) // spark.sparkContext.defaultParallelism
            task_bytes = min(max(bytes_per_core, _MIN_TASK_BYTES), _MAX_TASK_BYTES)
            row_groups = [
                _open_files(spark, source, file_paths(source, group), label, rows.schema).coalesce(
                    1 + size // task_bytes
                )
                for group, size in zip(groups, sizes, strict=True)
            ]
        named_rows = _with_delivery_names(spark, row_groups, deliveries)
    if problems := list(_type_problems(spark, source, named_rows.columns, files[0], label)):
        raise UserError(problems)
    typed = typed_rows(named_rows, source.types)
    for name, lookup in source.lookups.items():
        typed = with_lookup(spark, typed, input_path, name, lookup, f"{label}.lookups.{name}")
    return typed


def _open_files(
    spark: SparkSession,
    source: Source,
    files: list[str],
    label: str,
    schema: StructType | None = None,
) -> DataFrame:
    """Rows of files as Spark reads them, with text columns for CSV and JSON."""
    if source.format == "delta":
        return spark.read.format("delta").load(files[0])
    literal_paths = [literal(file) for file in files]
    if source.format == "csv":
        reader = (
            spark.read.option("sep", source.delimiter)
            .option("encoding", source.encoding)
            .option("multiLine", source.multiline)
            .option("quote", source.quote)
            .option("escape", source.escape)
        )
        if schema is None:
            schema = _string_schema([*csv_header(reader, files[0], label), CORRUPT_RECORD])
        # A header that differs from the first file's must not shift columns silently, and a row
        # with too many or too few values must be detected whichever columns a query reads.
        return (
            reader.option("header", True)
            .option("enforceSchema", False)
            .option("columnPruning", False)
            .option("columnNameOfCorruptRecord", CORRUPT_RECORD)
            .schema(schema)
            .csv(literal_paths)
        )
    if source.format == "json":
        reader = spark.read.option("columnNameOfCorruptRecord", CORRUPT_RECORD)
        return reader.schema(_string_schema([*source.types, CORRUPT_RECORD])).json(literal_paths)
    reader = spark.read.format(source.format)
    return (reader if schema is None else reader.schema(schema)).load(literal_paths)


def _type_problems(
    spark: SparkSession, source: Source, columns: list[str], file: str, label: str
) -> Iterator[str]:
    """Messages on declared types that are invalid, or of columns that do not exist."""
    source_columns = [name for name in columns if name not in (DELIVERY, FILE, CORRUPT_RECORD)]
    text_rows = spark.range(0).select(F.lit("").alias("text"))
    for name, declared in source.types.items():
        if name not in source_columns:
            hint = did_you_mean(name, source_columns)
            yield f"[{label}.types] {name}: {file} has no such column; {hint}"
        try:
            text_rows.select(F.col("text").try_cast(declared))
        except AnalysisException:
            yield (
                f"[{label}.types] {name} = {declared!r}: is no Spark type that text can be read "
                "as, such as INT, DECIMAL(12,2) or DATE"
            )


def _with_delivery_names(
    spark: SparkSession, row_groups: Sequence[DataFrame], deliveries: list[Delivery]
) -> DataFrame:
    """Adds FILE and DELIVERY by a join: parsing the path of each row took longer."""
    name_rows = [
        {"_rfm_file_uri": file.uri, FILE: file.name, DELIVERY: delivery.name}
        for delivery in deliveries
        for file in delivery.files
    ]
    delivery_names = local_rows(spark, name_rows, _string_schema(["_rfm_file_uri", FILE, DELIVERY]))
    source_columns = [quoted_column(name) for name in row_groups[0].columns]
    uri = F.col("_metadata.file_path").alias("_rfm_file_uri")
    rows = reduce(
        DataFrame.unionByName, (group.select(*source_columns, uri) for group in row_groups)
    )
    return rows.join(F.broadcast(delivery_names), "_rfm_file_uri").drop("_rfm_file_uri")


def _string_schema(columns: list[str]) -> StructType:
    return StructType([StructField(name, StringType()) for name in columns])
