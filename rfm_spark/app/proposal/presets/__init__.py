"""Presets: exports that many shops have, each described by a TOML file beside this module.

A preset says which columns are which fields, and what rows count; how times and numbers are written
is looked up in the file all the same. A name with ` | ` stands for the first of them that is there,
a list of amounts for the first whose columns are there.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from rfm_spark.app.proposal.amounts import Amount
from rfm_spark.app.proposal.conditions import AnyOf, IsOneOf
from rfm_spark.app.proposal.facts import ColumnFacts
from rfm_spark.app.proposal.fields import (
    Column,
    Columns,
    Field,
    FirstOf,
    Moment,
    Row,
    Unless,
    as_text,
)
from rfm_spark.app.proposal.findings import FileGroup, Finding
from rfm_spark.app.proposal.money import told_currency
from rfm_spark.app.proposal.numbers import NumberFormat
from rfm_spark.app.proposal.times import TimeFormat, time_format
from rfm_spark.core.errors import UserError, did_you_mean

_ESSENTIAL = ("customer_id", "time", "amount", "kind")


@dataclass(frozen=True)
class Preset:
    """A known export.

    Attributes:
        name: as it is asked for.
        title: as it is told.
        section: of the configuration.
        needs: columns by which the export is recognised.
        columns: fields, as the file has them.
        settings: further keys of the section.
        keep: conditions that all rows of the section meet.
        states: the column of states, those that are `known`, and what to `tell` of some.
        notes: what a reader must know of the numbers.
    """

    name: str
    title: str
    section: str
    needs: Sequence[str]
    columns: Mapping[str, Any]
    settings: Mapping[str, Any]
    keep: Mapping[str, Any]
    states: Mapping[str, Any]
    notes: Sequence[str]

    def missing(self, columns: Mapping[str, Column]) -> list[str]:
        """Columns by which the export is recognised, and that are not there."""
        return [need for need in self.needs if _present(need, columns) is None]


@cache
def presets() -> Mapping[str, Preset]:
    """All presets, by name."""
    found = {}
    for file in sorted(files(__name__).iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            told = tomllib.loads(file.read_text(encoding="utf-8"))
            name = file.name.removesuffix(".toml")
            found[name] = Preset(name=name, **{"settings": {}, "keep": {}, "states": {}, **told})
    return found


def preset_named(name: str) -> Preset:
    """The preset that was asked for.

    Raises:
        UserError: if there is none of that name.
    """
    if name not in presets():
        raise UserError(f"--preset {name}: there is none; {did_you_mean(name, list(presets()))}")
    return presets()[name]


def recognised(columns: Mapping[str, Column]) -> Preset | None:
    """The preset whose columns are there; None where there is none."""
    return next((one for one in presets().values() if not one.missing(columns)), None)


def preset_finding(preset: Preset, group: FileGroup, facts: Mapping[str, ColumnFacts]) -> Finding:
    """The section of a file that a preset describes.

    Raises:
        UserError: if the file has not the columns, or no value in them.
    """
    columns = group.sample.columns
    if missing := preset.missing(columns):
        raise UserError(
            f"{group.files[0]}: is not {preset.title}: it has no column {', '.join(missing)}"
        )
    fields = {key: _field(told, columns, facts) for key, told in preset.columns.items()}
    there = {key: field for key, field in fields.items() if field is not None}
    if empty := [key for key in _ESSENTIAL if key in fields and key not in there]:
        raise UserError(
            f"{group.files[0]}: nothing in {group.sample.extent} tells {', '.join(empty)}"
        )
    settings = dict(preset.settings)
    time = there["time"]
    if isinstance(time, Moment) and time.times.pattern:
        settings["time_format"] = time.times.pattern
    currency, several = _currency(there.get("amount"), facts)
    found = Finding(
        preset.section,
        group,
        there,
        settings=settings,
        keep=_conditions(preset.keep, columns) if preset.keep else None,
        notes=preset.notes,
        title=preset.title,
        currency=currency,
        digits=_digits(there.get("amount")),
    )
    return replace(
        found, doubts=[*several, *_doubts_of_values(found, facts), *_doubts_of_rows(preset, found)]
    )


def _doubts_of_values(found: Finding, facts: Mapping[str, ColumnFacts]) -> Iterator[str]:
    """Of how times and numbers are written."""
    for field in found.fields.values():
        if isinstance(field, Moment):
            yield from (f"{field.column.name}: {doubt}" for doubt in field.times.doubts)
        elif isinstance(field, Amount):
            for name in field.names():
                yield from facts[name].doubts


def _doubts_of_rows(preset: Preset, found: Finding) -> Iterator[str]:
    """Of rows that count: guests, and states of which money is not certain."""
    rows = [row for row in found.group.sample.rows if found.keep is None or found.keep.holds(row)]
    guests = sum(not found.fields["customer_id"].read(row) for row in rows)
    if guests and preset.section == "receipts":
        yield f"{guests:,} of {len(rows):,} rows have no customer: they count as those of guests"
    yield from _foreign_money(found.fields.get("amount"), rows)
    column = found.group.sample.columns.get(preset.states.get("column", ""))
    if column is None:
        return
    states = Counter(column.read(row).strip().lower() for row in rows)
    for state, count in sorted(states.items()):
        told = preset.states["tell"].get(state, "the preset does not know it, and such rows count")
        if state and state not in preset.states["known"]:
            yield f"{count:,} of {len(rows):,} rows have the {column.name} {state}: {told}"


def _foreign_money(amount: Field | None, rows: Sequence[Row]) -> Iterator[str]:
    """Of rows whose amount is not known, as a part of it is in other money."""
    if not isinstance(amount, Amount) or amount.foreign is None:
        return
    home = replace(amount, foreign=None)
    if unknown := sum(not amount.read(row) and bool(home.read(row)) for row in rows):
        column, _ = amount.foreign
        yield (
            f"{unknown:,} of {len(rows):,} rows have {column.name} in other money than their "
            "amount, and not converted: what they came to is not known, and they are turned away"
        )


def _present(names: str, columns: Mapping[str, Column]) -> Column | None:
    return next((columns[one] for one in names.split(" | ") if one in columns), None)


def _field(
    told: Any, columns: Mapping[str, Column], facts: Mapping[str, ColumnFacts]
) -> Field | None:
    """The field as a preset tells it; None where its columns are not there, or empty."""
    if isinstance(told, list):
        fitting = (one for one in told if all(_present(name, columns) for name in one["plus"]))
        return next((_field(one, columns, facts) for one in fitting), None)
    if isinstance(told, str):
        column = _present(told, columns)
        if column is None or column.name not in facts:
            return None
        times = facts[column.name].times
        return column if times is None else Moment(column, times)
    return _made_field(told, columns, facts)


def _made_field(
    told: Mapping[str, Any], columns: Mapping[str, Column], facts: Mapping[str, ColumnFacts]
) -> Field | None:
    """A field that is more than a column."""
    if "conditions" in told:
        return _conditions(told, columns)
    if "day" in told:
        return _joined(columns[told["day"]], columns[told["hour"]], facts)
    if "plus" in told:
        return _amount(told, columns, facts)
    if "nobody" in told:
        column = columns[told["column"]]
        return Unless(column, told["nobody"]) if column.name in facts else None
    names = told.get("all") or told["first_filled"]
    found = tuple(columns[one] for one in names if one in columns)
    if "all" in told:
        return Columns(found)
    return None if not found else found[0] if len(found) == 1 else FirstOf(found)


def _amount(
    told: Mapping[str, Any], columns: Mapping[str, Column], facts: Mapping[str, ColumnFacts]
) -> Amount | None:
    plus = _amounts(told["plus"], columns, facts)
    minus = _amounts(told.get("minus", ()), columns, facts)
    foreign = _amounts([told["foreign"]], columns, facts) if "foreign" in told else ()
    return Amount(plus, minus, foreign=next(iter(foreign), None)) if plus else None


def _amounts(
    names: Sequence[str], columns: Mapping[str, Column], facts: Mapping[str, ColumnFacts]
) -> tuple[tuple[Column, NumberFormat], ...]:
    present = [column for one in names if (column := _present(one, columns)) is not None]
    return tuple(
        (column, numbers)
        for column in present
        if column.name in facts and (numbers := facts[column.name].numbers) is not None
    )


def _joined(day: Column, hour: Column, facts: Mapping[str, ColumnFacts]) -> Field | None:
    if day.name not in facts or hour.name not in facts:
        return None
    pairs = zip(facts[day.name].values, facts[hour.name].values, strict=True)
    times: TimeFormat | None = time_format(
        [f"{as_text(one)} {as_text(two)}" for one, two in pairs if one and two]
    )
    return None if times is None else Moment(day, times, hour)


def _conditions(told: Mapping[str, Any], columns: Mapping[str, Column]) -> AnyOf | None:
    found = [
        IsOneOf(columns[one["column"]], tuple(one["values"]), one.get("opposite", False))
        for one in told["conditions"]
        if one["column"] in columns
    ]
    return AnyOf(found) if found else None


def _digits(amount: Field | None) -> int:
    if not isinstance(amount, Amount):
        return 0
    return max(numbers.digits for _, numbers in amount.plus)


def _currency(amount: Field | None, facts: Mapping[str, ColumnFacts]) -> tuple[str, Sequence[str]]:
    """The currency of the money that is read, and what is not certain of it."""
    if not isinstance(amount, Amount):
        return "", []
    [(column, numbers), *_] = amount.plus
    beside = f"{column.name.removesuffix('Amount')}Currency"
    return told_currency({beside: facts[beside]} if beside in facts else facts, numbers)
