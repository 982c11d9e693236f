"""Column problems: checks the configured expressions against the columns of the input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    DataType,
    MapType,
    NullType,
    NumericType,
    StructType,
    TimestampType,
)

from rfm_spark.core.errors import did_you_mean
from rfm_spark.ingest.files.generations import Generation
from rfm_spark.ingest.files.raw_files import RawRows
from rfm_spark.ingest.rows.business_time import is_time_type
from rfm_spark.ingest.rows.delivered import ATTRIBUTE_PREFIX, METADATA_COLUMNS
from rfm_spark.ingest.rows.expressions import FieldExpression, column_named, expression_column
from rfm_spark.run import Run
from rfm_spark.settings.sources import Customers, Identities, Source

_TIME_FIELDS = ("time", "valid_from", "as_of", "first_purchase", "last_purchase")
_BOOLEAN_FIELDS = ("promotion", "is_return", "is_void")
_OF_EACH_ROW = (
    "receipt_id",
    "customer_id",
    "old_id",
    "new_id",
    "interaction_id",
    "time",
    "amount",
    "orders",
    "last_purchase",
    "version",
)
"""Fields that cannot be the same for all rows."""

_UTC = "UTC"
_LATER_FIELDS = (
    "items",
    "category",
    "promotion",
    "store_id",
    "channel",
    "is_return",
    "is_void",
    "version",
    "value",
    "first_purchase",
)
"""Fields, apart from attributes, whose columns may be absent from older files."""


def source_fields(source: Source) -> dict[str, FieldExpression | None]:
    """Field name to configured expression, for all fields of a source; None where not mapped."""
    columns: Mapping[str, Any] = source.columns.model_dump()  # type: ignore[attr-defined]
    attributes = {
        ATTRIBUTE_PREFIX + name: expression
        for name, expression in columns.get("attributes", {}).items()
    }
    return {**{n: e for n, e in columns.items() if n != "attributes"}, **attributes}


def required_fields(source: Source) -> dict[str, FieldExpression | None]:
    """The same for fields whose columns every file must have."""
    return {
        name: field
        for name, field in source_fields(source).items()
        if name not in _LATER_FIELDS and not name.startswith(ATTRIBUTE_PREFIX)
    }


def column_problems(run: Run, raw: RawRows, source: Source, label: str) -> list[str]:
    """Messages on expressions of a source that do not match the columns of its files.

    Columns that some files lack, and that may be NULL there, become notes.

    Args:
        run: the run.
        raw: rows of the source's deliveries.
        source: source with the configured expressions.
        label: configuration section of the source, for messages.
    """
    rows, generations = raw.rows, raw.generations
    names = [name for name in rows.columns if name not in (*METADATA_COLUMNS, *source.lookups)]
    origin = "`types`" if source.format == "json" else generations[0].files[0]
    time_zone = run.settings.business.time_zone
    if not isinstance(source, Customers | Identities):
        time_zone = source.time_zone or time_zone
    fields = source_fields(source)
    whole = _FileColumns(rows, names, origin, source, label, time_zone)
    problems = list(whole.problems(fields))
    if problems:
        return problems
    problems += whole.conflict_problems(fields, raw.conflicts)
    required = required_fields(source)
    later = {name: field for name, field in fields.items() if name not in required}
    lacking: dict[tuple[str, ...], list[Generation]] = {}
    for generation in generations:
        if missing := whole.needed(generation.missing(names)):
            lacking.setdefault(missing, []).append(generation)
    for missing, alike in lacking.items():
        file = alike[0].files[0]
        for name, lookup in source.lookups.items():
            if lookup.on in missing:
                problems.append(f"[{label}.lookups.{name}] on: {file} has no column '{lookup.on}'")
        rest, present = rows.drop(*missing), alike[0].columns
        origin = f"{file}, unlike other files,"
        part = _FileColumns(rest, present, origin, source, label, time_zone)
        problems += part.problems(required)
        count = sum(len(generation.files) for generation in alike)
        alike_files = f"{count:,} of the files, such as {file.rpartition('/')[2]}"
        run.notes.extend(whole.notes(later, alike_files, missing))
    return problems


@dataclass(frozen=True)
class _FileColumns:
    """Columns of files that have the same ones, to check expressions against.

    Attributes:
        rows: one row per raw row, with the columns of the file and the look-ups.
        names: column names in the file.
        origin: file or setting that has the columns, for messages.
        source: source with the configured expressions.
        label: configuration section of the source, for messages.
        time_zone: time zone of times that name none.
    """

    rows: DataFrame
    names: list[str]
    origin: str
    source: Source
    label: str
    time_zone: str

    def problems(self, fields: Mapping[str, FieldExpression | None]) -> Iterator[str]:
        """Messages on expressions that do not parse, name missing columns or have a wrong type."""
        for name, field in fields.items():
            for where, expression in self._placed({name: field}):
                data_type = self._expression_type(expression)
                if isinstance(data_type, AnalysisException):
                    yield f"{where} = {expression!r}: {self._error_message(data_type, expression)}"
                else:
                    yield from self._type_problems(data_type, name, expression, where)
            yield from self._constant_problems(name, field)
        for where, predicate in self._predicates():
            data_type = self._expression_type(predicate)
            if isinstance(data_type, AnalysisException):
                yield f"{where} = {predicate!r}: {self._error_message(data_type, predicate)}"
            elif data_type.simpleString() != "boolean":
                yield _not_boolean(where, data_type)

    def conflict_problems(
        self, fields: Mapping[str, FieldExpression | None], conflicts: Mapping[str, str]
    ) -> Iterator[str]:
        """Messages on expressions that need a column of several types that cannot be one.

        Args:
            fields: field name to configured expression.
            conflicts: column name to its types, in words.
        """
        for where, expression in [*self._placed(fields), *self._predicates()]:
            for name, types in conflicts.items():
                if self._needs(expression, name):
                    yield (
                        f"{where} = {expression!r}: column '{name}' is {types}, which are not one "
                        "type: write the files alike, or take in those of one type at a time"
                    )

    def notes(
        self,
        fields: Mapping[str, FieldExpression | None],
        files: str,
        missing: Sequence[str],
    ) -> Iterator[str]:
        """What is worth a look: fields that are NULL, as these files lack a column for them.

        Args:
            fields: those that may be, with their configured expressions.
            files: how many they are, in words.
            missing: columns that they lack.
        """
        for where, expression in self._placed(fields):
            if needed := [name for name in missing if self._needs(expression, name)]:
                yield (
                    f"{where} = {expression!r}: is NULL in {files}, which lack {', '.join(needed)}"
                )

    def _placed(self, fields: Mapping[str, FieldExpression | None]) -> Iterator[tuple[str, str]]:
        """Each expression of fields, with where it stands in the configuration."""
        for name, field in fields.items():
            key = name.removeprefix(ATTRIBUTE_PREFIX)
            where = f"[{self.label}.columns{'' if key == name else '.attributes'}] {key}"
            for expression in [field] if isinstance(field, str) else field or []:
                yield where, expression

    def _predicates(self) -> Iterator[tuple[str, str]]:
        for name, rule in self.source.reject.items():
            yield f"[{self.label}.reject] {name}", rule
        if self.source.where is not None:
            yield f"[{self.label}] where", self.source.where

    def _expression_type(self, expression: str, *excluded: str) -> DataType | AnalysisException:
        """Type of an expression, optionally without some columns; the error if it is invalid."""
        rows = self.rows.drop(*excluded)
        try:
            # Selected with another column, an aggregate is an error, as it should be.
            column = expression_column(expression, rows.columns)
            selected = rows.select(F.lit(1), column.alias("field"))
        except AnalysisException as error:
            return error
        return selected.schema["field"].dataType

    def _type_problems(
        self, data_type: DataType, name: str, expression: str, where: str
    ) -> Iterator[str]:
        if isinstance(data_type, NullType):
            return
        if name in _TIME_FIELDS and not is_time_type(data_type):
            yield f"{where}: gives {data_type.simpleString()}, not a date, a timestamp or text"
        elif name in _TIME_FIELDS and isinstance(data_type, TimestampType):
            if self.time_zone != _UTC and not self._reads_delivered_timestamp(expression):
                yield (
                    f"{where}: makes a timestamp of something else; of text that names no zone it "
                    f"would be UTC's, not {self.time_zone}'s: give the text itself, without a type "
                    f"in [{self.label}.types]; or, where it is an instant, text with its zone, "
                    "such as concat(timestamp_seconds(epoch), 'Z'), without time_format"
                )
        elif name == "version" and not (
            isinstance(data_type, NumericType) or is_time_type(data_type)
        ):
            yield f"{where}: gives {data_type.simpleString()}, not a number, a time or text"
        elif name in _BOOLEAN_FIELDS and data_type.simpleString() != "boolean":
            yield _not_boolean(where, data_type)
        elif isinstance(data_type, ArrayType | MapType | StructType):
            yield (
                f"{where}: gives {data_type.simpleString()}, not one value; name a column inside it"
            )

    def _constant_problems(self, name: str, field: FieldExpression | None) -> Iterator[str]:
        """Of a field that would be the same for all rows, such as a name in double quotes."""
        parts = [field] if isinstance(field, str) else field or []
        constants = [part for part in parts if self._needs_no_column(part)]
        named = [part for part in constants if column_named(part.strip("\"'"), self.names)]
        if name in _OF_EACH_ROW and parts and (named or len(constants) == len(parts)):
            part = (named or constants)[0]
            hint = f": for the column write {part.strip(chr(34) + chr(39))}" if named else ""
            yield (
                f"[{self.label}.columns] {name} = {part!r}: needs no column, so it is the same "
                f"for all rows; text in quotes is a constant{hint}"
            )

    def needed(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Those of some columns that an expression or a look-up needs."""
        asked = [*self._placed(source_fields(self.source)), *self._predicates()]
        matched = {lookup.on for lookup in self.source.lookups.values()}
        return tuple(
            name
            for name in columns
            if name in matched or any(self._needs(expression, name) for _, expression in asked)
        )

    def _needs(self, expression: str, column: str) -> bool:
        # Without a column that is called user or null, Spark takes the word for a function.
        if whole := column_named(expression, self.rows.columns):
            return whole.casefold() == column.casefold()
        return isinstance(self._expression_type(expression, column), AnalysisException)

    def _needs_no_column(self, expression: str) -> bool:
        if column_named(expression, self.rows.columns):
            return False
        found = self._expression_type(expression, *self.rows.columns)
        return not isinstance(found, AnalysisException)

    def _reads_delivered_timestamp(self, expression: str) -> bool:
        """Whether an expression reads a column that is a timestamp in the file, not by `types`."""
        timestamps = [f.name for f in self.rows.schema if _contains_timestamp(f.dataType)]
        delivered = [name for name in timestamps if name not in self.source.types]
        if whole := column_named(expression, self.rows.columns):
            return whole in delivered
        return isinstance(self._expression_type(expression, *delivered), AnalysisException)

    def _error_message(self, error: AnalysisException, expression: str) -> str:
        parameters = error.getMessageParameters() or {}
        if isinstance(error, ParseException):
            return (
                f"is neither a column of {self.origin} nor a Spark SQL expression; "
                f"{did_you_mean(expression, self.names)}. In an expression, a name with spaces or "
                "signs stands in backticks"
            )
        if not (error.getCondition() or "").startswith("UNRESOLVED_COLUMN"):
            return str(error).strip().splitlines()[0]
        missing = parameters.get("objectName", "").replace("`", "")
        lookups = self.source.lookups
        reason = (
            f"neither {self.origin} nor a look-up has a" if lookups else f"{self.origin} has no"
        )
        return f"{reason} column '{missing}'; {did_you_mean(missing, [*self.names, *lookups])}"


def _not_boolean(where: str, data_type: DataType) -> str:
    return f"{where}: gives {data_type.simpleString()}, not true or false; write a comparison"


def _contains_timestamp(data_type: DataType) -> bool:
    if isinstance(data_type, StructType):
        return any(_contains_timestamp(field.dataType) for field in data_type)
    return isinstance(data_type, TimestampType)
