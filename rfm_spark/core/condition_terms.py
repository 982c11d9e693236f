"""What conditions are made of: columns of Spark, or arrays of Arrow for rows that are here.

Both follow SQL, where a comparison with what is missing is unknown; `tests/test_written_conditions`
holds that they take the same rows.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column
from pyspark.sql import functions as F

Path = tuple[str, ...]
"""What is looked at: `("frequency",)`, or a key of a map: `("attributes", "city")`."""

Value = int | float | str | date
Term = TypeVar("Term")
Comparison = Callable[[Any, Any], Any]
"""Of the module `operator`: `eq`, `ne`, `lt`, `le`, `gt` or `ge`."""


class Terms(Protocol[Term]):
    """How to make a condition."""

    def value(self, path: Path) -> Term:
        """What is looked at."""

    def number(self, text: Term) -> Term:
        """The finite number that a text is as Java reads it; unknown for any other text."""

    def is_missing(self, value: Term) -> Term:
        """Whether there is no value."""

    def compared(self, value: Term, comparison: Comparison, other: Value) -> Term:
        """A value beside a given one."""

    def is_in(self, value: Term, others: Sequence[Value]) -> Term:
        """Whether a value is one of those given."""

    def negated(self, part: Term) -> Term:
        """Not."""

    def both(self, one: Term, other: Term) -> Term:
        """And."""

    def either(self, one: Term, other: Term) -> Term:
        """Or."""

    def is_met(self, whole: Term) -> Term:
        """False where it is unknown."""


class SparkTerms:
    """Columns.

    Args:
        column_of: the column of a path.
    """

    def __init__(self, column_of: Callable[[Path], Column]) -> None:
        self._column_of = column_of

    def value(self, path: Path) -> Column:
        """The column of a path."""
        return self._column_of(path)

    def number(self, text: Column) -> Column:
        """As Spark casts it."""
        number = text.try_cast("double")
        # NaN is above all numbers, for Spark.
        return F.when(F.abs(number) < float("inf"), number)

    def is_missing(self, value: Column) -> Column:
        """NULL."""
        return value.isNull()

    def compared(self, value: Column, comparison: Comparison, other: Value) -> Column:
        """With a literal."""
        compared: Column = comparison(value, F.lit(other))
        return compared

    def is_in(self, value: Column, others: Sequence[Value]) -> Column:
        """In a list of literals."""
        return value.isin(list(others))

    def negated(self, part: Column) -> Column:
        """Not."""
        return ~part

    def both(self, one: Column, other: Column) -> Column:
        """And."""
        return one & other

    def either(self, one: Column, other: Column) -> Column:
        """Or."""
        return one | other

    def is_met(self, whole: Column) -> Column:
        """False for NULL."""
        return F.coalesce(whole, F.lit(False))


_IN_ARROW: Mapping[Comparison, Callable[[pa.Array, pa.Scalar], pa.Array]] = {
    operator.eq: pc.equal,
    operator.ne: pc.not_equal,
    operator.lt: pc.less,
    operator.le: pc.less_equal,
    operator.gt: pc.greater,
    operator.ge: pc.greater_equal,
}
_JAVA_DECIMAL = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?")
_JAVA_HEXADECIMAL = re.compile(
    r"([+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+)[fFdD]?"
)
_JAVA_SPACE = "".join(map(chr, range(ord(" ") + 1)))


class ArrowTerms:
    """Arrays, of rows that are here.

    Args:
        rows: columns of numbers, texts, days, truths, and maps of these or of structs of these.
    """

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows

    def value(self, path: Path) -> pa.Array:
        """What a column holds, under a key where it is a map, in a field of what it holds."""
        value = self._rows[path[0]].combine_chunks()
        for key in path[1:]:
            is_map = pa.types.is_map(value.type)
            value = pc.map_lookup(value, key, "first") if is_map else pc.struct_field(value, key)
        return value

    def number(self, text: pa.Array) -> pa.Array:
        """As Java reads it."""
        return pa.array(map(java_number, text.to_pylist()), pa.float64())

    def is_missing(self, value: pa.Array) -> pa.Array:
        """Null, which NaN is not."""
        return pc.is_null(value)

    def compared(self, value: pa.Array, comparison: Comparison, other: Value) -> pa.Array:
        """With a scalar; NaN is above all numbers, as it is for Spark."""
        left, [right] = _alike(value, [other])
        found = _IN_ARROW[comparison](left, right)
        if pa.types.is_floating(left.type) and comparison in (operator.gt, operator.ge):
            found = pc.or_kleene(found, pc.is_nan(left))
        return found

    def is_in(self, value: pa.Array, others: Sequence[Value]) -> pa.Array:
        """In some scalars: unknown for null, unless there are none."""
        if not others:
            return pa.repeat(pa.scalar(False), len(value))
        left, right = _alike(value, others)
        found = pc.is_in(left, value_set=right)
        return pc.if_else(pc.is_valid(left), found, pa.scalar(None, pa.bool_()))

    def negated(self, part: pa.Array) -> pa.Array:
        """Not."""
        return pc.invert(part)

    def both(self, one: pa.Array, other: pa.Array) -> pa.Array:
        """And."""
        return pc.and_kleene(one, other)

    def either(self, one: pa.Array, other: pa.Array) -> pa.Array:
        """Or."""
        return pc.or_kleene(one, other)

    def is_met(self, whole: pa.Array) -> pa.Array:
        """False for null."""
        return pc.fill_null(whole, False)


def java_number(text: str | None) -> float | None:
    r"""The finite number that a text is for Java's `Double.parseDouble`; None for any other.

    >>> [java_number(text) for text in (" 1e3\n", "2d", "0x1p4", "1_000", "NaN", "1e999", "")]
    [1000.0, 2.0, 16.0, None, None, None, None]
    """
    written = (text or "").strip(_JAVA_SPACE)
    if found := _JAVA_DECIMAL.fullmatch(written):
        number = float(found[1])
    elif found := _JAVA_HEXADECIMAL.fullmatch(written):
        try:
            number = float.fromhex(found[1])
        except OverflowError:
            return None
    else:
        return None
    return number if abs(number) < float("inf") else None


def _alike(value: pa.Array, others: Sequence[Value]) -> tuple[pa.Array, pa.Array]:
    """Both sides of one type: whole numbers stay whole unless there is a fraction."""
    kind = value.type
    if pa.types.is_integer(kind):
        kind = pa.float64() if any(isinstance(one, float) for one in others) else pa.int64()
    if pa.types.is_floating(kind):
        others = [float(one) for one in others if isinstance(one, int | float)]
        # Numbers of more than 53 bits are rounded, as Spark does.
        return pc.cast(value, pa.float64(), safe=False), pa.array(others, pa.float64())
    return pc.cast(value, kind), pa.array(others, kind)
