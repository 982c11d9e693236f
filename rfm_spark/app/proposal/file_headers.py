"""File headers: whether further files have the columns of one that was looked into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rfm_spark.app.proposal.csv_dialects import Dialect, split_rows
from rfm_spark.app.proposal.raw_text import read_text
from rfm_spark.app.proposal.sample import Sample
from rfm_spark.app.proposal.title_lines import without_lines
from rfm_spark.core.errors import UserError

NO_ROW = "has no row"
_HEADER_BYTES = 2**16
_SHOWN_FILES = 3


def differences(files: Iterable[Path], known: Sample) -> dict[str, list[str]]:
    """How files differ from one that is known: the names of the files by each reason.

    Lines of JSON may leave keys out and a Delta table is one thing, so neither has strangers.
    """
    found: dict[str, list[str]] = {}
    for file in files:
        if file != known.file and (reason := _difference(file, known)):
            found.setdefault(reason, []).append(file.name)
    return found


def told_files(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    others = len(names) - _SHOWN_FILES
    return ", ".join(names[:_SHOWN_FILES]) + (f" and {others:,} more" if others > 0 else "")


def _difference(file: Path, known: Sample) -> str:
    if known.format not in ("csv", "parquet"):
        return ""
    try:
        if known.format == "parquet":
            return _parquet_difference(file, known)
        return _csv_difference(file, known, known.dialect or Dialect())
    except (UserError, OSError, pa.ArrowException):
        return "cannot be read"


def _csv_difference(file: Path, known: Sample, dialect: Dialect) -> str:
    text = without_lines(read_text(file, _HEADER_BYTES).text, dialect.skip_lines)
    rows = split_rows(text, dialect)
    if len(rows) < 2:
        return NO_ROW
    if rows[0] == known.written_columns:
        return ""
    return _other_columns(known, sorted(set(rows[0]) ^ set(known.written_columns)))


def _parquet_difference(file: Path, known: Sample) -> str:
    """Columns that are missing: further ones take nothing from those that are there."""
    metadata = pq.read_metadata(file)
    if not metadata.num_rows:
        return NO_ROW
    needed = {
        name.partition(".")[0] if known.columns[name].path else name
        for name in known.written_columns
    }
    missing = sorted(needed.difference(metadata.schema.to_arrow_schema().names))
    return _other_columns(known, missing) if missing else ""


def _other_columns(known: Sample, names: Sequence[str]) -> str:
    return f"other columns than {known.file.name} ({', '.join(names) or 'their order'})"
