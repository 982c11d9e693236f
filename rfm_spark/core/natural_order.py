"""Natural order of names: numbers in them are compared as numbers, and endings last."""

from __future__ import annotations

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

_DIGITS = 40
_ZEROS = "0" * _DIGITS
_ENDINGS = r"((?:\.[A-Za-z][A-Za-z0-9]*)+)$"


def natural_key(name: str) -> str:
    """A text by which names sort in natural order.

    Every number is written with forty digits, and what stands before the ending comes first, so
    that a second download follows the first. Names that differ only in leading zeros follow as
    texts do.

    >>> sorted(["export_10.csv", "export_9.csv", "export_09.csv"], key=natural_key)
    ['export_09.csv', 'export_9.csv', 'export_10.csv']
    >>> sorted(["orders (1).csv.gz", "orders.csv.gz"], key=natural_key)
    ['orders.csv.gz', 'orders (1).csv.gz']
    """
    parted = re.sub(_ENDINGS, "\0\\1", name)
    written = re.sub("[0-9]+", lambda number: (_ZEROS + number[0])[-_DIGITS:], parted)
    return f"{written}\0{name}"


def natural_order(name: Column) -> Column:
    """The same as a Column."""
    parted = F.regexp_replace(name, _ENDINGS, "\0$1")
    with_zeros = F.regexp_replace(parted, "([0-9]+)", f"{_ZEROS}$1")
    written = F.regexp_replace(with_zeros, f"[0-9]*([0-9]{{{_DIGITS}}})", "$1")
    return F.concat(written, F.lit("\0"), name)
