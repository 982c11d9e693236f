"""Deliveries: lists what a source has brought, on any file system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from pyspark.sql import SparkSession

from rfm_spark.core.errors import UserError
from rfm_spark.core.natural_order import natural_key
from rfm_spark.settings.sources import DATE, Lookup, Source
from rfm_spark.storage.commit_log import CommitLog
from rfm_spark.storage.listing import ListedFile, listed_files
from rfm_spark.storage.locations import below, relative
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.spark_errors import FAILED, first_line

_MAX_FILES_SHOWN = 3
_MAX_BYTES_WITHOUT_ROWS = 2
"""A line break, or a header of one letter: a row needs more."""

_UNREAD = {
    "an archive": (".zip", ".7z", ".rar", ".tar", ".tgz"),
    "compressed in a way that is not read": (".xz", ".lz4", ".lzma", ".z", ".snappy"),
    "a spreadsheet": (".xlsx", ".xls", ".ods"),
}
"""Text files that Spark reads as nothing, or as the bytes that they are."""


@dataclass(frozen=True)
class RawFile:
    """A file of raw data.

    Attributes:
        uri: URI of the file, as in Spark's `_metadata.file_path`.
        path: path of the file, as Hadoop opens it.
        name: path relative to the input folder.
        length: size in bytes.
    """

    uri: str
    path: str
    name: str
    length: int


RETRACTED = "retracted:"
"""Before the fingerprint of a delivery that was taken back: its files are not taken in again."""

UNFINISHED = "unfinished:"
"""Before that of a delivery that is being read again: should that stop, it counts as changed."""


@dataclass(frozen=True)
class Delivery:
    """A delivery of raw data: a file, a folder of part files, or a Delta table.

    Attributes:
        name: path relative to the input folder; deliveries are in its natural order.
        files: files of the delivery.
        fingerprint: digest of file names, sizes and modification times, or of the Delta table's
            last commit.
    """

    name: str
    files: tuple[RawFile, ...]
    fingerprint: str


def retracted(name: str, fingerprint: str) -> Delivery:
    """A delivery that was taken in, without its files: nothing of it is left.

    Args:
        name: of the delivery.
        fingerprint: with which it was taken in.
    """
    return Delivery(name, (), RETRACTED + without_mark(fingerprint))


def without_mark(fingerprint: str) -> str:
    """The fingerprint with which a delivery was taken in, whatever became of it since."""
    return fingerprint.removeprefix(RETRACTED).removeprefix(UNFINISHED)


class NoFilesError(UserError):
    """No file matches the path of a source."""


def find_deliveries(
    sessions: SparkSession | SessionOnDemand,
    source: Source | Lookup,
    input_path: str,
    label: str,
    night: date | None = None,
) -> list[Delivery]:
    """Deliveries that match the path of a source, in natural order of their names.

    Args:
        sessions: the session, or where to get one; local files need none.
        source: source or look-up; `{date}` in its path stands for the day of `night`.
        input_path: path of the raw data folder.
        label: configuration section of the source, for messages.
        night: day of the deliveries to list; None for all.

    Returns:
        The deliveries; none only where those of `night` are empty files.

    Raises:
        NoFilesError: if nothing matches.
        UserError: if the path cannot be listed.
    """
    sessions = SessionOnDemand.of(sessions)
    pattern = source.path
    if isinstance(source, Source):
        pattern = pattern.replace(DATE, "*" if night is None else night.isoformat())
    path = below(input_path, pattern)
    if source.format == "delta":
        log = CommitLog(sessions, path)
        versions = log.versions()
        if not versions:
            raise UserError(f"[{label}] path: {path} is not a Delta table")
        table = RawFile(path, path, pattern, 0)
        return [Delivery(pattern, (table,), log.fingerprint(versions[-1]))]
    try:
        listed = listed_files(sessions, input_path, pattern)
    except FileNotFoundError:
        raise NoFilesError(f"[{label}] path: no file matches {path}") from None
    except (OSError, *FAILED) as error:
        raise UserError(f"[{label}] path: {path} cannot be listed: {first_line(error)}") from None
    if source.format == "csv":
        listed = [found for found in listed if found.length > _MAX_BYTES_WITHOUT_ROWS]
    if problems := list(_unreadable_files(listed, source.format, label)):
        raise UserError(problems)
    if not listed and night is not None:
        return []  # no data for that day
    if not listed:
        raise UserError(
            f"[{label}] path: every file that matches {path} is empty, or has a name that begins "
            "with _ or ., which is passed over"
        )
    by_name: dict[str, list[tuple[RawFile, int]]] = {}
    for found in listed:
        file = RawFile(found.uri, found.path, relative(found.path, input_path), found.length)
        folder = file.name.rpartition("/")[0] or "."
        by_folder = isinstance(source, Source) and source.delivery == "folder"
        name = folder if by_folder else file.name
        by_name.setdefault(name, []).append((file, found.modified_us))
    in_order = sorted(by_name.items(), key=lambda named: natural_key(named[0]))
    return [_delivery_from_files(name, files) for name, files in in_order]


def lookups_fingerprint(
    sessions: SparkSession | SessionOnDemand, source: Source, input_path: str, label: str
) -> str:
    """Digest of the fingerprints of the look-ups of a source, but those of a day; empty without."""
    fingerprints = [
        delivery.fingerprint
        for name, lookup in source.lookups.items()
        for delivery in find_deliveries(sessions, lookup, input_path, f"{label}.lookups.{name}")
        if lookup.valid_from is None
    ]
    return sha256(repr(fingerprints).encode()).hexdigest()[:16] if fingerprints else ""


def files_with_rows(source: Source, deliveries: Sequence[Delivery]) -> list[RawFile]:
    """Files of deliveries, without empty text files where there are others."""
    files = [file for delivery in deliveries for file in delivery.files]
    if source.format in ("csv", "json"):
        # An empty file has no rows and no header.
        files = [file for file in files if file.length > 0] or files
    return files


def file_paths(source: Source, deliveries: Sequence[Delivery]) -> list[str]:
    """Their paths, as Hadoop opens them."""
    return [file.path for file in files_with_rows(source, deliveries)]


def _unreadable_files(files: Sequence[ListedFile], file_format: str, label: str) -> Iterator[str]:
    if file_format not in ("csv", "json"):
        return
    for reason, endings in _UNREAD.items():
        named = [found.path for found in files if found.path.lower().endswith(endings)]
        if named:
            shown = ", ".join(named[:_MAX_FILES_SHOWN])
            yield (
                f"[{label}] path: {shown} is {reason}: give it as {file_format}, plain or "
                "compressed by gzip or bzip2"
            )


def _delivery_from_files(name: str, timed_files: list[tuple[RawFile, int]]) -> Delivery:
    ordered_files = sorted(timed_files, key=lambda timed_file: timed_file[0].name)
    description = repr([(file.name, file.length, modified) for file, modified in ordered_files])
    files = tuple(file for file, _ in ordered_files)
    return Delivery(name, files, sha256(description.encode()).hexdigest()[:16])
