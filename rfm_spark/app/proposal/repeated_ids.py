"""Repeated ids: whether rows of one id are lines of a receipt, or states it was in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rfm_spark.app.proposal.choices import Facts
from rfm_spark.app.proposal.facts import ColumnFacts, best_named
from rfm_spark.app.proposal.fields import Field, Moment, as_text
from rfm_spark.app.proposal.names import CERTAIN
from rfm_spark.app.proposal.states import is_state
from rfm_spark.app.proposal.strangers import most_strangers

_OF_LINES = ("product", "category", "line_number")
"""Fields that differ from line to line, and not from state to state."""

_MAP = "map version to a number or time of their order"

Key = tuple[str, ...]
Repeats = Mapping[tuple[int, Key], Sequence[int]]
"""Numbers of the rows of each id that several rows of one file have."""


@dataclass(frozen=True)
class Grain:
    """What a row is.

    Attributes:
        is_line: whether rows of one id are added up.
        version: column that tells which of several rows of one id was written last.
        doubts: what is not certain.
        is_repeated: whether several rows of one file have one id.
    """

    is_line: bool
    version: Field | None = None
    doubts: tuple[str, ...] = ()
    is_repeated: bool = True


def grain_of(
    ids: Sequence[str], name: str, facts: Facts, time: Moment, starts: Sequence[int]
) -> Grain:
    """Whether rows are lines, states of receipts or whole receipts.

    Args:
        ids: of receipts, one for each row; blank ones are nobody's.
        name: of the column of ids, for messages.
        facts: of all columns.
        time: of the row; the last of the states where no other column tells it.
        starts: of each file that was looked at, its first row.
    """
    repeats = _repeats([(one,) if one else () for one in ids], starts)
    if not repeats:
        return Grain(is_line=False, is_repeated=False)
    if _differing(best_of(facts, _OF_LINES), repeats):
        return Grain(is_line=True, doubts=_states_of_lines(ids, name, facts, starts))
    if not _differing(list(facts.values()), repeats):
        return _equal_rows(name, facts)
    version = _named_version(facts, repeats, time)
    if version is None and not _differing(_states(facts), repeats):
        told = (
            f"rows of one {name} are added up as lines of a receipt, though no column tells "
            'products: if later ones correct earlier ones, write grain = "receipt" and map version'
        )
        return Grain(is_line=True, doubts=(told,))
    own = facts[time.column.name]
    if version is None and time.hours is None and _is_ordered(own, facts, repeats):
        version = time
    if version is None:
        told = f"no column tells which is the last, so such receipts are turned away: {_MAP}"
    else:
        told = f"the one with the greatest {', '.join(version.names())} counts"
    doubt = f"rows of one {name} are taken for states of one receipt, and not for lines: {told}"
    return Grain(is_line=False, version=version, doubts=(doubt,))


def best_of(facts: Facts, roles: Sequence[str]) -> list[ColumnFacts]:
    """All columns whose names tell one of some fields."""
    return [one for role in roles for one in best_named(facts, role, CERTAIN)]


def ids_of_several_files(ids: Sequence[str], starts: Sequence[int]) -> list[str]:
    """Ids that come in more than one of the files that were looked at."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for part, (first, end) in enumerate(pairwise([*starts, len(ids)])):
        for one in ids[first:end]:
            if one:
                found[one].add(part)
    return [one for one, parts in found.items() if len(parts) > 1]


def _repeats(keys: Sequence[Key], starts: Sequence[int]) -> Repeats:
    """Rows of each file by their keys; those with an empty one are nobody's."""
    rows: defaultdict[tuple[int, Key], list[int]] = defaultdict(list)
    for part, (first, end) in enumerate(pairwise([*starts, len(keys)])):
        for row in range(first, end):
            if keys[row]:
                rows[part, keys[row]].append(row)
    return {key: found for key, found in rows.items() if len(found) > 1}


def _differing(columns: Sequence[ColumnFacts], repeats: Repeats) -> bool:
    """Whether rows of one id differ in one of some columns, but for odd ids."""
    differing = sum(
        any(len({as_text(one.values[row]) for row in rows}) > 1 for one in columns)
        for rows in repeats.values()
    )
    return differing > most_strangers(len(repeats))


def _states(facts: Facts) -> list[ColumnFacts]:
    return [one for name, one in facts.items() if is_state(name)]


def _named_version(facts: Facts, repeats: Repeats, time: Moment) -> Field | None:
    """The column by whose name rows of one id that are unlike each other have an order."""
    for one in best_named(facts, "version", CERTAIN):
        if one.times is not None and one.times.pattern == time.times.pattern:
            if _is_ordered(one, facts, repeats):
                return Moment(one.column, one.times)
        elif one.numbers is not None and one.numbers.is_plain and _is_ordered(one, facts, repeats):
            return one.column
    return None


def _is_ordered(version: ColumnFacts, facts: Facts, repeats: Repeats) -> bool:
    """Whether no two rows of one id, but equal ones, are of one version."""
    unclear = 0
    for rows in repeats.values():
        unlike = {tuple(as_text(one.values[row]) for one in facts.values()) for row in rows}
        unclear += len({as_text(version.values[row]) for row in rows}) < len(unlike)
    return unclear <= most_strangers(len(repeats))


def _equal_rows(name: str, facts: Facts) -> Grain:
    """Of rows that are equal in all columns: lines where the columns are those of lines."""
    if best_of(facts, _OF_LINES):
        told = (
            f"rows of one {name} are equal in every column, and added up as lines of a receipt: "
            "if they are copies, write drop_equal_lines = true"
        )
        return Grain(is_line=True, doubts=(told,))
    told = (
        f"rows of one {name} are equal in every column: they are taken for copies of a receipt, of "
        'which one counts; if they are lines, write grain = "line"'
    )
    return Grain(is_line=False, doubts=(told,))


def _states_of_lines(
    ids: Sequence[str], name: str, facts: Facts, starts: Sequence[int]
) -> tuple[str, ...]:
    """What to say of lines that come again in another state, which would be added up twice."""
    lines = best_of(facts, _OF_LINES)
    keys = [
        (one, *(as_text(column.values[row]) for column in lines)) if one else ()
        for row, one in enumerate(ids)
    ]
    changing = [*_states(facts), *best_named(facts, "version", CERTAIN)]
    repeats = _repeats(keys, starts)
    if not _differing(changing, repeats):
        return ()
    names = ", ".join(dict.fromkeys(one.name for one in changing))
    return (
        f"lines of one {name} come again with another {names}, and all are added up: if they are "
        "states of a receipt, map version to a number or time of their order",
    )
