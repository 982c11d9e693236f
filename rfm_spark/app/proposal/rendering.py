"""The configuration of findings, as commented TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rfm_spark.app.proposal.currencies import minor_unit_digits
from rfm_spark.app.proposal.findings import FileGroup, Finding
from rfm_spark.app.proposal.raw_text import ANY_ENCODING
from rfm_spark.app.proposal.sample import Sample

_FEW_CUSTOMERS = 60
_WIDTH = 100
ASSUMED_ZONE = "UTC"


def rendered(findings: Sequence[Finding]) -> str:
    """The text of a configuration, of findings whose groups have patterns."""
    looked = {f"{one.group.shown} ({one.group.sample.extent})": None for one in findings}
    lines = [
        *_comment(f"Proposed by rfm-spark init from {', '.join(looked)}."),
        *_comment("Comments that begin with ? tell of guesses: look at these first."),
        "",
    ]
    lines += _business(findings)
    for one in findings:
        lines += ["", *_section(one)]
    lines += _clusters(findings)
    return "\n".join(lines) + "\n"


def _business(findings: Sequence[Finding]) -> Iterator[str]:
    yield "[business]"
    zone = f"time_zone = {_value(ASSUMED_ZONE)}"
    yield f"{zone}    # ? the zone of the shop's calendar, such as Europe/Berlin"
    currency = next((one.currency for one in findings if one.currency), "")
    digits = minor_unit_digits(currency)
    if currency:
        yield f"currency = {_value(currency)}"
    elif any(one.section.startswith(("receipts", "customer_totals")) for one in findings):
        yield 'currency = "USD"    # ? nothing tells it; it is shown beside money only'
    if digits != 2:
        yield f"minor_unit_digits = {digits}"
    if any(one.digits > digits for one in findings):
        most = max(one.digits for one in findings)
        yield from _comment(
            f"? some amounts have {most} digits behind the point: money is rounded to {digits}; "
            "write minor_unit_digits = 3 for currencies that have so many"
        )


def _section(one: Finding) -> Iterator[str]:
    sample = one.group.sample
    yield f"[{one.section}]" + (f"    # {one.title}" if one.title else "")
    for doubt in [*sample.doubts, *one.doubts]:
        yield from _comment(f"? {doubt}")
    for note in one.notes:
        yield from _comment(note)
    yield from _source_keys(one.group)
    for key, value in one.settings.items():
        yield f"{key} = {_value(value)}"
    if one.keep is not None:
        yield f"where = {_value(one.keep.written())}"
    yield from _types(one.section, sample)
    yield from ["", f"[{one.section}.columns]"]
    for key, field in one.fields.items():
        yield f"{key} = {_value(field.written())}"
    if unused := _unused(one):
        yield from _comment(f"not used: {', '.join(unused)}")
    if one.attributes:
        yield from ["", f"[{one.section}.columns.attributes]"]
        for key, field in one.attributes.items():
            yield f"{key} = {_value(field.written())}"
    for name, (group, on) in one.lookups.items():
        yield from ["", f"[{one.section}.lookups.{name}]"]
        yield from _lookup_keys(group)
        yield f"on = {_value(on)}"


def _source_keys(group: FileGroup) -> Iterator[str]:
    yield from _lookup_keys(group)
    sample = group.sample
    if sample.encoding not in ("UTF-8", ANY_ENCODING):
        yield f"encoding = {_value(sample.encoding)}"
    dialect = sample.dialect
    if dialect is not None:
        if dialect.quote != '"':
            yield f"quote = {_value(dialect.quote)}"
        if dialect.escape != '"':
            yield f"escape = {_value(dialect.escape)}"
        if dialect.is_multiline:
            yield "multiline = true"
        if dialect.skip_lines:
            yield f"skip_lines = {dialect.skip_lines}"


def _lookup_keys(group: FileGroup) -> Iterator[str]:
    """What look-ups have as well as sources."""
    yield f"path = {_value(group.pattern)}"
    yield f"format = {_value(group.sample.format)}"
    if group.sample.dialect is not None and group.sample.dialect.delimiter != ",":
        yield f"delimiter = {_value(group.sample.dialect.delimiter)}"


def _types(section: str, sample: Sample) -> Iterator[str]:
    if sample.types:
        yield from ["", f"[{section}.types]"]
        for key, spark_type in sample.types.items():
            yield f"{_key(key)} = {_value(spark_type)}"


def _clusters(findings: Sequence[Finding]) -> Iterator[str]:
    """Fewer clusters than usual where the files have few customers."""
    first = findings[0]
    customers = {first.fields["customer_id"].read(row) for row in first.group.sample.rows}
    if first.section == "receipts" and first.group.sample.is_whole and (
            len(customers) < _FEW_CUSTOMERS):  # fmt: skip
        yield from ["", "[clusters]", f"k = 2    # of {len(customers)} customers"]


def _unused(one: Finding) -> list[str]:
    fields = [*one.fields.values(), *one.attributes.values()]
    used = {name for field in fields for name in field.names()}
    used |= set(one.keep.names()) if one.keep is not None else set()
    return [name for name in one.group.sample.columns if name not in used]


def _comment(text: str) -> Iterator[str]:
    """Lines of a comment; those of one that is broken begin further in."""
    line = "#"
    # TOML takes no control characters, which names of columns and files can have.
    for word in re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "?", text).split():
        if len(line) + len(word) >= _WIDTH:
            yield line
            line = "#  "
        line += " " + word
    yield line


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if is_bare else _value(name)


def _value(value: Any) -> str:
    """TOML of a text, a flag, a number or a list; JSON writes texts in the same way."""
    if isinstance(value, str) and '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    if isinstance(value, Mapping):
        raise TypeError("sections are written line by line")
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r"[\x7f-\xa0]", lambda found: f"\\u{ord(found[0]):04x}", text)
