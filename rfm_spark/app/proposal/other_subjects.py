"""What files are that hold no receipts: interactions, customers, totals of customers, look-ups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rfm_spark.app.proposal.amounts import Amount
from rfm_spark.app.proposal.choices import Chosen, Facts, chosen_customer, chosen_time
from rfm_spark.app.proposal.facts import ColumnFacts, best_named
from rfm_spark.app.proposal.fields import Column, Columns, Constant, Field, Moment, as_text
from rfm_spark.app.proposal.findings import FileGroup, Finding
from rfm_spark.app.proposal.money import amount_of, told_currency
from rfm_spark.app.proposal.names import CERTAIN, points, words_of
from rfm_spark.app.proposal.raw_text import without_compression
from rfm_spark.app.proposal.strangers import most_strangers
from rfm_spark.app.proposal.unread import unread_money

_MOST_ID_COLUMNS = 6
_STEADY = 0.95
"""Share of customers for whom an attribute must be the same in all their rows."""


def interactions_finding(group: FileGroup, facts: Facts) -> Finding | None:
    """A section `[interactions.<name>]`; None where a file lacks who or when."""
    time = chosen_time(facts)
    if time is None:
        return None
    moment, times, doubts = time
    rest = {name: one for name, one in facts.items() if name != moment.column.name}
    customer = chosen_customer(rest)
    if customer is None:
        return None
    doubts += [customer.doubt] if customer.doubt else []
    name = section_name(group.files[0])
    kinds = [one for one in best_named(rest, "kind", CERTAIN) if one.is_usually_filled]
    kind: Field = kinds[0].column if kinds else Constant(name)
    if not kinds:
        doubts.append(f"no column tells the kind of interaction: all are '{name}'")
    doubts += [
        f"rows are taken for interactions, though {one} sounds like money: too few of its values "
        "can be read as numbers"
        for one in unread_money(group, facts)
    ]
    fields: dict[str, Field] = {}
    identified = _interaction_id(rest, group, (customer, moment, kind), doubts)
    if identified is not None:
        fields["interaction_id"] = identified
    fields |= {"customer_id": customer.facts.column, "kind": kind, "time": moment}
    values = [one for one in best_named(rest, "value", CERTAIN) if one.is_amount]
    if values and values[0].numbers is not None:
        fields["value"] = Amount(((values[0].column, values[0].numbers),))
        doubts += values[0].doubts
    settings = {"time_format": times.pattern} if times.pattern else {}
    return Finding(f"interactions.{name}", group, fields, settings=settings, doubts=doubts)


def _interaction_id(
    facts: Facts, group: FileGroup, told: tuple[Chosen, Moment, Field], doubts: list[str]
) -> Field | None:
    """An id where rows would else be taken for one; None where what is mapped tells them apart."""
    customer, moment, kind = told
    rows = group.sample.rows
    named = [
        one
        for one in best_named(facts, "event_id", CERTAIN)
        if one.filled == 1 and one.distinct == len(rows)
    ]
    if named:
        return named[0].column
    keys = [(customer.facts.column.read(row), moment.read(row), kind.read(row)) for row in rows]
    whole = {tuple(sorted((name, as_text(value)) for name, value in row.items())) for row in rows}
    if len(set(keys)) >= len(whole):
        return None
    parts = [one.column for one in facts.values() if one.filled == 1] + [moment.column]
    if len(parts) > _MOST_ID_COLUMNS:
        doubts.append("interactions of one customer, kind and time count as one; where they are "
                      "several, map interaction_id")  # fmt: skip
        return None
    return Columns(tuple(parts))


def customers_finding(group: FileGroup, facts: Facts) -> Finding | None:
    """The section `[customers]`; None where a row is no customer, or tells nothing of one."""
    customer = chosen_customer(facts)
    if customer is None:
        return None
    one = customer.facts
    valid = next((v for v in best_named(facts, "valid_from", CERTAIN) if v.times), None)
    repeated = len(one.values) - one.distinct
    # Without any time, rows can only be customers: half of them decide.
    has_times = any(other.times is not None for other in facts.values())
    if valid is None and repeated > most_strangers(len(one.values), is_named=not has_times):
        return None
    taken = {one.name, valid.name if valid else ""}
    attributes = attributes_of({name: f for name, f in facts.items() if name not in taken})
    if not attributes:
        return None
    fields: dict[str, Field] = {"customer_id": one.column}
    settings: dict[str, str] = {}
    doubts = [customer.doubt] if customer.doubt else []
    if valid is None and repeated:
        doubts.append(
            f"{repeated:,} of {len(one.values):,} rows have a {one.name} that is there already: "
            "where their attributes differ they are turned away, unless valid_from tells the newest"
        )
    if valid is not None and valid.times is not None:
        fields["valid_from"] = Moment(valid.column, valid.times)
        doubts += valid.doubts
        if valid.times.pattern:
            settings["time_format"] = valid.times.pattern
    return Finding("customers", group, fields, attributes, settings, doubts=doubts)


def attributes_beside(receipts: Finding, facts: Facts) -> Finding | None:
    """The section `[customers]` of what the rows of receipts or interactions tell of a customer.

    None where nothing does that stays the same over the rows of most customers.
    """
    customer = receipts.fields["customer_id"]
    time = receipts.fields.get("time", receipts.fields.get("as_of"))
    taken = {name for field in receipts.fields.values() for name in field.names()}
    steady = {
        one.name: one
        for one in best_named(facts, "attribute", CERTAIN)
        if one.name not in taken and _is_steady(customer, one, receipts.group)
    }
    if not steady or not isinstance(time, Moment) or not isinstance(customer, Column):
        return None
    settings = {key: value for key, value in receipts.settings.items() if key == "time_format"}
    settings["where"] = f"{customer.sql} IS NOT NULL"  # guests have no attributes
    fields: dict[str, Field] = {"customer_id": customer, "valid_from": time}
    return Finding("customers", receipts.group, fields, attributes_of(steady), settings)


def _is_steady(customer: Field, one: ColumnFacts, group: FileGroup) -> bool:
    found: dict[str, set[str]] = {}
    for row, value in zip(group.sample.rows, one.values, strict=True):
        if (who := customer.read(row)) and value is not None:
            found.setdefault(who, set()).add(as_text(value))
    same = sum(len(values) == 1 for values in found.values())
    return bool(found) and same >= _STEADY * len(found)


def attributes_of(facts: Facts) -> Mapping[str, Field]:
    """Attributes by names that the configuration can have."""
    found: dict[str, Field] = {}
    for name, one in facts.items():
        key = re.sub(r"^[^a-z]+", "", "_".join(re.findall("[a-z0-9]+", "_".join(words_of(name)))))
        if key and key not in found:
            found[key] = one.column
    return found


def totals_finding(group: FileGroup, facts: Facts) -> Finding | None:
    """The section `[customer_totals]`; None where a row is not what a customer bought in all."""
    customer = chosen_customer(facts)
    last = [one for one in best_named(facts, "last_purchase", CERTAIN) if one.times]
    orders = [one for one in best_named(facts, "orders", CERTAIN)
              if one.is_amount and not one.is_fractional]  # fmt: skip
    amounts = [one for one in best_named(facts, "amount", CERTAIN - 24)
               if one.is_amount and one not in orders]  # fmt: skip
    if customer is None or not (last and orders and amounts):
        return None
    assert last[0].times is not None
    assert orders[0].numbers is not None
    assert amounts[0].numbers is not None
    currency, doubts = told_currency(facts, amounts[0].numbers)
    amount, doubts_of_amount = amount_of(amounts[0], currency)
    doubts += [customer.doubt] if customer.doubt else []
    doubts += [*doubts_of_amount, *orders[0].doubts, *last[0].doubts]
    fields: dict[str, Field] = {
        "customer_id": customer.facts.column,
        "as_of": _day_of_totals(facts, last[0], doubts),
        "orders": Amount(((orders[0].column, orders[0].numbers),)),
        "last_purchase": Moment(last[0].column, last[0].times),
        "amount": amount,
    }
    first = [one for one in best_named(facts, "first_purchase", CERTAIN) if one.times]
    if first and first[0].times is not None:
        fields["first_purchase"] = Moment(first[0].column, first[0].times)
    return Finding(
        "customer_totals",
        group,
        fields,
        settings={"time_format": last[0].times.pattern} if last[0].times.pattern else {},
        doubts=doubts,
        currency=currency,
        digits=amounts[0].numbers.digits,
    )


def _day_of_totals(facts: Facts, last: ColumnFacts, doubts: list[str]) -> Field:
    """The column that tells it, or else the newest purchase."""
    assert last.times is not None
    for one in best_named(facts, "as_of", CERTAIN):
        if one.times is not None and one is not last:
            return Moment(one.column, one.times)
    read = [last.times.read(value) for value in last.values]
    newest = max(day for day in read if day)[: len("2026-01-31")]
    doubts.append(
        f"no column tells the day of the totals: {newest}, the newest purchase, is taken; write "
        "the day of the export"
    )
    return Constant(newest, "DATE")


def section_name(file: Path) -> str:
    """A name of a section, from a file's."""
    stem = Path(without_compression(file.name)).stem
    letters = re.sub(r"_+", "_", re.sub(r"[^a-z]+", "_", stem.lower())).strip("_")
    return letters or "events"


def lookup_key(group: FileGroup, facts: Facts, others: Facts) -> tuple[str, ColumnFacts] | None:
    """The column on which a small file is looked up, and its category; None where it cannot be.

    Args:
        group: files of the look-up.
        facts: of its columns.
        others: facts of the source that would look up.
    """
    categories = best_named(facts, "category", CERTAIN)
    keys = [
        name
        for name, one in facts.items()
        if name in others and one.filled == 1 and one.distinct == len(group.sample.rows)
    ]
    if not categories or not keys or len(group.files) > 1 or group.sample.format == "json":
        return None
    best = max(keys, key=lambda name: points("product", name))
    return best, next((one for one in categories if one.filled > 0.9), categories[0])
