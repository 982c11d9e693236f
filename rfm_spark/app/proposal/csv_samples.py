"""Samples of CSV files: the header, the rows below it, and what keeps a file from being read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rfm_spark.app.proposal.csv_dialects import dialect_of, split_rows
from rfm_spark.app.proposal.fields import Column
from rfm_spark.app.proposal.raw_text import RawText
from rfm_spark.app.proposal.sample import MAX_ROWS, NoRows, Sample
from rfm_spark.app.proposal.times import time_format
from rfm_spark.app.proposal.title_lines import title_lines, without_lines
from rfm_spark.core.errors import UserError


def csv_sample(file: Path, raw: RawText) -> Sample:
    """The first rows of a CSV file.

    Raises:
        NoRows: if there are none below the header.
        UserError: if there is no header, or one with names that Spark would replace; it says
            which.
    """
    skipped = title_lines(raw.text)
    text = without_lines(raw.text, skipped)
    dialect = replace(dialect_of(text), skip_lines=skipped)
    rows = split_rows(text, dialect)
    if not raw.is_whole:
        rows = rows[:-1]
    if not rows:
        raise UserError(f"{file}: no rows can be told apart in it: give CSV with a header")
    _require_header(file, rows[0])
    header, *body = rows
    if not body:
        raise NoRows(f"{file}: has a header and no row, so nothing can be told of its columns")
    is_whole = raw.is_whole and len(body) <= MAX_ROWS
    doubts = [raw.doubt] if raw.doubt else []
    if skipped:
        lines = (
            "line above the header is" if skipped == 1 else f"{skipped} lines above the header are"
        )
        doubts.append(f"the {lines} not read, in any of the files")
    odd = [row for row in body if len(row) != len(header)]
    if odd:
        doubts.append(
            f"{len(odd):,} of {len(body):,} rows have not the header's {len(header)} fields: "
            "they will be turned away"
        )
    # Spark reads an empty field as NULL, and so do expressions that come before any trimming.
    read = [
        {name: value or None for name, value in zip(header, row, strict=True)}
        for row in body[:MAX_ROWS]
        if len(row) == len(header)
    ]
    if raw.encoding.startswith("UTF-16"):
        # Spark splits lines at single bytes, unless it reads whole files.
        dialect = replace(dialect, is_multiline=True)
    columns = {name: Column(name) for name in header}
    return Sample(file, "csv", columns, read, is_whole, dialect, raw.encoding, {}, tuple(doubts))


def _require_header(file: Path, first: Sequence[str]) -> None:
    """Makes sure that the first row names every column, once.

    Raises:
        UserError: if not.
    """
    if any(_looks_like_data(name) for name in first):
        raise UserError(
            f"{file}: has no header: its first line looks like a row; put the columns' names "
            "above it"
        )
    lower = [name.strip().casefold() for name in first]
    bad = [at for at, name in enumerate(lower, 1) if not name or lower.index(name) != at - 1]
    if bad:
        raise UserError(
            f"{file}: header, column {', '.join(map(str, bad))}: no name, or one that another "
            "column has (upper and lower case are the same): give each a name of its own; with "
            "pandas, write index=False"
        )


def _looks_like_data(name: str) -> bool:
    """Whether a header's field is a number, or a time."""
    text = name.strip()
    return bool(re.fullmatch(r"[-+]?[\d.,]+", text)) or time_format([text]) is not None
