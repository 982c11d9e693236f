"""CSV dialects: what stands between and around the fields of a text, told by trying.

Every delimiter splits the text; the right one gives many fields, and as many in each row. The
Sniffer of Python's csv module looks for letters that come equally often, which times and numbers
with commas do as well.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

DELIMITERS = (",", ";", "\t", "||", "|", "~", "^", "\x01")
_TRIED_CHARACTERS = 200_000
_TRIED_HEADERS = 20
"""Rows of which one has all names: titles may stand above it."""
_TWO_CHARACTERS = "\x1f"
"""Stands for a delimiter of two characters while Python, which knows one only, splits."""


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        delimiter: between fields.
        quote: around fields that need it.
        escape: before a quote inside of a field: the quote itself, or a backslash.
        is_multiline: whether fields hold line breaks.
        skip_lines: lines above the header.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    is_multiline: bool = False
    skip_lines: int = 0

    def with_other(self, other: Dialect) -> Dialect:
        """Of two files of one delimiter: what only one of them shows holds for both."""
        usual = Dialect()
        return Dialect(
            self.delimiter,
            self.quote if self.quote != usual.quote else other.quote,
            self.escape if self.escape != usual.escape else other.escape,
            self.is_multiline or other.is_multiline,
            self.skip_lines,
        )


def dialect_of(text: str) -> Dialect:
    """The dialect by which most rows have as many fields as each other, and most of them."""
    tried = text[:_TRIED_CHARACTERS]
    dialects = [
        Dialect(delimiter, quote)
        for delimiter in DELIMITERS
        for quote in _quotes(tried, delimiter)
        if delimiter in tried
    ]
    best = max(dialects, key=lambda one: _fit(tried, one), default=Dialect())
    escaped = replace(best, escape=_escape(text, best))
    rows = split_rows(text, escaped)
    is_multiline = bool(rows) and has_line_break(rows, len(rows[0]))
    return replace(escaped, is_multiline=is_multiline)


def has_line_break(rows: Sequence[Sequence[str]], fields: int) -> bool:
    """Whether a field of a row with so many fields has a line break.

    Quotes that never close make one field of all that follows, and such a row too short.
    """
    whole = (row for row in rows if len(row) == fields)
    return any("\n" in value or "\r" in value for row in whole for value in row)


def split_rows(text: str, dialect: Dialect) -> list[list[str]]:
    """Rows of fields, blank lines left out; the last row is the text's last line, whole or not."""
    delimiter = dialect.delimiter
    if len(delimiter) > 1:
        text, delimiter = text.replace(delimiter, _TWO_CHARACTERS), _TWO_CHARACTERS
    is_doubled = dialect.escape == dialect.quote
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=dialect.quote,
        doublequote=is_doubled,
        escapechar=None if is_doubled else dialect.escape,
    )
    try:
        return [row for row in reader if row]
    except csv.Error:  # a field longer than any column of a shop: quotes that never end
        return []


def _quotes(text: str, delimiter: str) -> tuple[str, ...]:
    """Quotes that stand at both ends of fields; double ones where none do."""
    edge = rf"(?:^|{re.escape(delimiter)})'[^'\n]*'(?={re.escape(delimiter)}|\r?$)"
    return ('"', "'") if len(re.findall(edge, text, flags=re.MULTILINE)) > 1 else ('"',)


def _fit(text: str, dialect: Dialect) -> tuple[float, int]:
    """Share of rows with the usual number of fields, to a tenth, and that number."""
    rows = split_rows(text, dialect)[:1000]
    if not rows:
        return 0.0, 0
    fields, count = Counter(map(len, rows)).most_common(1)[0]
    quoted = sum(value.startswith(dialect.quote) for row in rows for value in row)
    # Of `a||b` a single bar makes an empty field between each two.
    named = max(sum(map(bool, row)) for row in rows[:_TRIED_HEADERS])
    return (round(count / len(rows), 1) if fields > 1 else 0.0), min(fields, named) - quoted


def _escape(text: str, dialect: Dialect) -> str:
    backslashes = text.count("\\" + dialect.quote)
    doubled = len(
        re.findall(rf"(?<=[^{re.escape(dialect.delimiter)}\n\r]){dialect.quote * 2}", text)
    )
    return "\\" if backslashes > doubled else dialect.quote
