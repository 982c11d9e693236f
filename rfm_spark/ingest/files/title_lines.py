"""Title lines: what stands above the header of CSV files, such as a report's name and its day.

Spark has no option to skip lines, and a row does not tell where in its file it stood. So the driver
looks at the first lines of every file, as it does for the columns, and rows that say the same as
one of these are none. As no row is counted, it is right wherever Spark splits a file. A later line
that says the same as a title or the header, as in exports that were put together, is no row either.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import and_

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from rfm_spark.core.errors import UserError
from rfm_spark.ingest.files.deliveries import RawFile
from rfm_spark.ingest.rows.delivered import CORRUPT_RECORD, FILE
from rfm_spark.ingest.rows.expressions import quoted_column
from rfm_spark.settings.sources import Source
from rfm_spark.storage.gateway import JvmError, of_lines
from rfm_spark.storage.local_rows import local_rows

_MAX_HEADER_LINES = 100
"""Lines in which a quote that opens in a header has to close, and blank ones above it."""
_MAX_FILES_SHOWN = 3
_BLANKS = "".join(map(chr, range(33)))
"""Spark makes no row of a line that holds nothing else; with `multiline`, of an empty one."""

_BYTE_ORDER_MARK = "\ufeff"
_LINE = "_rfm_line"


@dataclass(frozen=True)
class Head:
    """What stands above the rows of a CSV file.

    Attributes:
        titles: records that are skipped; lines, unless a quoted field has a line break.
        header: the record that names the columns; empty where there is none.
    """

    titles: tuple[str, ...]
    header: str


def csv_options(source: Source) -> dict[str, str]:
    """How a source of CSV is written, as Spark's options."""
    return {
        "sep": source.delimiter,
        "encoding": source.encoding,
        "multiLine": str(source.multiline).lower(),
        "quote": source.quote,
        "escape": source.escape,
    }


def file_heads(
    spark: SparkSession, source: Source, files: Sequence[RawFile], label: str
) -> dict[str, Head]:
    """Titles and header of each file, by the file's name.

    Raises:
        UserError: if a file cannot be read, or has no header behind so many lines.
    """
    try:
        found = of_lines(
            spark,
            [file.path for file in files],
            source.encoding,
            lambda lines: _head(lines, source),
        )
    except JvmError as error:
        raise UserError(f"[{label}] {error}") from None
    heads = dict(zip([file.name for file in files], found, strict=True))
    if without := [name for name, head in heads.items() if not head.header]:
        shown = ", ".join(without[:_MAX_FILES_SHOWN])
        more = len(without) - _MAX_FILES_SHOWN
        raise UserError(
            f"[{label}] skip_lines = {source.skip_lines}: no header comes behind so many lines in "
            f"{shown}{f' and {more:,} more' if more > 0 else ''}; it is the number of the lines "
            "above the names of the columns"
        )
    return heads


def without_heads(
    rows: DataFrame, source: Source, heads: Mapping[str, Head], columns: Sequence[str]
) -> DataFrame:
    """Rows of files of the same columns, without those that are titles or headers.

    Args:
        rows: one row per raw row: FILE and the columns; headers are among them where `heads` are.
        source: source of the files.
        heads: of each file that has lines above its header, by FILE.
        columns: all that are read from the files, CORRUPT_RECORD among them.
    """
    if not heads:
        return rows
    lines = [
        {FILE: name, _LINE: line}
        for name, head in heads.items()
        for line in (*head.titles, head.header)
        if (line if source.multiline else line.strip(_BLANKS))
    ]
    schema = StructType([StructField(name, StringType()) for name in (FILE, _LINE)])
    # Parsed as the rows are: a title with too few or too many fields is cut in the same way.
    parsed = [f"_rfm_head_{place}" for place in range(len(columns))]
    corrupt = {"columnNameOfCorruptRecord": parsed[list(columns).index(CORRUPT_RECORD)]}
    types = ", ".join(f"{name} STRING" for name in parsed)
    record = F.from_csv(F.col(_LINE), types, csv_options(source) | corrupt)
    told = local_rows(rows.sparkSession, lines, schema).select(
        F.col(FILE).alias("_rfm_head_file"), *[record[name].alias(name) for name in parsed]
    )
    is_same = [
        F.col(alias).eqNullSafe(quoted_column(name))
        for name, alias in zip(columns, parsed, strict=True)
    ]
    of_file = F.col("_rfm_head_file") == F.col(FILE)
    return rows.join(F.broadcast(told), reduce(and_, is_same, of_file), "left_anti")


def _head(lines: Iterator[str], source: Source) -> Head:
    """The first lines of a file, as Spark takes them for records."""
    lines = (line.removeprefix(_BYTE_ORDER_MARK) for line in lines)
    count = source.skip_lines
    if not source.multiline:
        titles = tuple(islice(lines, count))
        header = next((line for line in islice(lines, _MAX_HEADER_LINES) if line.strip()), "")
        return Head(titles, header)
    records = _records(islice(lines, count + _MAX_HEADER_LINES), source)
    above: list[str] = []
    for end, record in records:
        if end > count and record.strip():
            # A quote that opens in the last lines above the header takes the header in.
            is_behind = end - record.count("\n") > count
            return Head(tuple(above), record if is_behind else "")
        above.append(record)
    return Head(tuple(above), "")


def _records(lines: Iterator[str], source: Source) -> Iterator[tuple[int, str]]:
    """Records of CSV whose fields may hold line breaks: the number of their last line, the text."""
    taken: list[str] = []

    def remembered() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line + "\n"

    is_doubled = source.escape == source.quote
    reader = csv.reader(
        remembered(),
        delimiter=source.delimiter[-1],  # only where quotes open and close is asked
        quotechar=source.quote,
        doublequote=is_doubled,
        escapechar=None if is_doubled else source.escape,
    )
    try:
        for _ in reader:
            yield reader.line_num, "\n".join(taken)
            taken.clear()
    except csv.Error:  # a field longer than any name: a quote that never closes
        return
