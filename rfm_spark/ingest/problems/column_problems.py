"""Column problems: expressions of the configuration that do not fit the columns of the input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, NullType, StructType, TimestampType

from rfm_spark.core.errors import did_you_mean
from rfm_spark.ingest.files.file_columns import absent_columns
from rfm_spark.ingest.files.raw_files import Delivery, paths_of
from rfm_spark.ingest.rows.business_time import can_be_time
from rfm_spark.ingest.rows.delivered import ATTRIBUTE, BESIDE, Field, field_column
from rfm_spark.run import Run
from rfm_spark.settings.sources import Customers, Source

_TIMES = ("time", "valid_from")
_FLAGS = ("promotion", "is_return", "is_void")
_UTC = "UTC"
_GROWN = ("items", "category", "promotion", "store_id", "channel", "is_return", "is_void", "value")
"""Fields, beside attributes, that data came to have later: older files may lack their columns."""


def source_fields(source: Source) -> dict[str, Field | None]:
    """Every field of a source with its expressions; None where it is not mapped."""
    columns: Mapping[str, Any] = source.columns.model_dump()  # type: ignore[attr-defined]
    attributes = {
        ATTRIBUTE + name: expression for name, expression in columns.get("attributes", {}).items()
    }
    return {**{n: e for n, e in columns.items() if n != "attributes"}, **attributes}


def column_problems(
    run: Run, rows: DataFrame, source: Source, label: str, deliveries: list[Delivery]
) -> list[str]:
    """What does not fit between a source's expressions and the columns of any file.

    Args:
        run: the run.
        rows: of the deliveries, from `read_rows`.
        source: what is expected of them.
        label: of the source, for messages.
        deliveries: whose rows they are.
    """
    files = paths_of(source, deliveries)
    own = [name for name in rows.columns if name not in (*BESIDE, *source.lookups)]
    holder = "`types`" if source.format == "json" else files[0]
    zone = run.settings.business.time_zone
    if not isinstance(source, Customers):
        zone = source.time_zone or zone
    fields = source_fields(source)
    problems = list(_Columns(rows, own, holder, source, label, zone).problems(fields))
    if problems or source.format != "parquet":
        return problems
    needed = {
        name: field
        for name, field in fields.items()
        if name not in _GROWN and not name.startswith(ATTRIBUTE)
    }
    for absent, (file, has) in absent_columns(run.spark, files, own, label).items():
        for name, lookup in source.lookups.items():
            if lookup.on in absent:
                problems.append(f"[{label}.lookups.{name}] on: {file} has no column '{lookup.on}'")
        holder, left = f"{file}, unlike other files,", rows.drop(*absent)
        problems += _Columns(left, has, holder, source, label, zone).problems(needed)
    return problems


@dataclass(frozen=True)
class _Columns:
    """Columns of one kind of file.

    Attributes:
        rows: that have them, and look-ups beside them.
        own: names in the file.
        holder: of the columns, for messages.
        source: what is expected of them.
        label: of the source, for messages.
        zone: of times that name none.
    """

    rows: DataFrame
    own: list[str]
    holder: str
    source: Source
    label: str
    zone: str

    def problems(self, fields: Mapping[str, Field | None]) -> Iterator[str]:
        """Expressions that name missing columns, do not parse, or give something of no use."""
        for name, field in fields.items():
            for expression in [field] if isinstance(field, str) else field or []:
                own = name.removeprefix(ATTRIBUTE)
                where = f"[{self.label}.columns{'' if own == name else '.attributes'}] {own}"
                kind = self._kind(expression)
                if isinstance(kind, AnalysisException):
                    yield f"{where} = {expression!r}: {self._complaint(kind)}"
                else:
                    yield from self._kind_problems(kind, name, expression, where)
        predicates = {f"[{self.label}.reject] {n}": one for n, one in self.source.reject.items()}
        if self.source.where is not None:
            predicates[f"[{self.label}] where"] = self.source.where
        for where, predicate in predicates.items():
            kind = self._kind(predicate)
            if isinstance(kind, AnalysisException):
                yield f"{where} = {predicate!r}: {self._complaint(kind)}"
            elif kind.simpleString() != "boolean":
                yield _not_boolean(where, kind)

    def _kind(self, expression: str, *without: str) -> DataType | AnalysisException:
        """What an expression gives, perhaps without some columns; or why it gives nothing."""
        rows = self.rows.drop(*without)
        try:
            # Beside another column, an aggregate cannot pass for an expression of one row.
            both = rows.select(F.lit(1), field_column(expression).alias("field"))
        except AnalysisException as error:
            return error
        return both.schema["field"].dataType

    def _kind_problems(
        self, kind: DataType, name: str, expression: str, where: str
    ) -> Iterator[str]:
        if isinstance(kind, NullType):
            return
        if name in _TIMES and not can_be_time(kind):
            yield f"{where}: gives {kind.simpleString()}, not a date, a timestamp or text"
        elif name in _TIMES and isinstance(kind, TimestampType):
            if self.zone != _UTC and not self._is_of_timestamps(expression):
                yield (
                    f"{where}: makes a timestamp of something else; of text that names no zone it "
                    f"would be UTC's, not {self.zone}'s: give the text itself, without a type in "
                    f"[{self.label}.types]; or, where it is an instant, text with its zone, such "
                    "as concat(timestamp_seconds(epoch), 'Z'), without time_format"
                )
        elif name in _FLAGS and kind.simpleString() != "boolean":
            yield _not_boolean(where, kind)
        elif isinstance(kind, ArrayType | MapType | StructType):
            yield f"{where}: gives {kind.simpleString()}, not one value; name a column inside it"

    def _is_of_timestamps(self, expression: str) -> bool:
        """Whether it needs a column that is a timestamp in the file, not by a declared type."""
        given = [one.name for one in self.rows.schema if _has_timestamp(one.dataType)]
        delivered = [name for name in given if name not in self.source.types]
        return isinstance(self._kind(expression, *delivered), AnalysisException)

    def _complaint(self, error: AnalysisException) -> str:
        parameters = error.getMessageParameters() or {}
        if not (error.getCondition() or "").startswith("UNRESOLVED_COLUMN"):
            return str(error).strip().splitlines()[0]
        missing = parameters.get("objectName", "").replace("`", "")
        lookups = self.source.lookups
        found = f"neither {self.holder} nor a look-up has a" if lookups else f"{self.holder} has no"
        return f"{found} column '{missing}'; {did_you_mean(missing, [*self.own, *lookups])}"


def _not_boolean(where: str, kind: DataType) -> str:
    return f"{where}: gives {kind.simpleString()}, not true or false; write a comparison"


def _has_timestamp(kind: DataType) -> bool:
    if isinstance(kind, StructType):
        return any(_has_timestamp(field.dataType) for field in kind)
    return isinstance(kind, TimestampType)
