"""Patterns that name the files of a group below the input, and what else they would take in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rfm_spark.app.proposal.file_headers import differences, told_files
from rfm_spark.app.proposal.findings import FileGroup


def with_pattern(group: FileGroup, folder: Path, strangers: Sequence[Path]) -> FileGroup:
    """A group with the path that names its files, and what to say of others that it names too.

    Args:
        group: the files.
        folder: the input.
        strangers: files that are known to be something else.
    """
    names = [file.relative_to(folder).as_posix() for file in group.files]
    found = [_taken_in(pattern, folder, group, strangers) for pattern in _patterns(names)]
    pattern, further, unlike = next((one for one in found if not one[2]), found[-1])
    doubts = [f"path fits {told_files(files)} as well: {reason}" for reason, files in
              unlike.items()]  # fmt: skip
    known = {name for files in unlike.values() for name in files}
    if alike := [file.name for file in further if file.name not in known]:
        doubts.append(f"path fits {told_files(alike)} as well, which nobody named")
    sample = replace(group.sample, doubts=(*group.sample.doubts, *doubts))
    return replace(group, pattern=pattern, sample=sample)


def _taken_in(
    pattern: str, folder: Path, group: FileGroup, strangers: Sequence[Path]
) -> tuple[str, list[Path], dict[str, list[str]]]:
    """A pattern, the files outside of a group that it names, and those that do not belong there."""
    further = [file for file in _matched(folder, pattern) if file not in group.files]
    unlike = differences(further, group.sample)
    known = {name for files in unlike.values() for name in files}
    if others := [file.name for file in further if file in strangers and file.name not in known]:
        unlike["something else"] = others
    return pattern, further, unlike


def _patterns(names: Sequence[str]) -> list[str]:
    """What names files, from what takes in those to come to what lists these alone."""
    listed = _literal(names[0]) if len(names) == 1 else "{" + ",".join(map(_literal, names)) + "}"
    start, end = _common_ends(names)
    levels = {name.count("/") for name in names}
    fitting = [
        pattern
        for pattern in (*_by_folders(names), _wide(names), f"{start}*{end}")
        if levels == {pattern.count("/")} and not re.search(r"[\[\]{}?\\]", pattern)
    ]
    return [*(fitting if len(names) > 1 else ()), listed]


def _by_folders(names: Sequence[str]) -> list[str]:
    """The pattern of files whose folders tell columns: any value of each, as in `dt=*/*.csv`."""
    *folders, files = zip(*(name.split("/") for name in names), strict=False)
    keys = [{folder.partition("=")[0] for folder in level if "=" in folder} for level in folders]
    if not any(keys):
        return []
    parts = [_of_level(level, told) for level, told in zip(folders, keys, strict=True)]
    return ["/".join([*parts, files[0] if len(set(files)) == 1 else _wide(files)])]


def _of_level(names: Sequence[str], keys: set[str]) -> str:
    """A pattern for folders of one level, of which some tell columns."""
    if len(keys) == 1 and all("=" in name for name in names):
        return f"{next(iter(keys))}=*"
    return names[0] if len(set(names)) == 1 else "*"


def _wide(names: Sequence[str]) -> str:
    """What names have in common, without the digits where they differ.

    Whole numbers and dates: the next file's has other digits than those that these share.
    """
    start, end = _common_ends(names)
    return re.sub(r"[\d_-]*\d$", "", start) + "*" + re.sub(r"^\d[\d_-]*", "", end)


def _common_ends(names: Sequence[str]) -> tuple[str, str]:
    """The letters that all names begin with, and those that the rest of each ends with."""
    start = _common_start(names)
    return start, _common_start([name[len(start) :][::-1] for name in names])[::-1]


def _matched(folder: Path, pattern: str) -> list[Path]:
    """Files that Spark would read by a pattern: it passes over those with _ or . in front."""
    one_each = pattern[1:-1].split(",") if pattern.startswith("{") else [pattern]
    return [
        file
        for one in one_each
        for file in sorted(folder.glob(one))
        if not file.name.startswith(("_", ".")) and file.is_file()
    ]


def _common_start(names: Sequence[str]) -> str:
    """The letters that all names begin with; of a path's last part a piece, too."""
    first, last = min(names), max(names)
    differs = next((at for at, one in enumerate(first) if last[at : at + 1] != one), len(first))
    return first[:differs]


def _literal(name: str) -> str:
    """A name in a pattern: what would be a wildcard in it stands for any character."""
    return re.sub(r"[\[\]{}*?\\,]", "?", name)
