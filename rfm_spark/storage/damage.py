"""Damage: files of a table that are not what was written, or are not there any more.

A write leaves nothing half done. A disk, a copy that was broken off, or a person can: then no table
is read as if that were its rows.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from rfm_spark.core.errors import RunFailure
from rfm_spark.storage.locations import below, is_local, plain

_FILE = re.compile(
    r"(?P<table>(?:[\w+.-]+:/+|/)\S*?)/(?:[^\s/=]+=[^\s/]*/)*"
    r"(?:_delta_log/)?(?:part-[^\s/]+|\d{20}\.[^\s/]+?)\.(?:parquet|json)\b"
)
"""A file of a Delta table in the text of an error, after the folders of its partition."""

_SIGNS = (
    *("FAILED_READ_FILE", "ChecksumException", "Checksum error", "not a Parquet file"),
    *("does not exist", "not found", "FILE_NOT_EXIST", "Could not open Parquet input source"),
    *("CANNOT_READ_FILE_FOOTER", "corrupt", "Truncated", "magic bytes"),
)
"""What Spark, Delta, Parquet and delta-rs say of a file that is not as it was written."""

_VERSIONED = re.compile(r"(\d{20})\.(json|crc|checkpoint)\b")
_PARQUET = b"PAR1"
"""How a Parquet file begins and ends."""

_CHECKSUM_HEAD = struct.Struct(">4si")


class Damage(RunFailure):
    """A file of a table is damaged or gone.

    Attributes:
        table: name of the table.
        file: path of the file, or of the table where only that is known.
    """

    def __init__(self, table: str, file: str, what: str) -> None:
        self.table = table
        self.file = file
        super().__init__(f"{file}: {what}")


def damage_in(error: BaseException, names: Sequence[str]) -> Damage | None:
    """The damage that an error tells of; None where it tells of something else.

    Args:
        error: of Spark, Delta or Arrow.
        names: of the tables that there are.
    """
    text = str(error)
    if not any(sign in text for sign in _SIGNS):
        return None
    for found in _FILE.finditer(text):
        table = plain(unquote(found["table"])).rpartition("/")[2]
        if table in names:
            return Damage(table, plain(unquote(found[0])), "is damaged, or gone")
    return None


def damage_of_log(table: str, log: str, names: Sequence[str]) -> Damage | None:
    """What of a table's log is gone, or damaged; None where nothing is.

    Delta puts a checksum beside every commit, and a checkpoint beside some: one of these without
    its commit tells that the newest commits are lost. What a reader needs is the newest checkpoint
    and all commits after it; on a local disk, each of them is looked at as well.

    Args:
        table: name of the table.
        log: folder or URI of its log.
        names: of all files in it.
    """
    told = [(int(found[1]), found[2]) for name in names if (found := _VERSIONED.match(name))]
    commits = {version for version, kind in told if kind == "json"}
    newest = max((version for version, _ in told), default=-1)
    checkpoint = max((version for version, kind in told if kind == "checkpoint"), default=-1)
    # The newest commit says what the table is at, also where a checkpoint says the same.
    needed = range(min(checkpoint + 1, newest), newest + 1) if told else range(0)
    for version in needed:
        file = below(log, f"{version:020}.json")
        if version not in commits:
            return Damage(table, file, "this commit of the table is gone")
        if is_local(log) and not _is_whole_commit(Path(file)):
            return Damage(table, file, "this commit of the table is damaged")
    for name in names if is_local(log) else ():
        if name.startswith(f"{checkpoint:020}.checkpoint.") and not _is_whole_parquet(
            Path(log, name)
        ):
            return Damage(table, below(log, name), "this checkpoint of the table is damaged")
    return None


def _is_whole_commit(file: Path) -> bool:
    """Whether a commit on a local disk is as it was written.

    Readers take one that lost its last lines for one that did less, so its checksum decides; one of
    delta-rs has none, and must be whole lines of JSON.
    """
    if not _fits_checksum(file):
        return False
    lines = file.read_bytes().splitlines()
    try:
        return bool(lines) and all(isinstance(json.loads(line), dict) for line in lines)
    except ValueError:
        return False


def _is_whole_parquet(file: Path) -> bool:
    """Whether a small Parquet file on a local disk is as it was written, by what can be told."""
    content = file.read_bytes()
    is_ended = content.startswith(_PARQUET) and content.endswith(_PARQUET)
    return is_ended and _fits_checksum(file)


def _fits_checksum(file: Path) -> bool:
    """Whether a file is that of the checksum which Hadoop keeps beside it; True without one.

    It is a CRC-32 of each so many bytes.
    """
    kept = file.with_name(f".{file.name}.crc")
    if not kept.is_file():
        return True
    content, checksum = file.read_bytes(), kept.read_bytes()
    if len(checksum) < _CHECKSUM_HEAD.size:
        return False
    magic, size = _CHECKSUM_HEAD.unpack_from(checksum)
    if magic != b"crc\0" or size <= 0:
        return False
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    sums = struct.pack(f">{len(parts)}I", *map(zlib.crc32, parts))
    return checksum[_CHECKSUM_HEAD.size :] == sums
