"""Receipts: which columns are theirs, and whether a row is a line or a whole receipt."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from rfm_spark.app.proposal.choices import (
    Chosen,
    Facts,
    chosen_customer,
    chosen_time,
    customer_by_values,
)
from rfm_spark.app.proposal.conditions import IsOneOf
from rfm_spark.app.proposal.facts import ColumnFacts, best_named
from rfm_spark.app.proposal.fields import Columns, Field, Moment, as_text
from rfm_spark.app.proposal.findings import FileGroup, Finding
from rfm_spark.app.proposal.money import chosen_money
from rfm_spark.app.proposal.names import CERTAIN, points
from rfm_spark.app.proposal.repeated_ids import Grain, grain_of, ids_of_several_files
from rfm_spark.app.proposal.states import with_states
from rfm_spark.app.proposal.strangers import most_strangers

_CODE = re.compile(r"(?=.*\d)\S+")
"""An id that no name tells: one word, with a digit."""
_LEAST_FILLED = 0.5
"""Share of rows with an id, where a column's name tells that it is the receipt's."""
_FEW_ROWS = 100
_MOST_CONFLICTS = 0.02
"""Share of receipts that may have several customers or days by mistake."""
_TRUE = ("true", "1", "yes", "y", "t", "x")
_FALSE = ("false", "0", "no", "n", "f", "")


def receipts_finding(group: FileGroup, facts: Facts) -> Finding | None:
    """The section `[receipts]`; None where a file lacks who, when or how much."""
    time = chosen_time(facts)
    if time is None:
        return None
    moment, times, doubts = time
    taken = {moment.column.name}
    customer = chosen_customer({name: one for name, one in facts.items() if name not in taken})
    receipt = _receipt_id(facts, taken | ({customer.facts.name} if customer else set()))
    taken |= {receipt.facts.name} if receipt else set()
    customer = customer or customer_by_values(facts, taken)
    if customer is None:
        return None
    taken.add(customer.facts.name)
    doubts += [one.doubt for one in (customer, receipt) if one and one.doubt]
    fields: dict[str, Field] = {}
    grain = Grain(is_line=False, is_repeated=False)
    if receipt is not None:
        fields["receipt_id"] = _whole_id(receipt.facts, customer.facts, facts, doubts)
        ids = _ids(fields["receipt_id"], receipt.facts, group)
        grain = _grain(ids, receipt.facts, facts, moment, group)
        doubts += [*grain.doubts, *_doubts_of_ids(ids, receipt.facts, customer.facts, group)]
    money = chosen_money(facts, taken, receipt.facts if receipt and grain.is_line else None)
    if money is None:
        return None
    doubts += money.doubts
    fields |= {"customer_id": customer.facts.column, "time": moment}
    fields |= {**money.fields, **_further(facts, taken | money.taken, doubts)}
    if grain.version is not None:
        fields["version"] = grain.version
    doubts += _doubts_of_rows(group, facts, receipt, customer, grain)
    settings = {"grain": "line" if grain.is_line else "receipt"}
    settings |= {"time_format": times.pattern} if times.pattern else {}
    found = Finding(
        "receipts",
        group,
        fields,
        settings=settings,
        doubts=doubts,
        currency=money.currency,
        digits=money.digits,
    )
    return with_states(found, facts, facts[moment.column.name])


def _receipt_id(facts: Facts, taken: set[str]) -> Chosen | None:
    """The column that tells receipts apart; None where a row can only be a receipt."""
    free = {name: one for name, one in facts.items() if name not in taken}
    usable = [one for one in free.values() if one.can_be_id and one.is_usually_filled]
    for one in best_named(free, "receipt_id", CERTAIN - 8):
        is_certain = points("receipt_id", one.name) >= CERTAIN
        if one in usable or (one.can_be_id and is_certain and one.filled >= _LEAST_FILLED):
            return Chosen(one)
    unique = [
        one
        for one in usable
        if one.distinct == len(one.values)
        and len(one.values) > 1
        and not any(points(role, one.name) for role in ("amount", "quantity", "unit_price"))
        and all(_CODE.fullmatch(as_text(value)) for value in one.values)
    ]
    if unique:
        best = unique[0]
        return Chosen(best, f"{best.name} is taken for the receipt's id, as no value comes twice")
    return None


def _whole_id(
    receipt: ColumnFacts, customer: ColumnFacts, facts: Facts, doubts: list[str]
) -> Field:
    """The id by itself, or with the store where numbers of several stores are the same."""
    if _conflicts(receipt.values, customer.values) <= _MOST_CONFLICTS:
        return receipt.column
    for store in best_named(facts, "store_id", CERTAIN):
        pairs = [
            None if one is None else (as_text(place), as_text(one))
            for place, one in zip(store.values, receipt.values, strict=True)
        ]
        if _conflicts(pairs, customer.values) <= _MOST_CONFLICTS:
            doubts.append(f"{receipt.name} comes again in other stores: {store.name} is made part "
                          "of the receipt's id")  # fmt: skip
            return Columns((store.column, receipt.column))
    doubts.append(
        f"{receipt.name} comes with several customers: if numbers begin again each day, make the "
        "receipt's id of several columns, or such receipts are turned away"
    )
    return receipt.column


def _conflicts(ids: Any, customers: Any) -> float:
    """Share of ids that come with several customers."""
    found = defaultdict(set)
    for one, customer in zip(ids, customers, strict=True):
        if one is not None and customer is not None:
            found[one].add(as_text(customer))
    return sum(len(customers) > 1 for customers in found.values()) / max(len(found), 1)


def _ids(field: Field, receipt: ColumnFacts, group: FileGroup) -> list[str]:
    """The receipt's id of each row; blank where the receipt's own column is."""
    return [
        "" if own is None else field.read(row)
        for own, row in zip(receipt.values, group.sample.rows, strict=True)
    ]


def _grain(
    ids: Sequence[str], receipt: ColumnFacts, facts: Facts, moment: Moment, group: FileGroup
) -> Grain:
    """What a row is, by the columns beside the id."""
    beside = {name: one for name, one in facts.items() if name != receipt.name}
    return grain_of(ids, receipt.name, beside, moment, group.sample.starts)


def _doubts_of_ids(
    ids: Sequence[str], receipt: ColumnFacts, customer: ColumnFacts, group: FileGroup
) -> Iterator[str]:
    """Of blank ids, and of ids that come in several files."""
    if missing := ids.count(""):
        yield (
            f"{missing:,} of {len(ids):,} rows have no {receipt.name}: rows without a receipt's id "
            "are turned away"
        )
    again = ids_of_several_files(ids, group.sample.starts)
    if again and _conflicts(receipt.values, customer.values) <= _MOST_CONFLICTS:
        yield (
            f"{len(again):,} values of {receipt.name} come in several files: the rows of the last "
            "file count, in natural order of the files' names, which is right where files bring "
            "what has changed, and wrong where one receipt is spread over files, or where numbers "
            "begin again in each (then make the receipt's id of several columns)"
        )


def _further(facts: Facts, taken: set[str], doubts: list[str]) -> dict[str, Field]:
    """What was bought, and where; flags of returns and voids."""
    free = {name: one for name, one in facts.items() if name not in taken and not one.times}
    fields: dict[str, Field] = {}
    groups = best_named(free, "category", CERTAIN) or best_named(free, "product", CERTAIN)
    if groups:
        fields["category"] = groups[0].column
    for role in ("store_id", "channel"):
        if named := best_named(free, role, CERTAIN):
            fields[role] = named[0].column
    for role in ("is_return", "is_void"):
        flags = [one for one in best_named(free, role, CERTAIN) if _is_flag(one)]
        if flags:
            is_text = all(isinstance(value, str) for value in flags[0].values if value is not None)
            fields[role] = IsOneOf(flags[0].column, _TRUE, is_text=is_text)
            if odd := len(_odd_flags(flags[0])):
                doubts.append(f"{odd:,} of {len(flags[0].values):,} values of {flags[0].name} are "
                              "neither true nor false: they count as false")  # fmt: skip
    return fields


def _is_flag(one: ColumnFacts) -> bool:
    """Whether values are true or false, but for a few; other numbers are amounts."""
    odd = _odd_flags(one)
    has_amounts = one.numbers is not None and any(one.numbers.read(value) for value in odd)
    return not has_amounts and len(odd) <= most_strangers(len(one.values))


def _odd_flags(one: ColumnFacts) -> list[Any]:
    return [value for value in one.values if as_text(value).lower() not in (*_TRUE, *_FALSE)]


def _doubts_of_rows(
    group: FileGroup, facts: Facts, receipt: Chosen | None, customer: Chosen, grain: Grain
) -> list[str]:
    doubts = []
    rows = len(group.sample.rows)
    if receipt is None:
        doubts.append("no column tells receipts apart: each row is taken for one receipt")
    elif not grain.is_repeated and (rows < _FEW_ROWS or best_named(facts, "product", CERTAIN)):
        doubts.append(
            f"a row is taken for a whole receipt, as no {receipt.facts.name} comes twice in "
            f'{group.sample.extent}; where lines have to be added up, write grain = "line"'
        )
    if customer.facts.filled < 1:
        missing = sum(value is None for value in customer.facts.values)
        doubts.append(f"{missing:,} of {rows:,} rows have no {customer.facts.name}: they count as "
                      "receipts of guests")  # fmt: skip
    return doubts
