"""The proposal of a configuration: from files that nobody has described to TOML, without Spark."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rfm_spark.app.proposal.findings import Finding
from rfm_spark.app.proposal.groups import common_folder, file_groups, found_files
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
    groups = file_groups(files)
    subjects = subjects_of(groups, preset)
    folder = common_folder(files)
    return Proposal(
        rendered(subjects.findings, folder), folder, subjects.findings, subjects.left_out
    )


def require_new_configuration(out: Path, *, is_forced: bool) -> None:
    """Makes sure that a configuration can be written there, before files are looked into.

    Raises:
        UserError: if not.
    """
    if out.is_dir():
        raise UserError(f"--out {out}: is a folder; name a file, such as {out / 'shop.toml'}")
    if (out.exists() or out.is_symlink()) and not is_forced:
        raise UserError(f"--out {out}: is there already; name another file, or give --force")
    if not out.absolute().parent.is_dir():
        raise UserError(f"--out {out}: there is no folder '{out.parent}'; make it first")


def write_configuration(out: Path, text: str) -> None:
    """The text under its name when it is whole.

    Raises:
        UserError: if it cannot be written.
    """
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
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
