"""Written conditions: such as `frequency < 200 and country in ['UK', 'FR']`, made into columns.

A condition is written as Python writes it, read by Python's own parser, and made of columns, or of
arrays, one comparison at a time: nothing of it is ever run, or pasted into SQL.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce
from typing import Any, Literal

import pyarrow as pa
from pyspark.sql import Column

from rfm_spark.core.bigint import BIGINT_MAX, BIGINT_MIN
from rfm_spark.core.condition_terms import (
    ArrowTerms,
    Comparison,
    Path,
    SparkTerms,
    Term,
    Terms,
)
from rfm_spark.core.errors import did_you_mean

MOST_PARTS, MOST_VALUES = 300, 1_000
"""Names and operators of a condition, and values it compares with: plans are no larger."""

ATTRIBUTES, ANY = "attributes", "*"
"""The map whose keys can be named without it, and a key that stands for all of a map."""

Kind = Literal["number", "text", "day", "truth"]

_EQUALITIES: Mapping[type[ast.cmpop], Comparison] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_COMPARISONS: Mapping[type[ast.cmpop], Comparison] = {
    **_EQUALITIES,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EXAMPLE = "write it as frequency < 200 and country in ['UK', 'FR']"
_TYPES: Mapping[Kind, tuple[type, ...]] = {
    "number": (int, float),
    "text": (str,),
    "day": (str,),
    "truth": (),
}
_WORDS: Mapping[Kind, str] = {
    "number": "a number",
    "text": "a text",
    "day": "a day",
    "truth": "true or false",
}


@dataclass(frozen=True)
class Vocabulary:
    """What a condition can name.

    Attributes:
        kinds: of everything by its path; a path that ends in ANY is every key of a map.
        of: what the names are, for messages: "neither a value nor an attribute".
    """

    kinds: Mapping[Path, Kind]
    of: str

    def found(self, path: Path) -> tuple[Path, Kind] | None:
        """The whole path of a name, and its kind; None where there is no such name."""
        for whole in (path, (ATTRIBUTES, *path)):
            if ANY in whole:
                return None
            kind = self.kinds.get(whole) or self.kinds.get((*whole[:-1], ANY))
            if kind is not None:
                return whole, kind
        return None

    def unknown(self, path: Path) -> str:
        """What is said of a name that is not there."""
        beside = {_written(whole) for whole in self.kinds if len(path) > 1 and whole[0] == path[0]}
        known = beside or {_written(whole) for whole in self.kinds if _is_short(whole)}
        name = _written(path)
        return f"'{name}' is {self.of}; {did_you_mean(name, sorted(known))}"


@dataclass(frozen=True)
class _Operand:
    """What stands on the left of a comparison: `frequency`, `attributes['city']`, `number(age)`."""

    path: Path
    is_converted: bool = False


@dataclass(frozen=True)
class WrittenCondition:
    """A condition on a row; one that cannot be told is not met.

    Attributes:
        text: such as `frequency < 200 and country != 'UK' and number(age) >= 18`. An attribute
            with the name of something else or of a word of Python is `attributes['class']`.
    """

    text: str

    def problems(self, known: Vocabulary) -> list[str]:
        """What is wrong with the condition, a line each."""
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
        return list(_problems(condition, known))

    def paths(self, known: Vocabulary) -> set[Path]:
        """What a condition without problems looks at."""
        operands = (_operand(node) for node in _looked_at(self._parsed))
        found = (known.found(one.path) for one in operands if one is not None)
        return {one[0] for one in found if one is not None}

    def column(self, known: Vocabulary, column_of: Callable[[Path], Column]) -> Column:
        """Whether a row meets a condition without problems.

        Args:
            known: what it was checked against.
            column_of: the column of a path.
        """
        return self._made_of(known, SparkTerms(column_of))

    def mask(self, known: Vocabulary, rows: pa.Table) -> pa.Array:
        """The same of rows that are here.

        Args:
            known: what it was checked against.
            rows: with the columns that `paths` begin with.
        """
        return self._made_of(known, ArrowTerms(rows))

    def _made_of(self, known: Vocabulary, terms: Terms[Term]) -> Term:
        return terms.is_met(_made(self._parsed, known, terms))

    @cached_property
    def _parsed(self) -> ast.expr:
        return ast.parse(self.text.strip(), mode="eval").body


def path_of(text: str) -> Path | None:
    """A name as conditions write it: `city`, `attributes['city']`, `profiles['x'].segment`.

    >>> path_of("profiles['engagement'].segment")
    ('profiles', 'engagement', 'segment')
    >>> path_of("1 + 1") is None
    True
    """
    try:
        return _path(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _path(node: ast.expr) -> Path | None:
    match node:
        case ast.Name(id=name):
            return (name,)
        case ast.Subscript(value=inner, slice=ast.Constant(value=str(key))):
            return None if (above := _path(inner)) is None else (*above, key)
        case ast.Attribute(value=inner, attr=key):
            return None if (above := _path(inner)) is None else (*above, key)
    return None


def _written(path: Path) -> str:
    """A path as one writes it."""
    if _is_short(path):
        return path[-1]
    return f"{path[0]}[{path[1]!r}]" + "".join(f".{key}" for key in path[2:])


def _is_short(path: Path) -> bool:
    return len(path) == 1 or (len(path) == 2 and path[0] == ATTRIBUTES)


def _operand(node: ast.expr) -> _Operand | None:
    """The left side of a comparison; None for what is none."""
    if isinstance(node, ast.Call):
        match node:
            case ast.Call(func=ast.Name(id="number"), args=[inner], keywords=[]):
                path = _path(inner)
                return None if path is None else _Operand(path, is_converted=True)
        return None
    path = _path(node)
    return None if path is None else _Operand(path)


def _looked_at(node: ast.expr) -> Iterator[ast.expr]:
    """Sides of comparisons, and names that are conditions by themselves."""
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _looked_at(part)
    elif isinstance(node, ast.UnaryOp):
        yield from _looked_at(node.operand)
    else:
        yield node.left if isinstance(node, ast.Compare) else node


def _problems(node: ast.expr, known: Vocabulary) -> Iterator[str]:
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _problems(part, known)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _problems(node.operand, known)
    elif isinstance(node, ast.Compare) and (operand := _operand(node.left)) is not None:
        yield from _problems_of_comparison(node, operand, known)
    elif not _is_truth(node, known):
        yield _no_comparison(node)


def _is_truth(node: ast.expr, known: Vocabulary) -> bool:
    path = _path(node)
    found = None if path is None else known.found(path)
    return found is not None and found[1] == "truth"


def _no_comparison(node: ast.expr) -> str:
    return f"'{ast.unparse(node)}' is no comparison of a name with a value: {_EXAMPLE}"


def _problems_of_comparison(
    node: ast.Compare, operand: _Operand, known: Vocabulary
) -> Iterator[str]:
    found = known.found(operand.path)
    if found is None:
        yield known.unknown(operand.path)
        return
    name, kind = _written(found[0]), found[1]
    if len(node.ops) > 1 or (operand.is_converted and kind != "text"):
        yield _no_comparison(node)
        return
    if _is_about_none(node):
        return
    is_listed = isinstance(node.ops[0], ast.In | ast.NotIn)
    if kind == "truth" or not (is_listed or type(node.ops[0]) in _COMPARISONS):
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
    kind = "number" if operand.is_converted else kind
    yield from _problems_of_values(name, kind, given if is_listed else [given])
    if kind == "text" and not (is_listed or type(node.ops[0]) in _EQUALITIES):
        yield f"'{name}' is a text, which is not more or less: write number({name})"


def _is_about_none(node: ast.Compare) -> bool:
    """Whether it asks if there is a value: `email is not None`."""
    is_none = isinstance(node.comparators[0], ast.Constant) and node.comparators[0].value is None
    return is_none and isinstance(node.ops[0], ast.Is | ast.IsNot)


def _problems_of_values(name: str, kind: Kind, values: list[Any]) -> Iterator[str]:
    for value in values:
        if problem := _problem_of_value(name, kind, value):
            yield problem
            return


def _problem_of_value(name: str, kind: Kind, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, _TYPES[kind]):
        return _wrong_kind(name, kind, value)
    if kind == "number" and not BIGINT_MIN <= value <= BIGINT_MAX:  # type: ignore[operator]
        return f"'{name}' is compared with a number that has more than 64 bits"
    if kind == "day" and _day(str(value)) is None:
        return f"'{name}' is a day, and {value!r} is none: write it as '2026-01-31'"
    return None


def _wrong_kind(name: str, kind: Kind, value: Any) -> str:
    other = "something else"
    if not isinstance(value, bool):
        other = {str: "a text", int: "a number", float: "a number"}.get(type(value), other)
    also = f"; numbers go with number({name})" if (kind, other) == ("text", "a number") else ""
    if value is None:
        also = f": write `{name} is None`"
    return f"'{name}' is {_WORDS[kind]}, and is compared with {other}{also}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _made(node: ast.expr, known: Vocabulary, terms: Terms[Term]) -> Term:
    if isinstance(node, ast.BoolOp):
        join = terms.both if isinstance(node.op, ast.And) else terms.either
        return reduce(join, (_made(part, known, terms) for part in node.values))
    if isinstance(node, ast.UnaryOp):
        return terms.negated(_made(node.operand, known, terms))
    operand = _operand(node.left if isinstance(node, ast.Compare) else node)
    found = None if operand is None else known.found(operand.path)
    if operand is None or found is None:
        raise ValueError(f"not checked: {ast.unparse(node)}")
    value = terms.value(found[0])
    if operand.is_converted:
        value = terms.number(value)
    if not isinstance(node, ast.Compare):
        return value
    if _is_about_none(node):
        is_missing = terms.is_missing(value)
        return is_missing if isinstance(node.ops[0], ast.Is) else terms.negated(is_missing)
    return _compared(value, found[1], node, terms)


def _compared(value: Term, kind: Kind, node: ast.Compare, terms: Terms[Term]) -> Term:
    given = ast.literal_eval(node.comparators[0])
    is_listed = isinstance(given, list | tuple)
    others = [
        date.fromisoformat(one) if kind == "day" else one
        for one in (given if is_listed else [given])
    ]
    if not is_listed:
        return terms.compared(value, _COMPARISONS[type(node.ops[0])], others[0])
    is_in = terms.is_in(value, others)
    return is_in if isinstance(node.ops[0], ast.In) else terms.negated(is_in)
