"""Raw files: found and opened through Spark, so that any file system it knows will do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from hashlib import sha256

from delta.tables import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.ingest.files.file_columns import header
from rfm_spark.ingest.files.lookups import with_lookup
from rfm_spark.ingest.rows.delivered import DELIVERY, FILE, UNREADABLE_TEXT, column, typed_rows
from rfm_spark.settings.sources import DATE, Lookup, Source
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.locations import below, literal, plain, relative
from rfm_spark.storage.spark_errors import FAILED, first_line

_LEAST_TASK_BYTES, _TASK_BYTES = 16 * 2**20, 128 * 2**20
_FILES_SHOWN = 3


@dataclass(frozen=True)
class RawFile:
    """A file of raw data.

    Attributes:
        uri: as Spark names it in a row's metadata.
        path: as Hadoop opens it.
        name: relative to the input.
        length: in bytes.
    """

    uri: str
    path: str
    name: str
    length: int


@dataclass(frozen=True)
class Delivery:
    """One batch of raw data.

    Attributes:
        name: file or folder, relative to the input; deliveries are in the order of their names.
        files: its files.
        fingerprint: changes whenever a file does.
    """

    name: str
    files: tuple[RawFile, ...]
    fingerprint: str


def find_deliveries(
    spark: SparkSession,
    source: Source | Lookup,
    place: str,
    label: str,
    night: date | None = None,
) -> list[Delivery]:
    """The batches a source's path finds, in order.

    Args:
        spark: the session.
        source: where they lie; `{date}` in its path stands for the night's day.
        place: the input.
        label: of the source, for messages.
        night: the day; None for all of them.

    Raises:
        UserError: if there are none, or they cannot be listed.
    """
    asked = source.path
    if isinstance(source, Source):
        asked = asked.replace(DATE, "*" if night is None else night.isoformat())
    path = below(place, asked)
    if source.format == "delta":
        if not DeltaTable.isDeltaTable(spark, path):
            raise UserError(f"[{label}] path: {path} is not a Delta table")
        newest = DeltaTable.forPath(spark, path).history(1).select("version").collect()
        table = RawFile(path, path, asked, 0)
        return [Delivery(asked, (table,), str(newest[0]["version"]))]
    listing = spark.read.format("binaryFile").option("recursiveFileLookup", True)
    try:
        found = (
            listing.load(below(literal(place), asked))
            .select(
                "_metadata.file_path",
                "path",
                "length",
                # Not as a time, which Python would tell in the zone of this machine.
                F.unix_micros("modificationTime").alias("changed"),
            )
            # Or else every few files would be a task, for a look at each.
            .coalesce(spark.sparkContext.defaultParallelism)
            .collect()
        )
    except FAILED as error:
        if isinstance(error, AnalysisException) and error.getCondition() == "PATH_NOT_FOUND":
            raise UserError(f"[{label}] path: no file matches {path}") from None
        raise UserError(f"[{label}] path: {path} cannot be listed: {first_line(error)}") from None
    if not found and night is not None:
        return []  # nothing happened that day
    if not found:
        raise UserError(f"[{label}] path: every file that matches {path} is empty")
    by_name: dict[str, list[tuple[RawFile, int]]] = {}
    for row in found:
        path = plain(row["path"])
        file = RawFile(row["file_path"], path, relative(path, place), int(row["length"]))
        folder = file.name.rpartition("/")[0] or "."
        by_folder = isinstance(source, Source) and source.delivery == "folder"
        name = folder if by_folder else file.name
        by_name.setdefault(name, []).append((file, row["changed"]))
    return [_delivery(name, facts) for name, facts in sorted(by_name.items())]


def read_rows(
    spark: SparkSession,
    source: Source,
    deliveries: list[Delivery],
    place: str,
    label: str,
    groups: Sequence[Sequence[Delivery]] = (),
) -> DataFrame:
    """The raw rows of some deliveries, with the lookups' columns beside them.

    Args:
        spark: the session.
        source: where they lie.
        deliveries: to be read.
        place: the input.
        label: of the source, for messages.
        groups: those to be read, if not all; of a group by tasks of their own, as few as there
            are files of it to write. Without groups Spark divides all files at its will.

    Returns:
        One row per raw row: `_delivery`, `_file`, `_raw` (JSON text), `_malformed` (why the row
        could not be read as its format or types say), the source's columns, a struct per lookup.

    Raises:
        UserError: if a file cannot be read, or a lookup does not fit.
    """
    files = paths_of(source, deliveries)
    if source.format == "csv" and literal(files[0]) != files[0]:
        raise UserError(
            f"[{label}] {files[0]}: Spark cannot look up the header of a CSV file with any of "
            r"[ ] { } * ? \ in its path: rename it"
        )
    try:
        rows = _opened(spark, source, files, label)
    except FAILED as error:
        shown = ", ".join(files[:_FILES_SHOWN])
        raise UserError(
            f"[{label}] {shown} cannot be read as {source.format}: {first_line(error)}"
        ) from None
    if source.format == "delta":
        [one] = deliveries
        named = rows.withColumns({FILE: F.lit(one.name), DELIVERY: F.lit(one.name)})
    else:
        parts = [rows]
        if groups:
            sizes = [sum(file.length for one in group for file in one.files) for group in groups]
            share = sum(sizes) // spark.sparkContext.defaultParallelism
            of_task = min(max(share, _LEAST_TASK_BYTES), _TASK_BYTES)
            parts = [
                _opened(spark, source, paths_of(source, group), label, rows.schema).coalesce(
                    1 + size // of_task
                )
                for group, size in zip(groups, sizes, strict=True)
            ]
        named = _with_delivery(spark, parts, deliveries)
    if problems := list(_type_problems(spark, source, named.columns, files[0], label)):
        raise UserError(problems)
    typed = typed_rows(named, source.types)
    for name, lookup in source.lookups.items():
        typed = with_lookup(spark, typed, place, name, lookup, f"{label}.lookups.{name}")
    return typed


def lookups_fingerprint(spark: SparkSession, source: Source, place: str, label: str) -> str:
    """Changes whenever a look-up table of the source does; empty without look-ups."""
    found = [
        one.fingerprint
        for name, lookup in source.lookups.items()
        for one in find_deliveries(spark, lookup, place, f"{label}.lookups.{name}")
    ]
    return sha256(repr(found).encode()).hexdigest()[:16] if found else ""


def paths_of(source: Source, deliveries: Sequence[Delivery]) -> list[str]:
    """The files of deliveries, as Hadoop opens them; of text those that hold some."""
    found = [file for delivery in deliveries for file in delivery.files]
    if source.format in ("csv", "json"):
        # An empty file has no rows, and no header to learn the columns from.
        found = [file for file in found if file.length > 0] or found
    return [file.path for file in found]


def _opened(
    spark: SparkSession,
    source: Source,
    files: list[str],
    label: str,
    schema: StructType | None = None,
) -> DataFrame:
    if source.format == "delta":
        return spark.read.format("delta").load(files[0])
    opened = [literal(file) for file in files]
    if source.format == "csv":
        reader = (
            spark.read.option("sep", source.delimiter)
            .option("encoding", source.encoding)
            .option("multiLine", source.multiline)
            .option("escape", '"')
        )
        if schema is None:
            schema = _text_schema([*header(reader, files[0], label), UNREADABLE_TEXT])
        # A header that differs from the first file's must not shift columns silently, and a row
        # with too many or too few values must show whichever columns a query needs.
        return (
            reader.option("header", True)
            .option("enforceSchema", False)
            .option("columnPruning", False)
            .option("columnNameOfCorruptRecord", UNREADABLE_TEXT)
            .schema(schema)
            .csv(opened)
        )
    if source.format == "json":
        reader = spark.read.option("columnNameOfCorruptRecord", UNREADABLE_TEXT)
        return reader.schema(_text_schema([*source.types, UNREADABLE_TEXT])).json(opened)
    reader = spark.read.format(source.format)
    return (reader if schema is None else reader.schema(schema)).load(opened)


def _type_problems(
    spark: SparkSession, source: Source, columns: list[str], file: str, label: str
) -> Iterator[str]:
    """Declared types that are none, or of columns that are not there."""
    own = [name for name in columns if name not in (DELIVERY, FILE, UNREADABLE_TEXT)]
    text = spark.range(0).select(F.lit("").alias("text"))
    for name, declared in source.types.items():
        if name not in own:
            hint = did_you_mean(name, own)
            yield f"[{label}.types] {name}: {file} has no such column; {hint}"
        try:
            text.select(F.col("text").try_cast(declared))
        except AnalysisException:
            yield (
                f"[{label}.types] {name} = {declared!r}: is no Spark type that text can be read "
                "as, such as INT, DECIMAL(12,2) or DATE"
            )


def _delivery(name: str, facts: list[tuple[RawFile, int]]) -> Delivery:
    ordered = sorted(facts, key=lambda fact: fact[0].name)
    told = repr([(file.name, file.length, changed) for file, changed in ordered])
    files = tuple(file for file, _ in ordered)
    return Delivery(name, files, sha256(told.encode()).hexdigest()[:16])


def _with_delivery(
    spark: SparkSession, parts: Sequence[DataFrame], deliveries: list[Delivery]
) -> DataFrame:
    """Names each row's file and delivery by a join: decoding its path took longer than the rest."""
    listed = [
        {"_file_uri": file.uri, FILE: file.name, DELIVERY: one.name}
        for one in deliveries
        for file in one.files
    ]
    names = local_rows(spark, listed, _text_schema(["_file_uri", FILE, DELIVERY]))
    own = [column(name) for name in parts[0].columns]
    uri = F.col("_metadata.file_path").alias("_file_uri")
    rows = reduce(DataFrame.unionByName, (part.select(*own, uri) for part in parts))
    return rows.join(F.broadcast(names), "_file_uri").drop("_file_uri")


def _text_schema(columns: list[str]) -> StructType:
    return StructType([StructField(name, StringType()) for name in columns])
