"""Filters: conditions on a customer's values and attributes that decide who is scored.

A condition is written as Python writes it, read by Python's own parser, and made of columns one
comparison at a time: nothing of it is ever run, or pasted into SQL.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.bigint import BIGINT_MAX, BIGINT_MIN
from rfm_spark.core.errors import did_you_mean

NUMBERS = ("recency_days", "frequency", "value", "monetary_cents")
"""Values of a profile that a condition can name; everything else is an attribute: a text."""

MOST_PARTS, MOST_VALUES = 300, 1_000
"""Names and operators of a condition, and values it compares with: plans are no larger."""

_EQUALITIES: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    **_EQUALITIES,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EXAMPLE = "write it as frequency < 200 and country in ['UK', 'FR']"


@dataclass(frozen=True)
class _Operand:
    """What stands on the left of a comparison: `frequency`, `city` or `number(age)`.

    Attributes:
        name: of a value or an attribute.
        is_attribute: an attribute, not a value of the profile.
        is_number: whether it is compared with numbers; otherwise with texts.
    """

    name: str
    is_attribute: bool
    is_number: bool


@dataclass(frozen=True)
class Filter:
    """A condition that a scored customer meets; one that cannot be told is not met.

    Attributes:
        text: such as `frequency < 200 and country != 'UK' and number(age) >= 18`. An attribute
            with the name of a value or of a word of Python is `attributes['class']`.
    """

    text: str

    def problems(self, attributes: Collection[str]) -> list[str]:
        """What is wrong with the condition, a line each.

        Args:
            attributes: names of those that the shop has.

        >>> Filter("frequency < 'many'").problems([])
        ["'frequency' is a number, and is compared with a text"]
        >>> Filter("colour == 'red'").problems(["country"])
        ["'colour' is neither a value nor an attribute; did you mean 'country'?"]
        >>> Filter("frequency < 200 or country in ['UK']").problems(["country"])
        []
        """
        try:
            condition = self._parsed
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return [f"cannot be read as a condition: {_EXAMPLE}"]
        nodes = list(ast.walk(condition))
        values = sum(isinstance(node, ast.Constant) for node in nodes)
        if values > MOST_VALUES or len(nodes) - values > MOST_PARTS:
            return [
                f"is longer than {MOST_VALUES:,} values or {MOST_PARTS:,} names and operators: "
                "make an attribute that tells it"
            ]
        return list(_problems(condition, attributes))

    @property
    def attributes(self) -> list[str]:
        """Names of the attributes it looks at, for a condition without problems."""
        compared = (node for node in ast.walk(self._parsed) if isinstance(node, ast.Compare))
        operands = (_operand(node.left) for node in compared)
        return sorted({one.name for one in operands if one is not None and one.is_attribute})

    def condition(self, values: Mapping[str, Column], attributes: Mapping[str, Column]) -> Column:
        """Whether a row meets it.

        Args:
            values: of NUMBERS.
            attributes: of `attributes`.
        """
        return F.coalesce(_column(self._parsed, values, attributes), F.lit(False))

    @cached_property
    def _parsed(self) -> ast.expr:
        return ast.parse(self.text.strip(), mode="eval").body


def _operand(node: ast.expr) -> _Operand | None:
    """The left side of a comparison; None for what is none."""
    match node:
        case ast.Call(func=ast.Name(id="number"), args=[inner], keywords=[]):
            found = _operand(inner)
            is_text = found is not None and not found.is_number
            return _Operand(found.name, True, True) if found and is_text else None
        case ast.Subscript(value=ast.Name(id="attributes"), slice=ast.Constant(value=str(name))):
            return _Operand(name, True, False)
        case ast.Name(id=name):
            return _Operand(name, name not in NUMBERS, name in NUMBERS)
    return None


def _problems(node: ast.expr, attributes: Collection[str]) -> Iterator[str]:
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _problems(part, attributes)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _problems(node.operand, attributes)
    elif isinstance(node, ast.Compare) and (operand := _operand(node.left)) is not None:
        yield from _problems_of_comparison(node, operand, attributes)
    else:
        yield _no_comparison(node)


def _no_comparison(node: ast.expr) -> str:
    return f"'{ast.unparse(node)}' is no comparison of a name with a value: {_EXAMPLE}"


def _problems_of_comparison(
    node: ast.Compare, operand: _Operand, attributes: Collection[str]
) -> Iterator[str]:
    name = operand.name
    if operand.is_attribute and name not in attributes:
        known = sorted({*NUMBERS, *attributes})
        yield f"'{name}' is neither a value nor an attribute; {did_you_mean(name, known)}"
        return
    is_listed = isinstance(node.ops[0], ast.In | ast.NotIn)
    if len(node.ops) > 1 or not (is_listed or type(node.ops[0]) in _COMPARISONS):
        yield _no_comparison(node)
        return
    try:
        given = ast.literal_eval(node.comparators[0])
    except (ValueError, TypeError):
        yield f"'{ast.unparse(node)}': '{name}' is to be compared with a value: {_EXAMPLE}"
        return
    if is_listed != isinstance(given, list | tuple):
        yield f"'{ast.unparse(node)}': a list goes with `in`, a single value with the others"
        return
    yield from _problems_of_values(operand, given if is_listed else [given])
    if not (operand.is_number or is_listed or type(node.ops[0]) in _EQUALITIES):
        yield f"'{name}' is a text, which is not more or less: write number({name})"


def _problems_of_values(operand: _Operand, values: list[Any]) -> Iterator[str]:
    for value in values:
        is_right = isinstance(value, int | float if operand.is_number else str)
        if not is_right or isinstance(value, bool):
            kind, other = ("a number", "a text") if operand.is_number else ("a text", "a number")
            other = other if isinstance(value, str | int | float) else "something else"
            also = f"; numbers go with number({operand.name})" if other == "a number" else ""
            yield f"'{operand.name}' is {kind}, and is compared with {other}{also}"
            return
        if operand.is_number and not BIGINT_MIN <= value <= BIGINT_MAX:
            yield f"'{operand.name}' is compared with a number that has more than 64 bits"
            return


def _column(
    node: ast.expr, values: Mapping[str, Column], attributes: Mapping[str, Column]
) -> Column:
    if isinstance(node, ast.BoolOp):
        join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        return reduce(join, (_column(part, values, attributes) for part in node.values))
    if isinstance(node, ast.UnaryOp):
        return ~_column(node.operand, values, attributes)
    operand = _operand(node.left) if isinstance(node, ast.Compare) else None
    if not isinstance(node, ast.Compare) or operand is None:
        raise ValueError(f"not checked: {ast.unparse(node)}")
    value = (attributes if operand.is_attribute else values)[operand.name]
    if operand.is_attribute and operand.is_number:
        value = value.try_cast("double")
    given = ast.literal_eval(node.comparators[0])
    if isinstance(node.ops[0], ast.In):
        return value.isin(list(given))
    if isinstance(node.ops[0], ast.NotIn):
        return ~value.isin(list(given))
    compared: Column = _COMPARISONS[type(node.ops[0])](value, F.lit(given))
    return compared
