"""Groups of files that are written in the same way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rfm_spark.app.proposal.file_headers import differences, told_files
from rfm_spark.app.proposal.findings import FileGroup
from rfm_spark.app.proposal.folder_columns import with_folder_columns
from rfm_spark.app.proposal.line_breaks import with_line_breaks
from rfm_spark.app.proposal.raw_text import ANY_ENCODING, without_compression
from rfm_spark.app.proposal.sample import NoRows, Sample
from rfm_spark.app.proposal.samples import ENDINGS, is_delta_table, read_sample
from rfm_spark.core.errors import UserError


@dataclass(frozen=True)
class Groups:
    """All files that were named.

    Attributes:
        groups: files that are written in the same way.
        without_rows: files that are in none, as there are no rows in them, each with the reason.
    """

    groups: Sequence[FileGroup]
    without_rows: Sequence[str]


def found_files(places: Sequence[Path]) -> list[Path]:
    """The files that were named, and those in folders that were named.

    Raises:
        UserError: if one is not there, or a folder has none that can be looked into.
    """
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise UserError(f"{place}: there is no such file or folder")
        try:
            inside = list(_files_in(place)) if place.is_dir() else [place]
        except OSError as error:
            raise UserError(f"{error.filename}: cannot be looked into: {error.strerror}") from None
        if not inside:
            raise UserError(
                f"{place}: has no file that can be looked into: CSV, JSON lines, Parquet, or a "
                "Delta table (names with _ or . in front are passed over, as Spark does)"
            )
        found += [one for one in inside if one not in found]
    return found


def file_groups(files: Sequence[Path]) -> Groups:
    """Files in groups, each with a sample.

    Names that differ in their digits alone are one group from the start, so that of a year of daily
    files the first two and the last are opened, and of the others the header; groups of one format
    and the same columns are one.

    Raises:
        UserError: if a file cannot be read, or there is no row in all of them.
    """
    by_name: dict[str, list[Path]] = {}
    for file in files:
        # Each Delta table is read by itself.
        kind = str(file) if is_delta_table(file) else re.sub(r"\d+", "0", str(file))
        by_name.setdefault(kind, []).append(file)
    folder = common_folder(files)
    groups: dict[object, FileGroup] = {}
    without_rows: list[str] = []
    for members in by_name.values():
        try:
            group = _group_of(sorted(members), folder)
        except NoRows as error:
            without_rows += error.problems
            continue
        sample = group.sample
        dialect = sample.dialect
        written = (dialect.delimiter, dialect.skip_lines) if dialect else ()
        key: object = (sample.format, tuple(sample.columns), written)
        if sample.format == "delta":
            key = members[0]
        if key in groups:
            all_members = tuple(sorted([*groups[key].files, *members]))
            group = FileGroup(all_members, _together(groups[key].sample, sample))
        groups[key] = group
    if not groups:
        raise UserError(without_rows)
    return Groups(list(groups.values()), without_rows)


def common_folder(files: Sequence[Path]) -> Path:
    """The folder below which all files lie."""
    return Path(os.path.commonpath([file.absolute().parent for file in files]))


def _files_in(folder: Path) -> Iterable[Path]:
    if is_delta_table(folder):
        yield folder
        return
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(("_", ".")):
            continue
        if entry.is_dir():
            yield from _files_in(entry)
        elif without_compression(entry.name).lower().endswith(ENDINGS):
            yield entry


def _group_of(members: Sequence[Path], folder: Path) -> FileGroup:
    """Files of one kind of name, with the rows of the first two and the last that have any.

    Args:
        members: the files.
        folder: the input.

    Raises:
        NoRows: if none has.
    """
    first = _first_with_rows(members, folder)
    further = [file for file in members if file != first.file]
    sample, looked = first, {first.file}
    for order in (further, further[::-1]):
        unread = [file for file in order if file not in looked]
        try:
            other = _first_with_rows(unread, folder) if unread else None
        except NoRows:
            break
        if other is not None:
            looked.add(other.file)
            sample = _together(sample, other)
    doubts = [f"{told_files(names)}: {reason}" for reason, names in
              differences(members, first).items()]  # fmt: skip
    sample = with_line_breaks(sample, members)
    return FileGroup(
        tuple(members),
        replace(
            sample,
            is_whole=sample.is_whole and len(looked) == len(members),
            doubts=(*sample.doubts, *doubts),
        ),
    )


def _first_with_rows(files: Sequence[Path], folder: Path) -> Sample:
    """The sample of the first file that has rows.

    Raises:
        NoRows: if none has, with the reason of each.
    """
    problems: list[str] = []
    for file in files:
        try:
            return with_folder_columns(read_sample(file), folder)
        except NoRows as error:
            problems += error.problems
    raise NoRows(problems)


def _together(first: Sample, other: Sample) -> Sample:
    """Rows of both, written so that either is read; of the first where their columns differ."""
    columns = dict(first.columns)
    doubts = dict.fromkeys((*first.doubts, *other.doubts))
    if first.format == "json":
        columns |= other.columns
        if new := sorted(set(first.columns) ^ set(other.columns)):
            doubts[f"keys that are not both in {first.file.name} and in {other.file.name}: "
                   f"{', '.join(new)}"] = None  # fmt: skip
    elif tuple(columns) != tuple(other.columns):
        return replace(first, is_whole=False)
    told = [one.encoding for one in (first, other) if one.encoding != ANY_ENCODING]
    if len(set(told)) > 1:
        doubts[f"{other.file.name} is {told[1]}, and {first.file.name} {told[0]}: write all in "
               "one encoding"] = None  # fmt: skip
    return replace(
        first,
        columns=columns,
        rows=[*first.rows, *other.rows],
        is_whole=first.is_whole and other.is_whole,
        dialect=first.dialect and other.dialect and first.dialect.with_other(other.dialect),
        encoding=told[0] if told else ANY_ENCODING,
        types={**first.types, **other.types},
        doubts=tuple(doubts),
        starts=(*first.starts, *(len(first.rows) + start for start in other.starts)),
    )
