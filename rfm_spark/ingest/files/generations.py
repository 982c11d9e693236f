"""Generations of files: those of the same columns are read together, then united by name.

Spark reads many files with the columns of one of them: what others call otherwise is NULL to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql.types import StringType, StructField, StructType

from rfm_spark.core.errors import UserError
from rfm_spark.core.folder_values import folder_values
from rfm_spark.ingest.files.deliveries import RawFile
from rfm_spark.ingest.files.title_lines import Head, csv_options, file_heads
from rfm_spark.settings.sources import Source
from rfm_spark.storage.gateway import (
    JvmError,
    csv_of_texts,
    first_letters,
    first_lines,
    parquet_schemas,
)
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.locations import literal

_ARRAY = "["
_MAX_GENERATIONS = 200
"""Each is a branch of the plan: files that all differ are a mistake."""


@dataclass(frozen=True)
class Generation:
    """Files of a source that have the same columns.

    Attributes:
        files: paths, in the order of deliveries.
        schema: the columns as Spark reads them; of CSV and JSON all are text.
        folder_columns: columns that only the names of folders tell, such as `store=north`.
        is_array: of JSON, whether each file is one array of objects, and not an object a line.
        heads: of CSV with lines above its header: the names of files, to what no row is made of.
    """

    files: tuple[str, ...]
    schema: StructType
    folder_columns: tuple[str, ...] = ()
    is_array: bool = False
    heads: Mapping[str, Head] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Names of all columns."""
        return [*self.schema.names, *self.folder_columns]

    def missing(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Those of some columns that the files lack, whatever case names are in."""
        present = {name.casefold() for name in self.columns}
        return tuple(name for name in columns if name.casefold() not in present)


def find_generations(
    spark: SparkSession, source: Source, files: Sequence[RawFile], label: str
) -> list[Generation]:
    """Generations of files, in the order of the first file of each.

    What tells them apart is read from every file: the header of CSV, the footer of Parquet, whether
    JSON begins with a bracket: it has the columns that are declared. All have those that the names
    of their folders tell.

    Args:
        spark: the session.
        source: source of the files, which is no Delta table.
        files: the files.
        label: configuration section of the source, for messages.

    Raises:
        UserError: if a file cannot be read, a column has no name or that of another one, or nearly
            every file has columns of its own.
    """
    paths = [file.path for file in files]
    heads: Mapping[str, Head] = {}
    try:
        if source.skip_lines:
            heads = file_heads(spark, source, files, label)
            signs = [heads[file.name].header for file in files]
        elif source.format == "csv":
            signs = first_lines(spark, paths, source.encoding)
        elif source.format == "parquet":
            signs = parquet_schemas(spark, paths)
        else:
            signs = first_letters(spark, paths, "UTF-8")
            signs = [_ARRAY if sign == _ARRAY else "" for sign in signs]
    except JvmError as error:
        raise UserError(f"[{label}] {error}") from None
    alike: dict[tuple[str, tuple[str, ...]], list[RawFile]] = {}
    for file, sign in zip(files, signs, strict=True):
        alike.setdefault((sign, tuple(folder_values(file.name))), []).append(file)
    if len(alike) > _MAX_GENERATIONS:
        raise UserError(
            f"[{label}] {len(alike):,} of {len(files):,} files have columns that no other has, or "
            "in another order: is the path's pattern too wide, or a first line no header?"
        )
    return [
        _generation(
            [file.path for file in group],
            _schema(spark, source, group[0], heads.get(group[0].name), label),
            told,
            is_array=source.format == "json" and sign == _ARRAY,
            heads={file.name: heads[file.name] for file in group if heads},
        )
        for (sign, told), group in alike.items()
    ]


def csv_reader(spark: SparkSession, source: Source) -> DataFrameReader:
    """A reader with the options of a source of CSV."""
    return spark.read.options(**csv_options(source))


def text_columns(names: Iterable[str]) -> StructType:
    """Columns of text."""
    return StructType([StructField(name, StringType()) for name in names])


def _generation(
    files: Sequence[str],
    schema: StructType,
    told: Iterable[str],
    *,
    is_array: bool,
    heads: Mapping[str, Head],
) -> Generation:
    """What is in the files counts before what their folders are called."""
    present = {name.casefold() for name in schema.names}
    of_folders = tuple(name for name in told if name.casefold() not in present)
    return Generation(tuple(files), schema, of_folders, is_array, heads)


def _schema(
    spark: SparkSession, source: Source, file: RawFile, head: Head | None, label: str
) -> StructType:
    if source.format == "json":
        return text_columns(source.types)
    if source.format == "csv":
        header = None
        if head is not None:
            header = local_rows(spark, [{"value": head.header}], text_columns(["value"]))
        return text_columns(_csv_header(csv_reader(spark, source), header, file.path, label))
    return spark.read.format(source.format).load([literal(file.path)]).schema


def _csv_header(
    reader: DataFrameReader, header: DataFrame | None, file: str, label: str
) -> list[str]:
    """Column names of a CSV file, from its header.

    Args:
        reader: with the options of its source.
        header: one row, the header as text, where lines stand above it; None where it comes first.
        file: the file's path.
        label: configuration section of the source, for messages.

    Raises:
        UserError: if a column has no name or a duplicate one, which Spark would replace.
    """

    def read(with_header: bool) -> DataFrame:
        options = reader.option("header", with_header)
        return options.csv(literal(file)) if header is None else csv_of_texts(options, header)

    columns = read(with_header=True).columns
    if any(name.endswith(str(position)) for position, name in enumerate(columns)):
        written_names = read(with_header=False).first() or columns
        if len(columns) > 1 and len([name for name in written_names if name]) == 1:
            raise UserError(
                f"[{label}] {file}: its header has one value where other lines have more: a title "
                "is no header; say by skip_lines how many lines stand above the columns' names"
            )
        pairs = enumerate(zip(written_names, columns, strict=True), 1)
        # Columns by position, not name: without a header, the first line is a row of data.
        if positions := [str(position) for position, (written, name) in pairs if written != name]:
            raise UserError(
                f"[{label}] {file}: header, column {', '.join(positions)}: no name, or one that "
                "another column has (upper and lower case are the same): give each a name of its "
                "own; with pandas, write index=False"
            )
    return columns
