"""Title lines: how many lines stand above the header of a CSV text."""

from __future__ import annotations

import io
import re
from collections import Counter
from itertools import islice

from rfm_spark.app.proposal.csv_dialects import dialect_of, split_rows

_LOOKED_LINES = 200
_LEAST_FIELDS = 3
"""Of receipts: who, when and how much."""


def title_lines(text: str) -> int:
    """Lines above the header: titles have at most half the fields of most lines; 0 without them.

    A line such as `sep=;`, by which Excel is told the delimiter, is one as well.
    """
    lines = list(islice(io.StringIO(text, newline=None), _LOOKED_LINES))
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if lines and re.fullmatch("sep=.?", lines[first].strip(), flags=re.IGNORECASE):
        return first + 1 + title_lines(without_lines(text, first + 1))
    dialect = dialect_of(text)
    filled = [sum(map(bool, row)) for line in lines for row in (split_rows(line, dialect) or [[]])]
    [(usual, _)] = Counter(filter(None, filled[first + 1 :])).most_common(1) or [(0, 0)]
    if usual < _LEAST_FIELDS or filled[first] * 2 > usual:
        return 0
    return next(at for at, fields in enumerate(filled) if fields >= usual)


def without_lines(text: str, number: int) -> str:
    """The text without its first lines."""
    stream = io.StringIO(text, newline="")
    for _ in islice(stream, number):
        pass
    return stream.read()
