"""The commit log of a Delta table: what each commit says about itself.

It is read as Delta's protocol describes it, file by file: `DeltaTable.history()` tells the same by
a Spark job of a tenth of a second, for which a run would wait fifty times.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Self

from rfm_spark.storage.damage import damage_of_log
from rfm_spark.storage.folders import folder
from rfm_spark.storage.locations import below
from rfm_spark.storage.on_demand import SessionOnDemand

_UNCHANGED = (
    "OPTIMIZE",
    "VACUUM START",
    "VACUUM END",
    "CREATE TABLE",
    "ADD COLUMNS",
    "CHANGE COLUMN",
    "CHANGE COLUMNS",
    "REMOVE COLUMN MAPPING",
    "SET TBLPROPERTIES",
    "UNSET TBLPROPERTIES",
    "UPGRADE PROTOCOL",
)
"""Operations that leave the rows as they are."""

_COMMIT = re.compile(r"(\d{20})\.json")
_OF_VERSION = re.compile(r"(\d{20})\.")
_LAST_CHECKPOINT = "_last_checkpoint"

NOTE = "userMetadata"
"""What Delta calls a writer's note, in a commit and as an option."""

_OURS, _LEASE, _DESCRIBED = "rfm_spark", "lease", "described"
_ONCE_NOTED = frozenset({"as_of", "days", "of"})
"""Of which a note of 0.1.0, which did not say whose it is, has one."""


@dataclass(frozen=True)
class Note:
    """A commit of a table, with what we noted about it.

    Attributes:
        version: Delta version.
        is_write: whether rows could have changed.
        is_ours: whether this program made it; platforms and people leave notes of their own.
        lease: number of the lease that it was made under; None of a local warehouse.
        content: our note; empty where there is none.
        described: days that the run was to describe, which the commit is of; none of a command
            that describes no day, or of an earlier release.
    """

    version: int
    is_write: bool
    is_ours: bool
    content: Mapping[str, Any]
    lease: int | None = None
    described: frozenset[date] = frozenset()

    @classmethod
    def of(cls, version: int, info: Mapping[str, Any]) -> Self:
        """Of a commit with this `commitInfo`."""
        found = _read(info.get(NOTE))
        noted = _noted(found)
        is_write = info.get("operation") not in _UNCHANGED
        if noted is None:
            return cls(version, is_write, False, {})
        described = frozenset(map(date.fromisoformat, found.get(_DESCRIBED, ())))
        return cls(version, is_write, True, noted, found.get(_LEASE), described)

    @staticmethod
    def written(
        content: Mapping[str, Any], lease: int | None = None, described: Iterable[date] = ()
    ) -> str:
        """A note as a commit keeps it."""
        days = [day.isoformat() for day in sorted(described)]
        told = {_OURS: content, _LEASE: lease, _DESCRIBED: days or None}
        return json.dumps({key: one for key, one in told.items() if one is not None})


def _read(text: str | None) -> Mapping[str, Any]:
    """A note, whoever wrote it; empty of one that is no object."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _noted(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a note of ours says; None of somebody else's."""
    if isinstance(found.get(_OURS), dict):
        return dict(found[_OURS])
    return found if found.keys() & _ONCE_NOTED else None


class CommitLog:
    """The commits of one table that the log still holds.

    Args:
        sessions: for file systems of Hadoop: no public API of Spark reads a single file.
        table: folder or URI of the table.
    """

    def __init__(self, sessions: SessionOnDemand, table: str) -> None:
        self._table = table
        self._place = below(table, "_delta_log")
        self._folder = folder(sessions, self._place)

    def versions(self) -> list[int]:
        """Versions whose commit is there, ascending; the last one is the table's.

        Empty where there is no Delta table: one that is there keeps its last commit.
        """
        commits = map(_COMMIT.fullmatch, self._folder.names())
        return sorted(int(commit[1]) for commit in commits if commit)

    def require_whole(self, name: str) -> None:
        """Makes sure that a reader finds all commits that the table is made of.

        Args:
            name: of the table.

        Raises:
            Damage: naming the first file that is gone or damaged.
        """
        damage = damage_of_log(name, self._place, self._folder.names())
        if damage is not None:
            # Somebody else may have committed while the folder was listed.
            damage = damage_of_log(name, self._place, self._folder.names())
        if damage is not None:
            raise damage

    def last_checkpoint(self) -> int | None:
        """Version of the newest checkpoint that is whole; None without one.

        Of what only looks like one nothing is told: Delta names it when all of it is written.
        """
        names = self._folder.names()
        if _LAST_CHECKPOINT not in names:
            return None
        version = int(json.loads("".join(self._folder.lines(_LAST_CHECKPOINT)))["version"])
        start = f"{version:020}.checkpoint."
        return version if any(name.startswith(start) for name in names) else None

    def forget_until(self, version: int) -> None:
        """Removes commits, checkpoints and checksums of a version and those before it."""
        for name in self._folder.names():
            of_version = _OF_VERSION.match(name)
            if of_version and int(of_version[1]) <= version:
                self._folder.delete(name)

    def info(self, version: int) -> Mapping[str, Any]:
        """The `commitInfo` of a version: `operation`, `operationMetrics`, `userMetadata` and so on.

        Raises:
            LookupError: if the commit has none; Spark's always have.
        """
        for line in self._folder.lines(f"{version:020}.json"):  # it is the first, as Spark writes
            if found := json.loads(line).get("commitInfo"):
                return dict(found)
        raise LookupError(f"version {version} of {self._table} does not say what it is")

    def fingerprint(self, version: int) -> str:
        """Digest of a version's commit: a table made anew has the same numbers, not the same files.

        Delta compares tables by an id, which stands in the first commit: that may be gone.
        """
        commit = "\n".join(self._folder.lines(f"{version:020}.json"))
        return f"{version}-{sha256(commit.encode()).hexdigest()[:16]}"

    def note(self, version: int) -> Note:
        """What is noted about a version."""
        try:
            return Note.of(version, self.info(version))
        except LookupError:  # some writers do not say what they did
            return Note.of(version, {})
