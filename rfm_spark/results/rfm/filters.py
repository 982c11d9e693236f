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

from rfm_spark.core.errors import did_you_mean

NUMBERS = ("recency_days", "frequency", "value", "monetary_cents")
"""Values of a profile that a condition can name; everything else is an attribute: a text."""

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_EXAMPLE = "write it as frequency < 200 and country in ['UK', 'FR']"


@dataclass(frozen=True)
class Filter:
    """A condition that a scored customer meets; one that cannot be told is not met.

    Attributes:
        text: such as `frequency < 200 and country != 'UK'`.
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
        except (SyntaxError, ValueError, RecursionError):
            return [f"cannot be read as a condition: {_EXAMPLE}"]
        return list(_problems(condition, attributes))

    @property
    def attributes(self) -> list[str]:
        """Names of the attributes it looks at."""
        names = {node.id for node in ast.walk(self._parsed) if isinstance(node, ast.Name)}
        return sorted(names - {*NUMBERS})

    def condition(self, columns: Mapping[str, Column]) -> Column:
        """Whether a row meets it.

        Args:
            columns: of NUMBERS, and of `attributes`.
        """
        return F.coalesce(_column(self._parsed, columns), F.lit(False))

    @cached_property
    def _parsed(self) -> ast.expr:
        return ast.parse(self.text.strip(), mode="eval").body


def _problems(node: ast.expr, attributes: Collection[str]) -> Iterator[str]:
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _problems(part, attributes)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _problems(node.operand, attributes)
    elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Name):
        yield from _problems_of_comparison(node, node.left.id, attributes)
    else:
        yield f"'{ast.unparse(node)}' is no comparison of a name with a value: {_EXAMPLE}"


def _problems_of_comparison(
    node: ast.Compare, name: str, attributes: Collection[str]
) -> Iterator[str]:
    is_number = name in NUMBERS
    if not is_number and name not in attributes:
        known = sorted({*NUMBERS, *attributes})
        yield f"'{name}' is neither a value nor an attribute; {did_you_mean(name, known)}"
        return
    is_listed = isinstance(node.ops[0], ast.In | ast.NotIn)
    if len(node.ops) > 1 or not (is_listed or type(node.ops[0]) in _COMPARISONS):
        yield f"'{ast.unparse(node)}' is no comparison of a name with a value: {_EXAMPLE}"
        return
    try:
        given = ast.literal_eval(node.comparators[0])
    except ValueError:
        yield f"'{ast.unparse(node)}': '{name}' is to be compared with a value: {_EXAMPLE}"
        return
    if is_listed != isinstance(given, list | tuple):
        yield f"'{ast.unparse(node)}': a list goes with `in`, a single value with the others"
        return
    for value in given if is_listed else [given]:
        is_right = isinstance(value, int | float if is_number else str)
        if not is_right or isinstance(value, bool):
            kind, other = ("a number", "a text") if is_number else ("a text", "a number")
            other = other if isinstance(value, str | int | float) else "something else"
            yield f"'{name}' is {kind}, and is compared with {other}"
            return


def _column(node: ast.expr, columns: Mapping[str, Column]) -> Column:
    if isinstance(node, ast.BoolOp):
        join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        return reduce(join, (_column(part, columns) for part in node.values))
    if isinstance(node, ast.UnaryOp):
        return ~_column(node.operand, columns)
    if not isinstance(node, ast.Compare) or not isinstance(node.left, ast.Name):
        raise ValueError(f"not checked: {ast.unparse(node)}")
    value = columns[node.left.id]
    given = ast.literal_eval(node.comparators[0])
    if isinstance(node.ops[0], ast.In):
        return value.isin(list(given))
    if isinstance(node.ops[0], ast.NotIn):
        return ~value.isin(list(given))
    compared: Column = _COMPARISONS[type(node.ops[0])](value, F.lit(given))
    return compared
