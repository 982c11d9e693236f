"""Raw files: reads the rows of deliveries through Spark, on any file system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.core.folder_values import folder_values
from rfm_spark.ingest.files.deliveries import Delivery, file_paths, files_with_rows
from rfm_spark.ingest.files.generations import (
    Generation,
    csv_reader,
    find_generations,
    text_columns,
)
from rfm_spark.ingest.files.title_lines import without_heads
from rfm_spark.ingest.files.united_columns import united_rows
from rfm_spark.ingest.rows.delivered import CORRUPT_RECORD, DELIVERY, FILE, typed_rows
from rfm_spark.ingest.rows.expressions import quoted_column
from rfm_spark.settings.sources import Source
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.locations import literal
from rfm_spark.storage.spark_errors import FAILED, first_line

_FILE_URI = "_rfm_file_uri"
_MIN_TASK_BYTES, _MAX_TASK_BYTES = 16 * 2**20, 128 * 2**20
_MAX_FILES_SHOWN = 3


@dataclass(frozen=True)
class RawRows:
    """Rows of deliveries as they were delivered.

    Attributes:
        rows: one row per raw row: DELIVERY, FILE, RAW (JSON text, with the columns of its file),
            MALFORMED (rejection reasons of its format and types), and the source's columns, NULL
            where a file lacks one.
        generations: files by their columns; a Delta table is one.
        conflicts: columns whose types in several files have none in common, with these in words;
            they are text.
    """

    rows: DataFrame
    generations: Sequence[Generation]
    conflicts: Mapping[str, str]


def read_rows(
    spark: SparkSession,
    source: Source,
    deliveries: list[Delivery],
    label: str,
    groups: Sequence[Sequence[Delivery]] = (),
    generations: Sequence[Generation] = (),
) -> RawRows:
    """Raw rows of deliveries.

    Args:
        spark: the session.
        source: source of the deliveries.
        deliveries: deliveries to read.
        label: configuration section of the source, for messages.
        groups: groups of deliveries to read instead of all, each by few tasks of its own.
        generations: of the files of all deliveries, where these have been looked at before.

    Raises:
        UserError: if a file cannot be read.
    """
    files = file_paths(source, deliveries)
    if source.format == "csv" and literal(files[0]) != files[0]:
        raise UserError(
            f"[{label}] {files[0]}: Spark cannot look up the header of a CSV file with any of "
            r"[ ] { } * ? \ in its path: rename it"
        )
    try:
        if source.format == "delta":
            [table] = deliveries
            rows = spark.read.format("delta").load(files[0])
            generations = [Generation((files[0],), rows.schema)]
            named = rows.withColumns({FILE: F.lit(table.name), DELIVERY: F.lit(table.name)})
            typed, conflicts = typed_rows(named, source.types), dict[str, str]()
        else:
            opened_files = files_with_rows(source, deliveries)
            generations = generations or find_generations(spark, source, opened_files, label)
            if problems := list(_type_problems(spark, source, generations, label)):
                raise UserError(problems)
            names = _names_of_files(spark, deliveries, generations)
            typed, conflicts = united_rows(
                {
                    one.files[0]: typed_rows(
                        without_heads(
                            _with_names(opened, names, one.folder_columns),
                            source,
                            one.heads,
                            [*one.schema.names, CORRUPT_RECORD],
                        ),
                        source.types,
                    )
                    for one in generations
                    if (opened := _open_groups(spark, source, one, groups))
                }
            )
    except FAILED as error:
        raise UserError(_cannot_be_read(label, source, files, first_line(error))) from None
    return RawRows(typed, generations, conflicts)


def _cannot_be_read(label: str, source: Source, files: Sequence[str], reason: str) -> str:
    if "TIMESTAMP(NANOS" in reason:
        reason = (
            "it has times in nanoseconds, which Spark does not read: write microseconds, with "
            "pandas to_parquet(..., coerce_timestamps='us')"
        )
    shown = ", ".join(files[:_MAX_FILES_SHOWN])
    return f"[{label}] {shown} cannot be read as {source.format}: {reason}"


def _type_problems(
    spark: SparkSession, source: Source, generations: Sequence[Generation], label: str
) -> Iterator[str]:
    """Messages on declared types that are invalid, or of columns that do not exist."""
    columns = [name for one in generations for name in one.columns]
    text_rows = spark.range(0).select(F.lit("").alias("text"))
    for name, declared in source.types.items():
        if name not in columns:
            hint = did_you_mean(name, columns)
            yield f"[{label}.types] {name}: {generations[0].files[0]} has no such column; {hint}"
        try:
            text_rows.select(F.col("text").try_cast(declared))
        except AnalysisException:
            yield (
                f"[{label}.types] {name} = {declared!r}: is no Spark type that text can be read "
                "as, such as INT, DECIMAL(12,2) or DATE"
            )


def _open_groups(
    spark: SparkSession,
    source: Source,
    generation: Generation,
    groups: Sequence[Sequence[Delivery]],
) -> list[DataFrame]:
    """Rows of the files of a generation, in as many parts as there are groups with some of them."""
    if not groups:
        return [_open_files(spark, source, generation, generation.files)]
    own = set(generation.files)
    found = [
        {file.path: file.length for item in group for file in item.files if file.path in own}
        for group in groups
    ]
    sizes = [sum(lengths.values()) for lengths in found]
    bytes_per_core = sum(sizes) // spark.sparkContext.defaultParallelism
    task_bytes = min(max(bytes_per_core, _MIN_TASK_BYTES), _MAX_TASK_BYTES)
    return [
        _open_files(spark, source, generation, list(lengths)).coalesce(1 + size // task_bytes)
        for lengths, size in zip(found, sizes, strict=True)
        if lengths
    ]


def _open_files(
    spark: SparkSession, source: Source, generation: Generation, files: Sequence[str]
) -> DataFrame:
    """Rows of files of a generation, with text columns for CSV and JSON."""
    literal_paths = [literal(file) for file in files]
    if source.format == "parquet":
        return spark.read.schema(generation.schema).parquet(*literal_paths)
    text = text_columns([*generation.schema.names, CORRUPT_RECORD])
    if source.format == "json":
        reader = spark.read.option("columnNameOfCorruptRecord", CORRUPT_RECORD)
        reader = reader.option("multiLine", generation.is_array)
        return reader.schema(text).json(literal_paths)
    # A header that differs from the first file's must not shift columns silently, and a row with
    # too many or too few values must be detected whichever columns a query reads.
    return (
        csv_reader(spark, source)
        .option("header", not generation.heads)
        .option("enforceSchema", False)
        .option("columnPruning", False)
        .option("columnNameOfCorruptRecord", CORRUPT_RECORD)
        .schema(text)
        .csv(literal_paths)
    )


def _names_of_files(
    spark: SparkSession, deliveries: Sequence[Delivery], generations: Sequence[Generation]
) -> DataFrame:
    """One row per file: its URI, FILE, DELIVERY, and what its folders say, as text."""
    told = dict.fromkeys(name for one in generations for name in one.folder_columns)
    names = [
        {_FILE_URI: file.uri, FILE: file.name, DELIVERY: delivery.name, **folder_values(file.name)}
        for delivery in deliveries
        for file in delivery.files
    ]
    return local_rows(spark, names, text_columns([_FILE_URI, FILE, DELIVERY, *told]))


def _with_names(
    parts: Sequence[DataFrame], names: DataFrame, folder_columns: Sequence[str]
) -> DataFrame:
    """Adds FILE, DELIVERY and columns of folders by a join: parsing paths of rows took longer."""
    columns = [quoted_column(name) for name in parts[0].columns]
    uri = F.col("_metadata.file_path").alias(_FILE_URI)
    rows = reduce(DataFrame.unionByName, (part.select(*columns, uri) for part in parts))
    told = names.select(_FILE_URI, FILE, DELIVERY, *map(quoted_column, folder_columns))
    return rows.join(F.broadcast(told), _FILE_URI).drop(_FILE_URI)
