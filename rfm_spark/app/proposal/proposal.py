"""The proposal of a configuration: from files that nobody has described to TOML, without Spark."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rfm_spark.app.proposal.findings import FileGroup, Finding
from rfm_spark.app.proposal.groups import common_folder, file_groups, found_files
from rfm_spark.app.proposal.patterns import with_pattern
from rfm_spark.app.proposal.rendering import ASSUMED_ZONE, rendered
from rfm_spark.app.proposal.subjects import subjects_of
from rfm_spark.core.errors import UserError
from rfm_spark.core.panel import Panel, PanelColumn

_SHOWN_ROWS = 3
_SHOWN_LETTERS = 28


@dataclass(frozen=True)
class Proposal:
    """A configuration, and what a person must know of it.

    Attributes:
        text: the configuration.
        folder: the input it is for.
        findings: its sections.
        left_out: files that are in none, with the reason.
    """

    text: str
    folder: Path
    findings: Sequence[Finding]
    left_out: Sequence[str]

    def panels(self) -> Iterator[Panel]:
        """Each section, with three of its rows as they would be read, and what is not certain."""
        for one in self.findings:
            like = f", which looks like {one.title}" if one.title else ""
            yield Panel(
                f"[{one.section}] {one.group.shown}{like}",
                f", of {one.group.sample.extent}:",
                [PanelColumn(key) for key in [*one.fields, *one.attributes]],
                _shown_rows(one),
            )
        zone = f"{ASSUMED_ZONE} is taken for the zone of the shop's calendar: write its own"
        doubts = [("business", zone)]
        doubts += [(one.section, doubt) for one in self.findings for doubt in _all_doubts(one)]
        yield _list("Not certain, and marked with ? in the file", doubts)
        notes = [(one.section, note) for one in self.findings for note in one.notes]
        if notes:
            yield _list("To know of the numbers", notes)
        for text in self.left_out:
            yield Panel(text)


def proposal(places: Sequence[Path], preset: str | None = None) -> Proposal:
    """A configuration for files, from the first rows of each.

    Args:
        places: files and folders; a folder with a Delta log is a table.
        preset: name of a known export that one of them must be; None to recognise them.

    Raises:
        UserError: if a file cannot be read, or nothing in it tells what customers do.
    """
    files = found_files([place.absolute() for place in places])
    found = file_groups(files)
    subjects = subjects_of(found.groups, preset)
    folder = common_folder(files)
    findings = [_with_patterns(one, folder, files) for one in subjects.findings]
    left_out = [*found.without_rows, *subjects.left_out]
    return Proposal(rendered(findings), folder, findings, left_out)


def _with_patterns(one: Finding, folder: Path, files: Sequence[Path]) -> Finding:
    """A finding whose files, and those it looks up, have paths below the input."""

    def placed(group: FileGroup) -> FileGroup:
        return with_pattern(group, folder, [file for file in files if file not in group.files])

    lookups = {name: (placed(group), on) for name, (group, on) in one.lookups.items()}
    doubts = [doubt for group, _ in lookups.values() for doubt in group.sample.doubts]
    group = placed(one.group)
    return replace(one, group=group, lookups=lookups, doubts=[*one.doubts, *doubts])


def require_new_configuration(out: Path, places: Sequence[Path], *, is_forced: bool) -> None:
    """Makes sure that a configuration can be written there, before files are looked into.

    Args:
        out: the file to write.
        places: files and folders that will be looked into.
        is_forced: whether a file that is there is written over, unless it is one of these.

    Raises:
        UserError: if not.
    """
    if out.is_dir():
        raise UserError(f"--out {out}: is a folder; name a file, such as {out / 'shop.toml'}")
    if (out.exists() or out.is_symlink()) and not is_forced:
        raise UserError(f"--out {out}: is there already; name another file, or give --force")
    if out.exists() and any(_lies_in(out, file) for file in found_files(places)):
        raise UserError(f"--out {out}: is one of the files to be looked into; name another one")
    if not out.absolute().parent.is_dir():
        raise UserError(f"--out {out}: there is no folder '{out.parent}'; make it first")


def _lies_in(out: Path, file: Path) -> bool:
    """Whether a file is another one, or a part of a table."""
    return file.resolve() in (out.resolve(), *out.resolve().parents)


def write_configuration(out: Path, text: str) -> None:
    """The text under its name when it is whole.

    Raises:
        UserError: if it cannot be written.
    """
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        name = error.object[error.start : error.end].encode("unicode_escape").decode("ascii")
        raise UserError(
            f"--out {out}: is not written: the name of a file or of a column has {name}, which is "
            "no letter in UTF-8: rename it"
        ) from None
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"--out {out}: cannot be written: {error.strerror}") from None


def _shown_rows(one: Finding) -> list[list[str]]:
    """The first rows that belong to the section, of those with a customer where there are any."""
    kept = [row for row in one.group.sample.rows if one.keep is None or one.keep.holds(row)]
    customer = one.fields["customer_id"]
    named = [row for row in kept if customer.read(row)] or kept
    fields = [*one.fields.values(), *one.attributes.values()]
    return [[_short(field.read(row)) for field in fields] for row in named[:_SHOWN_ROWS]]


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_LETTERS else text[: _SHOWN_LETTERS - 1] + "…"


def _all_doubts(one: Finding) -> list[str]:
    return [*one.group.sample.doubts, *one.doubts]


def _list(title: str, told: Sequence[tuple[str, str]]) -> Panel:
    return Panel(title, ":", [PanelColumn("section"), PanelColumn("what")], told)
