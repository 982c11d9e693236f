"""Subjects: which section of the configuration each group of files becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rfm_spark.app.proposal.choices import Facts
from rfm_spark.app.proposal.facts import best_named, facts_of
from rfm_spark.app.proposal.fields import LookedUp
from rfm_spark.app.proposal.findings import FileGroup, Finding
from rfm_spark.app.proposal.names import CERTAIN
from rfm_spark.app.proposal.other_subjects import (
    attributes_beside,
    customers_finding,
    interactions_finding,
    lookup_key,
    section_name,
    totals_finding,
)
from rfm_spark.app.proposal.presets import preset_finding, preset_named, presets, recognised
from rfm_spark.app.proposal.receipts import receipts_finding
from rfm_spark.app.proposal.unread import reasons
from rfm_spark.core.errors import UserError

_TWICE = (
    "left out: it has purchases too; where these are of another feed, such as a web shop's beside "
    "those of tills, write both as in docs/your_files.md, [receipts.<name>]"
)
_NO_PART = "left out: it tells no interactions, no attributes, and nothing that receipts look up"


@dataclass(frozen=True)
class Subjects:
    """What files were taken for.

    Attributes:
        findings: a section each.
        left_out: files that are none, with the reason.
    """

    findings: Sequence[Finding]
    left_out: Sequence[str]


@dataclass(frozen=True)
class _Looked:
    """Files that were looked into, and what their columns tell."""

    group: FileGroup
    facts: Facts
    known: Finding | None
    purchases: Finding | None


def subjects_of(groups: Sequence[FileGroup], preset: str | None) -> Subjects:
    """The sections that groups of files become.

    Args:
        groups: all files that were named.
        preset: name of the preset that one of them must follow; None to recognise them.

    Raises:
        UserError: if nothing tells what customers do, or the preset does not fit.
    """
    all_looked = [_looked(group, preset) for group in groups]
    if preset is not None and not any(one.known for one in all_looked):
        # It says what is missing.
        preset_finding(preset_named(preset), groups[0], all_looked[0].facts)
    with_purchases = [one for one in all_looked if one.purchases is not None]
    first = max(with_purchases, key=_worth, default=None)
    findings = [first.purchases] if first is not None and first.purchases is not None else []
    left = []
    for one in all_looked:
        if one is first:
            continue
        beside = _beside_purchases(one)
        if beside is None or beside.section in [other.section for other in findings]:
            left.append(one)
        else:
            first = first or one
            findings.append(beside)
    if first is None:
        raise UserError([_nothing(one.group, one.facts) for one in left])
    return _completed(findings, first, left)


def _looked(group: FileGroup, preset: str | None) -> _Looked:
    facts = facts_of(group.sample)
    fitting = recognised(group.sample.columns)
    if preset is not None:
        asked = preset_named(preset)
        fitting = None if asked.missing(group.sample.columns) else asked
    known = None if fitting is None else preset_finding(fitting, group, facts)
    if known is not None and known.section != "receipts":
        return _Looked(group, facts, known, None)
    purchases = known or totals_finding(group, facts) or receipts_finding(group, facts)
    return _Looked(group, facts, known, purchases)


def _worth(one: _Looked) -> tuple[bool, bool, int]:
    """Of several files of purchases, the known one, or the largest whose customers come again."""
    assert one.purchases is not None
    customer = one.purchases.fields["customer_id"]
    who = [customer.read(row) for row in one.group.sample.rows]
    size = sum(file.stat().st_size for file in one.group.files)
    return one.known is not None, len(set(who)) < len(who), size


def _beside_purchases(one: _Looked) -> Finding | None:
    """Attributes or interactions; of what could be purchases only with kinds."""
    if one.known is not None and one.purchases is None:
        return one.known
    # What has numbers of receipts tells of purchases, though each customer be there once.
    is_of_receipts = one.purchases is not None and "receipt_id" in one.purchases.fields
    customers = None if is_of_receipts else customers_finding(one.group, one.facts)
    if customers is not None:
        return customers
    if one.purchases is None or best_named(one.facts, "kind", CERTAIN):
        return interactions_finding(one.group, one.facts)
    return None


def _completed(findings: list[Finding], first: _Looked, left: Sequence[_Looked]) -> Subjects:
    """With look-ups, and attributes that lie beside purchases; and the reasons of what is left.

    Raises:
        UserError: if customers are all there is.
    """
    left_out = []
    for one in left:
        with_lookup = _with_lookup(findings[0], one, first.facts)
        if with_lookup is not None:
            findings[0] = with_lookup
        else:
            reason = _NO_PART if one.purchases is None else _TWICE
            left_out.append(f"{one.group.shown}: {reason}")
    sections = [one.section for one in findings]
    if sections == ["customers"]:
        raise UserError(
            f"{first.group.shown}: tells of customers, but not what they did: name a file of "
            f"receipts, of totals or of interactions as well{_why(first.group, first.facts)}"
        )
    if "customers" not in sections and findings[0].group is first.group:
        beside = attributes_beside(findings[0], first.facts)
        findings += [beside] if beside is not None else []
    return Subjects(findings, left_out)


def _with_lookup(receipts: Finding, one: _Looked, others: Facts) -> Finding | None:
    if receipts.section != "receipts" or receipts.title:
        return None
    found = lookup_key(one.group, one.facts, others)
    if found is None:
        return None
    key, category = found
    name = section_name(one.group.files[0])
    fields = {**receipts.fields, "category": LookedUp(name, category.column)}
    return replace(receipts, fields=fields, lookups={**receipts.lookups, name: (one.group, key)})


def _nothing(group: FileGroup, facts: Facts) -> str:
    columns = ", ".join(group.sample.columns)
    return (
        f"{group.files[0]}: nothing tells who did what when: none of the columns ({columns}) could "
        f"be a customer with a time{_why(group, facts)}. Where it is an export of "
        f"{', '.join(presets())}, name it by --preset; else write the configuration as in the "
        "README"
    )


def _why(group: FileGroup, facts: Facts) -> str:
    told = reasons(group, facts)
    return f" ({told})" if told else ""
