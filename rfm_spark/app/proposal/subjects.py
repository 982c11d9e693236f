"""Subjects: which section of the configuration each group of files becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rfm_spark.app.proposal.choices import Facts
from rfm_spark.app.proposal.facts import best_named, facts_of
from rfm_spark.app.proposal.feeds import (
    RECEIPTS,
    as_feeds,
    is_of_sales,
    tells_the_same,
    with_generation,
)
from rfm_spark.app.proposal.fields import LookedUp
from rfm_spark.app.proposal.findings import FileGroup, Finding
from rfm_spark.app.proposal.names import CERTAIN, points
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
    "left out: it tells of the same purchases, or totals of them; where they are others, write it "
    "as a feed of its own, [receipts.<name>] in docs/your_files.md"
)
_NOT_SALES = (
    "left out: a name in it tells of what is given back, paid or not bought, and it would be added "
    "up with purchases; of what is given back, write a feed of its own with amounts below 0, "
    "[receipts.<name>] in docs/your_files.md"
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
    findings: list[Finding] = []
    left = []
    for one in all_looked:
        if one is first:
            continue
        beside = _beside_purchases(one)
        taken = [other.section for other in findings]
        if beside is None or beside.section in taken:
            left.append(one)
        else:
            findings.append(beside)
            first = first or one
    if first is None:
        raise UserError([_nothing(one.group, one.facts) for one in left])
    feeds, left = _feeds(first, left)
    receipts = as_feeds([one.purchases for one in feeds if one.purchases is not None])
    return _completed([*receipts, *findings], feeds, left)


def _feeds(first: _Looked, left: Sequence[_Looked]) -> tuple[list[_Looked], list[_Looked]]:
    """The first files and those of further receipts, and what is left.

    Files that the section of others reads as well are put to these.
    """
    feeds, others = [first], []
    for one in left:
        if not (_has_receipts(first) and _has_receipts(one)):
            others.append(one)
            continue
        both = {
            at: joined
            for at, feed in enumerate(feeds)
            if (joined := with_generation(_purchases(feed), _purchases(one))) is not None
        }
        if both:
            at, joined = next(iter(both.items()))
            feeds[at] = replace(feeds[at], group=joined.group, purchases=joined)
        elif not is_of_sales(_purchases(one)) or any(
            tells_the_same(_purchases(feed), _purchases(one)) for feed in feeds
        ):
            others.append(one)
        else:
            feeds.append(one)
    return feeds, others


def _has_receipts(one: _Looked) -> bool:
    return one.purchases is not None and one.purchases.section == RECEIPTS


def _purchases(one: _Looked) -> Finding:
    assert one.purchases is not None
    return one.purchases


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
    receipt_id = None if one.purchases is None else one.purchases.fields.get("receipt_id")
    customers = customers_finding(one.group, one.facts) if receipt_id is None else None
    if customers is not None:
        return customers
    kinds = [points("kind", kind.name) for kind in best_named(one.facts, "kind", CERTAIN)]
    # A web shop's orders have a type as well: what is called better decides.
    named = max((points("receipt_id", name) for name in receipt_id.names()), default=0) if (
        receipt_id) else 0  # fmt: skip
    if one.purchases is None or max(kinds, default=-1) >= named:
        return interactions_finding(one.group, one.facts)
    return None


def _completed(
    findings: list[Finding], feeds: Sequence[_Looked], left: Sequence[_Looked]
) -> Subjects:
    """With look-ups, and attributes that lie beside purchases; and the reasons of what is left.

    Raises:
        UserError: if customers are all there is.
    """
    first = feeds[0]
    left_out = []
    for one in left:
        looked_up = {
            at: found
            for at, feed in enumerate(feeds)
            if (found := _with_lookup(findings[at], one, feed.facts)) is not None
        }
        findings = [looked_up.get(at, found) for at, found in enumerate(findings)]
        if not looked_up:
            left_out.append(f"{one.group.shown}: {_reason(one)}")
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


def _reason(one: _Looked) -> str:
    """Why files are in no section."""
    if one.purchases is None:
        return _NO_PART
    return _TWICE if not _has_receipts(one) or is_of_sales(one.purchases) else _NOT_SALES


def _with_lookup(receipts: Finding, one: _Looked, others: Facts) -> Finding | None:
    if receipts.section.partition(".")[0] != RECEIPTS or receipts.title:
        return None
    if (dialect := one.group.sample.dialect) and dialect.skip_lines:
        return None  # look-ups are small, and begin with their header
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
