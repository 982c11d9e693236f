"""Groups of files that are written in the same way, and the pattern that names each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from rfm_spark.app.proposal.findings import FileGroup
from rfm_spark.app.proposal.raw_text import ANY_ENCODING, without_compression
from rfm_spark.app.proposal.sample import Sample
from rfm_spark.app.proposal.samples import ENDINGS, is_delta_table, read_sample
from rfm_spark.core.errors import UserError


def found_files(places: Sequence[Path]) -> list[Path]:
    """The files that were named, and those in folders that were named.

    Raises:
        UserError: if one is not there, or a folder has none that can be looked into.
    """
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise UserError(f"{place}: there is no such file or folder")
        inside = list(_files_in(place)) if place.is_dir() else [place]
        if not inside:
            raise UserError(
                f"{place}: has no file that can be looked into: CSV, JSON lines, Parquet, or a "
                "Delta table"
            )
        found += [one for one in inside if one not in found]
    return found


def file_groups(files: Sequence[Path]) -> list[FileGroup]:
    """Files in groups, each with a sample.

    Names that differ in their digits alone are one group from the start, so that of a year of daily
    files the first and the last are opened; groups of one format and the same columns are one.

    Raises:
        UserError: if a file cannot be read.
    """
    by_name: dict[str, list[Path]] = {}
    for file in files:
        by_name.setdefault(re.sub(r"\d+", "0", str(file)), []).append(file)
    groups: dict[object, FileGroup] = {}
    for members in by_name.values():
        members.sort()
        sample = read_sample(members[0])
        if len(members) > 1:
            sample = _together(sample, read_sample(members[-1]))
            sample = replace(sample, is_whole=sample.is_whole and len(members) == 2)
        delimiter = sample.dialect.delimiter if sample.dialect else ""
        key: object = (sample.format, tuple(sample.columns), delimiter)
        if sample.format == "delta":
            key = members[0]
        earlier = groups.get(key)
        if earlier is None:
            groups[key] = FileGroup(tuple(members), sample)
        else:
            files = tuple(sorted([*earlier.files, *members]))
            groups[key] = FileGroup(files, _together(earlier.sample, sample))
    return list(groups.values())


def pattern_of(group: FileGroup, folder: Path, others: Iterable[Path]) -> str:
    """The path below a folder that names the files of a group, and no other of those looked at."""
    names = [file.relative_to(folder).as_posix() for file in group.files]
    if len(names) == 1:
        return _literal(names[0])
    start = _common_start(names)
    end = _common_start([name[len(start) :][::-1] for name in names])[::-1]
    strangers = [one.relative_to(folder).as_posix() for one in others if one not in group.files]
    # Whole numbers and dates: the next file's has other digits than those that these share.
    wide = re.sub(r"[\d_-]*\d$", "", start) + "*" + re.sub(r"^\d[\d_-]*", "", end)
    pattern = f"{start}*{end}"
    if not any(fnmatchcase(name, wide) for name in strangers):
        pattern = wide
    levels = {name.count("/") for name in names}
    if len(levels) > 1 or pattern.count("/") not in levels or re.search(r"[\[\]{}?\\]", pattern):
        return "{" + ",".join(map(_literal, names)) + "}"
    if any(fnmatchcase(name, pattern) for name in strangers):
        return "{" + ",".join(map(_literal, names)) + "}"
    return pattern


def common_folder(files: Sequence[Path]) -> Path:
    """The folder below which all files lie."""
    return Path(os.path.commonpath([file.absolute().parent for file in files]))


def _common_start(names: Sequence[str]) -> str:
    """The letters that all names begin with; of a path's last part a piece, too."""
    first, last = min(names), max(names)
    differs = next((at for at, one in enumerate(first) if last[at : at + 1] != one), len(first))
    return first[:differs]


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


def _together(first: Sample, other: Sample) -> Sample:
    """Rows of both, written so that either is read."""
    if tuple(first.columns) != tuple(other.columns):
        new = ", ".join(sorted(set(other.columns) ^ set(first.columns))) or "their order"
        doubt = f"{other.file.name} has not the columns of {first.file.name}: {new}"
        return replace(first, doubts=(*first.doubts, doubt), is_whole=False)
    told = [one.encoding for one in (first, other) if one.encoding != ANY_ENCODING]
    doubts = dict.fromkeys((*first.doubts, *other.doubts))
    if len(set(told)) > 1:
        doubts[f"{other.file.name} is {told[1]}, and {first.file.name} {told[0]}: write all in "
               "one encoding"] = None  # fmt: skip
    return replace(
        first,
        rows=[*first.rows, *other.rows],
        is_whole=first.is_whole and other.is_whole,
        dialect=first.dialect and other.dialect and first.dialect.with_other(other.dialect),
        encoding=told[0] if told else ANY_ENCODING,
        types={**first.types, **other.types},
        doubts=tuple(doubts),
    )


def _literal(name: str) -> str:
    """A name in a pattern: what would be a wildcard in it stands for any character."""
    return re.sub(r"[\[\]{}*?\\,]", "?", name)
