"""Listing: the files that a path with wildcards stands for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from rfm_spark.storage.locations import below, is_local, literal, plain
from rfm_spark.storage.on_demand import SessionOnDemand

_WILDCARDS_IN_COMMON = re.compile(r"(?!.*\*\*)[^\[\]{}\\]*")
"""Patterns that mean the same to Python and to Hadoop."""
_PLAIN_PATH = re.compile(r"(?!.*/_(common_)?metadata)[\w./=+,~@-]*", re.ASCII)
"""Paths that no URI writes otherwise; some names that begin with `_` Spark does not leave out."""


@dataclass(frozen=True)
class ListedFile:
    """A file that is not empty.

    Attributes:
        uri: as in Spark's `_metadata.file_path`.
        path: as Hadoop opens it.
        length: in bytes.
        modified_us: when it was last modified, in microseconds since 1970, cut to a millisecond.
    """

    uri: str
    path: str
    length: int
    modified_us: int


def listed_files(sessions: SessionOnDemand, folder: str, pattern: str) -> list[ListedFile]:
    """Files below a folder that a pattern names, and all files in folders that it names.

    Empty files, and those and folders whose names begin with `_` or `.`, are left out, as Spark's
    readers do it.

    Args:
        sessions: for what is not local, and for patterns that only Hadoop knows.
        folder: an absolute path or a URI; no character of it is a wildcard.
        pattern: a path below it, with wildcards of Hadoop.

    Raises:
        FileNotFoundError: if nothing matches.
        OSError, AnalysisException, Py4JJavaError: if it cannot be listed.
    """
    if is_local(folder) and _WILDCARDS_IN_COMMON.fullmatch(pattern):
        found = _local_files(folder, pattern)
        if all(_PLAIN_PATH.fullmatch(plain(file.path)) for file in found):
            return found
    return _files_by_spark(sessions.session, folder, pattern)


def _local_files(place: str, pattern: str) -> list[ListedFile]:
    """Files that are not empty, each once."""
    folder = Path(plain(place))
    named = folder.glob(pattern) if re.search(r"[*?]", pattern) else [folder / pattern]
    matches = {Path(os.path.normpath(path)): None for path in named if path.exists()}
    if not matches:
        raise FileNotFoundError(folder / pattern)
    found = []
    for file in (file for match in matches for file in _files_in(match)):
        status = file.stat()
        if status.st_size:
            modified_us = status.st_mtime_ns // 10**6 * 1000
            path = _as_given(str(file), place)
            found.append(ListedFile(f"file:{file}", path, status.st_size, modified_us))
    return found


def _files_in(path: Path) -> Iterator[Path]:
    """Files in a folder and in those in it; a file alone."""
    if not path.is_dir():
        if not _is_hidden(path.name):
            yield path
        return
    for entry in path.iterdir():
        if not _is_hidden(entry.name):
            yield from _files_in(entry)


def _is_hidden(name: str) -> bool:
    """Whether Spark's readers leave out such a name."""
    if name.startswith(("_metadata", "_common_metadata")):
        return False
    is_marked = name.startswith("_") and "=" not in name
    return is_marked or name.startswith(".") or name.endswith("._COPYING_")


def _files_by_spark(spark: SparkSession, folder: str, pattern: str) -> list[ListedFile]:
    listing = spark.read.format("binaryFile").option("recursiveFileLookup", True)
    try:
        rows = (
            listing.load(below(literal(folder), pattern))
            .select(
                "_metadata.file_path",
                "path",
                "length",
                # As a number: Python would convert a timestamp to the time zone of this machine.
                F.unix_micros("modificationTime"),
            )
            # Otherwise Spark would make one task of every few files.
            .coalesce(spark.sparkContext.defaultParallelism)
            .collect()
        )
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        raise FileNotFoundError(below(folder, pattern)) from None
    return [
        ListedFile(uri, _as_given(path, folder), length, time) for uri, path, length, time in rows
    ]


def _as_given(path: str, folder: str) -> str:
    """A path below a folder, with a scheme if and only if the folder has one."""
    if not is_local(folder):
        return path
    return plain(path) if folder.startswith("/") else f"file:{plain(path)}"
