"""Folders: single files of a place, through Python where it is local and else through Hadoop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from rfm_spark.storage.gateway import HadoopFolder
from rfm_spark.storage.locations import is_local, plain
from rfm_spark.storage.on_demand import SessionOnDemand


class Folder(Protocol):
    """A folder whose files are read one by one."""

    def names(self) -> list[str]:
        """Names of what lies in it; none where it is not there."""

    def lines(self, name: str) -> Iterator[str]:
        """Lines of a text file, in UTF-8."""

    def delete(self, name: str) -> None:
        """Removes a file, and the checksum that Hadoop keeps beside it."""


class LocalFolder:
    """A folder of this machine, which needs no Spark.

    Args:
        place: absolute path.
    """

    def __init__(self, place: str) -> None:
        self._folder = Path(place)

    def names(self) -> list[str]:
        """Names of what lies in it; none where it is not there."""
        try:
            return [path.name for path in self._folder.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def lines(self, name: str) -> Iterator[str]:
        """Lines of a text file, in UTF-8."""
        with (self._folder / name).open(encoding="utf-8") as file:
            for line in file:
                yield line.rstrip("\n")

    def delete(self, name: str) -> None:
        """Removes a file, and the checksum that Hadoop keeps beside it."""
        (self._folder / name).unlink(missing_ok=True)
        (self._folder / f".{name}.crc").unlink(missing_ok=True)


def folder(sessions: SessionOnDemand, place: str) -> Folder:
    """The folder at a location."""
    return LocalFolder(plain(place)) if is_local(place) else HadoopFolder(sessions.session, place)
