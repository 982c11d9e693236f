"""Snapshots: at which version each table is read, so that all together are of one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Snapshot:
    """Versions of tables that belong together.

    Attributes:
        versions: Delta version of each table, by name; None where every table is read as it is now.
        free: names of tables that are read as they are now, whatever `versions` has. All others
            that it does not have are not there.
    """

    versions: Mapping[str, int] | None = None
    free: frozenset[str] = field(default_factory=frozenset)

    def version(self, table: str) -> int | None:
        """At which version a table is read; None as it is now."""
        if self.versions is None or table in self.free:
            return None
        return self.versions.get(table)

    def hides(self, table: str) -> bool:
        """Whether a table is not there, though its folder may be."""
        is_free = self.versions is None or table in self.free
        return not is_free and table not in (self.versions or {})

    def freed(self, tables: Iterable[str]) -> Snapshot:
        """The same, but for tables that are read as they are now."""
        return replace(self, free=self.free.union(tables))


NEWEST = Snapshot()
"""Every table as it is now."""
