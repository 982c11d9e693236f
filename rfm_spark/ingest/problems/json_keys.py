"""JSON keys: declared ones that no row of a delivery has, which Spark reads as NULL."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from urllib.parse import unquote

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from rfm_spark.core.errors import UserError
from rfm_spark.ingest.files.deliveries import Delivery, file_paths
from rfm_spark.ingest.files.generations import Generation
from rfm_spark.ingest.problems.column_problems import required_fields
from rfm_spark.ingest.rows.expressions import expression_column
from rfm_spark.settings.sources import Source
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.locations import literal, plain
from rfm_spark.storage.spark_errors import FAILED, first_line

_MIN_SIMILARITY = 0.8
_MAX_DELIVERIES_SHOWN = 3
_MAX_OTHERS = 1_000
_MARK = "^\\uFEFF"
"""What Windows puts in front of UTF-8."""
_SECOND_ARRAY = r"\]\s*\n\s*[\[{]|\}\s*\]\s*\[\s*\{"
"""What begins behind the first array, and Spark passes over; JSON has no line break in texts."""
_FILE_NAMES = StructType([StructField(name, StringType()) for name in ("uri", "delivery")])


@dataclass(frozen=True)
class AbsentKey:
    """A declared key that no row of some deliveries has.

    Attributes:
        name: the key.
        deliveries: names of the deliveries, in their order.
        similar: a key of one of them that is not declared and spelled much like it; None without.
    """

    name: str
    deliveries: tuple[str, ...]
    similar: str | None

    @property
    def told(self) -> str:
        """Where it is not, and what may be meant."""
        shown = ", ".join(self.deliveries[:_MAX_DELIVERIES_SHOWN])
        more = len(self.deliveries) - _MAX_DELIVERIES_SHOWN
        told = f"{self.name}: no row of {shown}{f' and {more} more' if more > 0 else ''} has it"
        if self.similar is None:
            return f"{told}, so it is NULL there"
        return f"{told}; did you mean '{self.similar}'? Where there are both, declare both"


def absent_keys(
    spark: SparkSession,
    source: Source,
    deliveries: Sequence[Delivery],
    generations: Sequence[Generation],
    label: str,
) -> list[AbsentKey]:
    """Declared keys that no row of a delivery of JSON has, ordered by name.

    A line may leave out what has no value, so one line alone tells nothing.

    Args:
        spark: the session.
        source: source with the declared column types.
        deliveries: deliveries whose files are read, as text.
        generations: of these files, perhaps among others.
        label: configuration section of the source, for messages.

    Raises:
        UserError: if a file cannot be read, or is an array that is not whole, or not of objects.
    """
    files = file_paths(source, deliveries)
    file_rows = [
        {"uri": file.uri, "delivery": item.name} for item in deliveries for file in item.files
    ]
    names = local_rows(spark, file_rows, _FILE_NAMES)
    arrays = {file for one in generations if one.is_array for file in one.files}
    keys = (
        _objects(spark, files, arrays)
        .select("uri", F.explode(F.json_object_keys("value")).alias("key"))
        .distinct()
        .join(F.broadcast(names), "uri")
        .groupBy("delivery")
        .agg(F.collect_set("key").alias("keys"))
    )
    declared = F.array(*[F.lit(name) for name in source.types])
    absent = keys.select(
        "delivery",
        F.array_except(declared, "keys").alias("absent"),
        F.slice(F.sort_array(F.array_except("keys", declared)), 1, _MAX_OTHERS).alias("others"),
    ).where(F.size("absent") > 0)
    try:
        _require_whole_arrays(spark, [file for file in files if file in arrays], label)
        found = absent.orderBy("delivery").collect()
    except FAILED as error:
        raise UserError(
            f"[{label}] {files[0]} cannot be read as json: {first_line(error)}"
        ) from None
    return [
        _absent_key(name, found) for name in sorted({n for row in found for n in row["absent"]})
    ]


def _require_whole_arrays(spark: SparkSession, files: Sequence[str], label: str) -> None:
    """Makes sure that files of one array are whole: Spark would take others for one malformed row.

    Raises:
        UserError: naming a file that is not.
    """
    if not files:
        return
    is_broken = (
        _listed().isNull()
        | F.exists(_listed(), lambda one: F.json_object_keys(one).isNull())
        | F.col("value").rlike(_SECOND_ARRAY)
    )
    whole = spark.read.text([literal(file) for file in files], wholetext=True)
    broken = whole.where(is_broken).select(F.col("_metadata.file_path").alias("uri")).collect()
    for file in sorted(plain(unquote(row["uri"])) for row in broken):
        raise UserError(
            f"[{label}] {file}: begins as a JSON array, and is not one whole array of objects"
        )


def _listed() -> Column:
    """The objects of a file that is one array, as text; NULL where it is not whole."""
    return F.from_json(F.regexp_replace("value", _MARK, ""), "array<string>")


def _objects(spark: SparkSession, files: Sequence[str], arrays: Collection[str]) -> DataFrame:
    """Text of each object (`value`) with the URI of its file (`uri`)."""
    uri = F.col("_metadata.file_path").alias("uri")
    parts = []
    if lines := [literal(file) for file in files if file not in arrays]:
        parts.append(spark.read.text(lines).select(uri, "value"))
    if whole := [literal(file) for file in files if file in arrays]:
        listed = F.explode(_listed()).alias("value")
        parts.append(spark.read.text(whole, wholetext=True).select(uri, listed))
    return reduce(DataFrame.unionByName, parts)


def key_problems(
    rows: DataFrame, source: Source, absent: Sequence[AbsentKey], label: str, is_first_load: bool
) -> tuple[list[str], list[str]]:
    """What is wrong with a source whose deliveries lack keys, and what is worth a look.

    A key that is likely to be called otherwise now is wrong where ids, times, money or predicates
    need it: all receipts of a night would be those of guests. Before a source has brought anything
    it is a mistake of the configuration whatever needs it. Others may just have had no value.

    Args:
        rows: one row per raw row, with the declared columns and the look-ups.
        source: source with the configured expressions.
        absent: `absent_keys` of its deliveries.
        label: configuration section of the source, for messages.
        is_first_load: whether nothing of the source has been taken in.

    Returns:
        The problems, and the notes.
    """
    problems: list[str] = []
    notes: list[str] = []
    for key in absent:
        is_wrong = key.similar is not None and (is_first_load or _is_needed(rows, source, key.name))
        (problems if is_wrong else notes).append(f"[{label}.types] {key.told}")
    return problems, notes


def _absent_key(name: str, found: Sequence[Row]) -> AbsentKey:
    without = [row for row in found if name in row["absent"]]
    others = {key.lower(): key for row in without for key in row["others"]}
    similar = difflib.get_close_matches(name.lower(), others, n=1, cutoff=_MIN_SIMILARITY)
    return AbsentKey(
        name,
        tuple(row["delivery"] for row in without),
        others[similar[0]] if similar else None,
    )


def _is_needed(rows: DataFrame, source: Source, key: str) -> bool:
    """Whether a field that cannot be empty, or a predicate, names a column."""
    if key in {lookup.on for lookup in source.lookups.values()}:
        return True
    without = rows.drop(key)
    texts = [*source.reject.values(), *([source.where] if source.where is not None else [])]
    for field in required_fields(source).values():
        texts += [field] if isinstance(field, str) else field or []
    return any(_fails(without, text) for text in texts)


def _fails(rows: DataFrame, text: str) -> bool:
    try:
        rows.select(expression_column(text, rows.columns))
    except AnalysisException:
        return True
    return False
