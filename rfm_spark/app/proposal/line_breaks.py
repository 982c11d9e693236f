"""Line breaks inside of quotes, which a setting must allow: looked for beyond the sample."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pyarrow as pa

from rfm_spark.app.proposal.csv_dialects import Dialect, has_line_break, split_rows
from rfm_spark.app.proposal.raw_text import opened
from rfm_spark.app.proposal.sample import Sample
from rfm_spark.core.errors import UserError

MAX_BYTES = 64 * 2**20
"""Of all files of a group, uncompressed: what is looked through, in some tenths of a second."""
_NOT_SEEN = (
    f"no field of the first {MAX_BYTES >> 20} MB has a line break: where later ones have, their "
    "rows are turned away, and multiline = true reads them"
)
_BLOCK_LINES = 100
"""Lines in which a quote that opens has to close."""


def with_line_breaks(sample: Sample, files: Iterable[Path]) -> Sample:
    """A sample whose dialect allows line breaks where any of the files has one in quotes.

    Raises:
        UserError: if a file cannot be read to the end of what is looked at.
    """
    dialect = sample.dialect
    if dialect is None or dialect.is_multiline:
        return sample
    left, has_quotes = MAX_BYTES, False
    for file in files:
        try:
            with opened(file) as stream:
                head = bytes(stream.read(left))
        except (OSError, pa.ArrowException) as error:
            raise UserError(f"{file}: cannot be read: {error}") from None
        if any(has_line_break(rows, len(sample.columns)) for rows in _odd_rows(head, dialect)):
            return replace(sample, dialect=replace(dialect, is_multiline=True))
        left -= len(head)
        has_quotes = has_quotes or dialect.quote.encode() in head
        if not left:
            doubts = (_NOT_SEEN,) if has_quotes else ()
            return replace(sample, doubts=(*sample.doubts, *doubts))
    return sample


def _odd_rows(head: bytes, dialect: Dialect) -> Iterator[list[list[str]]]:
    """Rows that begin at lines with an odd number of quotes: a field's quotes may close later."""
    quote = dialect.quote.encode()
    lines = io.BytesIO(head)
    for line in lines:
        if line.count(quote) % 2:
            block = line + b"".join(islice(lines, _BLOCK_LINES))
            yield split_rows(block.decode("utf-8", errors="replace"), dialect)
