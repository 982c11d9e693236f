"""Column problems: expressions of the configuration that do not fit the columns of the input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, NullType, StructType, TimestampType

from rfm_spark.pipeline.context import Job
from rfm_spark.settings.sources import Format, Source
from rfm_spark.storage.file_columns import absent_columns
from rfm_spark.storage.raw_files import Delivery, paths_of
from rfm_spark.transforms.business_time import can_be_time
from rfm_spark.transforms.delivered import ATTRIBUTE, BESIDE, Field, field_column

_TIMES = ("time", "valid_from")
_FLAGS = ("promotion", "is_return", "is_void")


def source_fields(source: Source) -> dict[str, Field | None]:
    """Every field of a source with its expressions; None where it is not mapped."""
    columns: Mapping[str, Any] = source.columns.model_dump()  # type: ignore[attr-defined]
    attributes = {
        ATTRIBUTE + name: expression for name, expression in columns.get("attributes", {}).items()
    }
    return {**{n: e for n, e in columns.items() if n != "attributes"}, **attributes}


def column_problems(
    job: Job, rows: DataFrame, source: Source, label: str, deliveries: list[Delivery]
) -> list[str]:
    """What does not fit between a source's expressions and the columns of any file.

    Args:
        job: the run.
        rows: of the deliveries, from `read_rows`.
        source: what is expected of them.
        label: of the source, for messages.
        deliveries: whose rows they are.
    """
    files = paths_of(source, deliveries)
    problems = _expression_problems(rows, source, label, files[0])
    if problems or source.format != "parquet":
        return problems
    own = [name for name in rows.columns if name not in (*BESIDE, *source.lookups)]
    for absent, file in absent_columns(job.spark, files, own, label).items():
        if not absent:
            continue
        for name, lookup in source.lookups.items():
            if lookup.on in absent:
                problems.append(f"[{label}.lookups.{name}] on: {file} has no column '{lookup.on}'")
        problems += _expression_problems(rows.drop(*absent), source, label, file)
    return problems


def _expression_problems(rows: DataFrame, source: Source, label: str, file: str) -> list[str]:
    """Expressions that name missing columns, do not parse, or give something of no use."""
    problems: list[str] = []

    def analysed(expression: str, where: str) -> DataType | None:
        try:
            # Beside another column, an aggregate cannot pass for an expression of one row.
            both = rows.select(F.lit(1), field_column(expression).alias("field"))
        except AnalysisException as error:
            problems.append(f"{where} = {expression!r}: {_complaint(error, rows, source, file)}")
            return None
        return both.schema["field"].dataType

    for name, field in source_fields(source).items():
        for expression in [field] if isinstance(field, str) else field or []:
            own = name.removeprefix(ATTRIBUTE)
            where = f"[{label}.columns{'' if own == name else '.attributes'}] {own}"
            kind = analysed(expression, where)
            if kind is not None:
                problems += _kind_problems(kind, name, where, source.format)
    predicates = {f"[{label}.reject] {name}": one for name, one in source.reject.items()}
    if source.where is not None:
        predicates[f"[{label}] where"] = source.where
    for where, predicate in predicates.items():
        kind = analysed(predicate, where)
        if kind is not None and kind.simpleString() != "boolean":
            problems.append(_not_boolean(where, kind))
    return problems


def _kind_problems(kind: DataType, name: str, where: str, file_format: Format) -> Iterable[str]:
    if isinstance(kind, NullType):
        return
    if name in _TIMES and not can_be_time(kind):
        yield f"{where}: gives {kind.simpleString()}, not a date, a timestamp or text"
    elif name in _TIMES and file_format in ("csv", "json") and isinstance(kind, TimestampType):
        yield (
            f"{where}: gives a timestamp, for which text without a zone was taken as UTC: give the "
            "text itself, and `time_format` where it is not ISO 8601; of a number that is an "
            "instant, text with its zone, such as concat(timestamp_seconds(epoch), 'Z')"
        )
    elif name in _FLAGS and kind.simpleString() != "boolean":
        yield _not_boolean(where, kind)
    elif isinstance(kind, ArrayType | MapType | StructType):
        yield f"{where}: gives {kind.simpleString()}, not one value; name a column inside it"


def _not_boolean(where: str, kind: DataType) -> str:
    return f"{where}: gives {kind.simpleString()}, not true or false; write a comparison"


def _complaint(error: AnalysisException, rows: DataFrame, source: Source, file: str) -> str:
    parameters = error.getMessageParameters() or {}
    condition = error.getCondition() or ""
    if condition.startswith("UNRESOLVED_COLUMN"):
        missing = parameters.get("objectName", "").replace("`", "")
        near = parameters.get("proposal", "").split(", ")[0].replace("`", "")
        known = f"did you mean '{near}'?" if near else f"it has {', '.join(rows.columns)}"
        told = "`types`" if source.format == "json" else file
        has_not = f"neither {told} nor a look-up has a" if source.lookups else f"{told} has no"
        return f"{has_not} column '{missing}'; {known}"
    return str(error).strip().splitlines()[0]
