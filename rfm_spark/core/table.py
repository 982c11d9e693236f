"""What a table is: its columns with comments, its key and its layout."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql.types import DataType, StructField, StructType

SUBJECT = "customer_id"
"""Name of the column that says whose a row is, in every table that has one."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: the field's standard term, with its unit where there is one.
        type: the Spark type it is stored as.
        comment: what the number means, for people; kept in the Delta table itself.
        required: never NULL; Delta refuses a row that breaks it.
        since: the table's `schema_version` that brought it: a table of an earlier one gets it, NULL
            in all its rows, so it is not required.
    """

    name: str
    type: DataType
    comment: str
    required: bool = False
    since: int = 1

    def __post_init__(self) -> None:
        if self.required and self.since > 1:
            raise ValueError(f"{self.name}: rows from before it was there have no value")

    def field(self) -> StructField:
        """The column as Spark writes it, with its comment."""
        return StructField(self.name, self.type, not self.required, {"comment": self.comment})


@dataclass(frozen=True)
class Table:
    """A Delta table: the writer, the tests and the data dictionary all read this.

    Attributes:
        name: also the name of its folder under the warehouse.
        grain: one sentence: what one row is.
        columns: in the order they are stored.
        key: columns that identify a row.
        partition_by: columns whose values are folders; of results, those of the slice that a run
            replaces, so that replacing it touches no other file.
        sort_by: order of the rows inside a file, so that equal keys lie together.
        skip_by: columns with minimum and maximum kept per file; by default the key.
        plain: columns whose values hardly repeat: Parquet writes them without looking for a
            dictionary first, and the whole table by zstd, which packs them better than Snappy.
        gather: bring a partition's rows together before they are written, so that they lie in few
            files: for tables whose rows come in another order than that of their partitions.
        is_composed: its columns depend on which results there are: one that is missing is added
            when it is written, and one that nothing makes any more stays, NULL.
        keeps_decisions: its rows are decisions, which cannot be made again from the facts.
        schema_version: raised with every change of the columns, layout or properties: an older
            release then refuses the table, and this one brings it up to date.
    """

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    skip_by: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    gather: bool = False
    is_composed: bool = False
    keeps_decisions: bool = False
    schema_version: int = 1

    @property
    def subject(self) -> str | None:
        """The column that says whose a row is; None where rows are of nobody in particular.

        By its name, so that a new table is forgotten from without being told of anywhere.
        """
        return SUBJECT if SUBJECT in self.column_names else None

    @property
    def schema(self) -> StructType:
        """The Spark schema, comments included."""
        return StructType([column.field() for column in self.columns])

    @property
    def column_names(self) -> list[str]:
        """Names in stored order."""
        return [column.name for column in self.columns]

    @property
    def statistics_columns(self) -> list[str]:
        """Columns Delta keeps per-file statistics for; partition columns need none."""
        return [name for name in (self.skip_by or self.key) if name not in self.partition_by]
