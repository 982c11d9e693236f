"""Natural order of names: numbers in them are compared as numbers."""

from __future__ import annotations

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

_DIGITS = 40
_ZEROS = "0" * _DIGITS


def natural_key(name: str) -> str:
    """A text by which names sort in natural order: `export_9` before `export_10`.

    Every number is written with forty digits; names that differ only in leading zeros follow as
    texts do.

    >>> sorted(["export_10.csv", "export_9.csv", "export_09.csv"], key=natural_key)
    ['export_09.csv', 'export_9.csv', 'export_10.csv']
    """
    written = re.sub("[0-9]+", lambda number: (_ZEROS + number[0])[-_DIGITS:], name)
    return f"{written}\0{name}"


def natural_order(name: Column) -> Column:
    """The same as a Column."""
    with_zeros = F.regexp_replace(name, "([0-9]+)", f"{_ZEROS}$1")
    written = F.regexp_replace(with_zeros, f"[0-9]*([0-9]{{{_DIGITS}}})", "$1")
    return F.concat(written, F.lit("\0"), name)
