"""Feeds: files of receipts that are of another sort than the first, such as a web shop's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rfm_spark.app.proposal.file_headers import told_files
from rfm_spark.app.proposal.findings import FileGroup, Finding
from rfm_spark.app.proposal.names import words_of
from rfm_spark.app.proposal.other_subjects import section_name
from rfm_spark.app.proposal.raw_text import ANY_ENCODING, without_compression
from rfm_spark.settings.sources import FEED_KEYS

RECEIPTS = "receipts"
_NOT_BOUGHT = (
    {"refund", "refunds", "refunded", "return", "returns", "chargeback", "chargebacks"}
    | {"credit", "credits", "payment", "payments", "payout", "payouts"}
    | {"cart", "carts", "abandoned", "quote", "quotes"}
    | {"retoure", "retouren", "gutschrift", "gutschriften", "remboursement", "remboursements"}
    | {"reembolso", "reembolsos", "devoluciones"}
)
"""Words for what is given back, paid, or not bought."""
_SAME = 0.5
"""Share of customers' days in common from which two files tell of the same purchases."""


def with_generation(receipts: Finding, other: Finding) -> Finding | None:
    """Receipts with files of other columns that the same section reads; None where it does not.

    Exports gain and lose columns over the years: what is mapped must be called and written alike.
    """
    first, second = receipts.group.sample, other.group.sample
    encodings = {one.encoding for one in (first, second)} - {ANY_ENCODING}
    if _section(receipts) != _section(other) or len(encodings) > 1:
        return None
    new = sorted(set(first.columns) ^ set(second.columns))
    files = told_files([file.name for file in other.group.files])
    told = f"{files}: other columns than {first.file.name} ({', '.join(new) or 'their order'})"
    sample = replace(
        first,
        encoding=encodings.pop() if encodings else ANY_ENCODING,
        dialect=first.dialect and second.dialect and first.dialect.with_other(second.dialect),
        types={**first.types, **second.types},
        is_whole=False,
        doubts=(*first.doubts, told),
    )
    files_of_both = tuple(sorted([*receipts.group.files, *other.group.files]))
    return replace(receipts, group=FileGroup(files_of_both, sample))


def _section(one: Finding) -> object:
    """What the configuration says of the files, but for their names."""
    dialect = one.group.sample.dialect
    fields = {key: field.written() for key, field in one.fields.items()}
    keep = None if one.keep is None else one.keep.written()
    marks = dialect and (dialect.delimiter, dialect.quote, dialect.escape, dialect.skip_lines)
    return one.group.sample.format, fields, dict(one.settings), keep, marks


def is_of_sales(one: Finding) -> bool:
    """Whether nothing is called as what is paid back, or not bought: it would be added up."""
    names = [section_name(one.group.files[0])]
    names += [name for key in ("receipt_id", "amount", "unit_price") if key in one.fields
              for name in one.fields[key].names()]  # fmt: skip
    told = {word for name in names for word in words_of(name.replace("_", " "))}
    return bool(one.title) or not told & _NOT_BOUGHT


def tells_the_same(one: Finding, other: Finding) -> bool:
    """Whether two files tell of the same purchases: orders, and their lines in another file."""
    found, others = _days_of_customers(one), _days_of_customers(other)
    return len(found & others) > _SAME * min(len(found), len(others))


def _days_of_customers(one: Finding) -> set[tuple[str, str]]:
    customer, time = one.fields["customer_id"], one.fields["time"]
    return {
        (who, time.read(row)[: len("2026-01-31")])
        for row in one.group.sample.rows
        if (who := customer.read(row))
    }


def as_feeds(found: Sequence[Finding]) -> list[Finding]:
    """Each as a section by a name of its own; the one there is as it stands."""
    if len(found) < 2:
        return list(found)
    names = _names([one.group.files for one in found])
    first = found[0]
    feeds = [replace(first, section=f"{RECEIPTS}.{names[0]}")]
    for name, one in zip(names[1:], found[1:], strict=True):
        doubts = [*one.doubts, *_doubts(first, one, names[0])]
        feeds.append(replace(one, section=f"{RECEIPTS}.{name}", doubts=doubts))
    return feeds


def _doubts(first: Finding, one: Finding, name: str) -> list[str]:
    """What holds for two feeds that no file tells."""
    who = [
        {customer for row in feed.group.sample.rows
         if (customer := feed.fields["customer_id"].read(row))}
        for feed in (first, one)
    ]  # fmt: skip
    shared = len(who[0] & who[1])
    doubts = [
        f"taken for another feed than {name}, with ids of its own: where it tells of the same "
        "purchases, leave it out; where one order comes in both with the same id, write "
        f"shares_ids = true in each. {shared:,} of {len(who[1]):,} customers are in both: "
        "they are one where their ids are the same"
    ]
    if first.currency and one.currency and first.currency != one.currency:
        doubts.append(
            f"its money is {one.currency}, and that of {name} {first.currency}: amounts are added "
            "up as if they were one"
        )
    return doubts


def _names(groups: Sequence[Sequence[Path]]) -> list[str]:
    """A name for each, of its first file or of the folder, by what tells all of them apart."""
    ways: tuple[Callable[[Path], str], ...] = (
        lambda file: section_name(file if _has_letters(file) else file.parent),
        lambda file: section_name(file.parent),
        lambda file: section_name(Path(f"{file.parent.name}_{file.name}")),
    )
    for way in ways:
        names = [way(files[0]) for files in groups]
        if len(set(names)) == len(names) and not FEED_KEYS & set(names):
            return names
    return [f"feed_{number}" for number in range(1, len(groups) + 1)]


def _has_letters(file: Path) -> bool:
    """Whether a file's name has letters that a section's name can have."""
    return re.search("[a-z]", Path(without_compression(file.name)).stem.lower()) is not None
