"""The state of a stored table, and how this release makes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql.types import DataType, StructType

from rfm_spark.core.table import Column, Table

SCHEMA_VERSION = "rfm_spark.schema_version"
"""Property of a table: the `schema_version` it was made, or last brought up to date, with."""

_PROPERTIES = {
    # Any reader must be able to read every table: each of these can raise the reader protocol.
    "delta.enableDeletionVectors": "false",
    "delta.autoOptimize.optimizeWrite": "false",
    "delta.columnMapping.mode": "none",
    "delta.checkpointPolicy": "classic",
    "delta.enableTypeWidening": "false",
    "delta.enableRowTracking": "false",
    "delta.deletedFileRetentionDuration": "interval 30 days",
    "delta.logRetentionDuration": "interval 90 days",
}


AT_CREATION = {
    # A session's defaults can raise the protocol of what it creates; Delta does not keep this one.
    "delta.ignoreProtocolDefaults": "true",
    # Or allow no row to be replaced.
    "delta.appendOnly": "false",
}


def table_properties(table: Table) -> dict[str, str]:
    """Delta's properties of a table, as this release sets them."""
    statistics = {"delta.dataSkippingStatsColumns": ",".join(table.statistics_columns)}
    return {**statistics, **_PROPERTIES}


@dataclass(frozen=True)
class TableState:
    """A stored table.

    Attributes:
        types: of its columns.
        comments: of those that have one.
        required: columns that are never NULL.
        properties: of Delta's and of ours, but for the schema version.
        schema_version: of the release that last brought it up to date.
        comment: on the table itself: its grain; empty without one.
    """

    types: Mapping[str, DataType]
    comments: Mapping[str, str]
    required: frozenset[str]
    properties: Mapping[str, str]
    schema_version: int
    comment: str

    @classmethod
    def of(
        cls,
        schema: StructType,
        properties: Mapping[str, str],
        schema_version: int,
        comment: str | None,
    ) -> TableState:
        """Of a table with this schema."""
        comments = {field.name: field.metadata.get("comment") for field in schema}
        return cls(
            {field.name: field.dataType for field in schema},
            {name: comment for name, comment in comments.items() if comment},
            frozenset(field.name for field in schema if not field.nullable),
            properties,
            schema_version,
            comment or "",
        )

    def clashes(self, table: Table) -> list[str]:
        """Columns that adding some would not mend: unknown ones, other types, keys that lack."""
        columns = {column.name: column for column in table.columns}
        return sorted(
            name
            for name in self.types.keys() | columns.keys()
            if self._clashes(name, columns.get(name), table.is_composed)
        )

    def _clashes(self, name: str, column: Column | None, is_composed: bool) -> bool:
        if column is None:
            return name in self.required or not is_composed
        if name in self.types:
            return self.types[name] != column.type
        return column.required or not (is_composed or column.since > self.schema_version)
