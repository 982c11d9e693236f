"""Sources: from configured columns to checked rows, for receipts, interactions and customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, NullType, StructType

from rfm_spark.errors import UserError
from rfm_spark.pipeline.context import Job
from rfm_spark.settings.model import Settings
from rfm_spark.settings.sources import Customers, Interactions, Receipts, Source
from rfm_spark.storage.raw_files import Delivery, find_deliveries, read_rows
from rfm_spark.transforms.attributes import customer_rows
from rfm_spark.transforms.business_time import Calendar, can_be_time
from rfm_spark.transforms.delivered import (
    ATTRIBUTE,
    Field,
    delivered_fields,
    field_column,
    with_dropped,
    with_row_digest,
)
from rfm_spark.transforms.interactions import interaction_rows
from rfm_spark.transforms.receipt_lines import ReceiptRules, receipt_lines

_TIMES = ("time", "valid_from")
_FLAGS = ("promotion", "is_return", "is_void")
RECEIPTS, CUSTOMERS = "receipts", "customers"


def configured_sources(settings: Settings) -> dict[str, Source]:
    """Every source by its label, as it is written in the configuration."""
    sources: dict[str, Source] = {RECEIPTS: settings.receipts}
    sources |= {f"interactions.{name}": one for name, one in settings.interactions.items()}
    if settings.customers is not None:
        sources[CUSTOMERS] = settings.customers
    return sources


def source_problems(job: Job) -> list[str]:
    """What does not fit between the configuration and the input, over all sources at once."""
    problems: list[str] = []
    for label, source in configured_sources(job.settings).items():
        try:
            deliveries = find_deliveries(job.spark, source, job.input, label)
            rows = read_rows(job.spark, source, deliveries, job.input, label)
            problems += _column_problems(rows, source, label)
        except UserError as error:
            problems += error.problems
    return problems


def checked_rows(
    job: Job,
    label: str,
    source: Source,
    deliveries: list[Delivery],
    groups: Sequence[Sequence[Delivery]] = (),
) -> DataFrame:
    """Typed rows of some deliveries, with every reason why one cannot be used.

    Args:
        job: the run.
        label: of the source.
        source: where they lie, and how they are read.
        deliveries: to be read.
        groups: those to be read, if not all; of a group by tasks of their own.

    Returns:
        One row per raw row: `receipt_lines`, `interaction_rows` or `customer_rows`.

    Raises:
        UserError: naming every expression that does not fit the columns.
    """
    raw = read_rows(job.spark, source, deliveries, job.input, label, groups)
    problems = _column_problems(raw, source, label)
    if problems:
        raise UserError(problems)
    own = raw if source.where is None else raw.where(F.expr(source.where))
    rows = delivered_fields(own, _fields(source), source.reject)
    business = job.settings.business
    calendar = Calendar(
        business.time_zone, business.day_start_hour, source.time_zone or business.time_zone
    )
    if isinstance(source, Receipts):
        if source.columns.receipt_id is None:
            named = F.concat_ws("#", "delivery", "row")
            rows = with_row_digest(rows).withColumn("receipt_id", named).drop("row")
        rows = with_dropped(rows, source.drop_equal_lines)
        return receipt_lines(rows, _receipt_rules(job.settings, source, calendar))
    if isinstance(source, Interactions):
        dates = (business.earliest_date, business.latest_date)
        name = label.partition(".")[2]
        return interaction_rows(rows, name, calendar, source.time_format, dates, business.guest_ids)
    if isinstance(source, Customers):
        names = list(source.columns.attributes)
        return customer_rows(
            rows, names, business.time_zone, source.time_format, business.guest_ids
        )
    raise TypeError(f"{type(source).__name__} is no source of rows")


def _receipt_rules(settings: Settings, source: Receipts, calendar: Calendar) -> ReceiptRules:
    return ReceiptRules(
        calendar=calendar,
        time_format=source.time_format,
        minor_unit_digits=settings.business.minor_unit_digits,
        guest_ids=settings.business.guest_ids,
        one_row_per_receipt=source.grain == "receipt",
        zero_is_visit=source.zero_is_visit,
        earliest_date=settings.business.earliest_date,
        latest_date=settings.business.latest_date,
    )


def _fields(source: Source) -> dict[str, Field | None]:
    columns: Mapping[str, Any] = source.columns.model_dump()  # type: ignore[attr-defined]
    attributes = {
        ATTRIBUTE + name: expression for name, expression in columns.get("attributes", {}).items()
    }
    return {**{n: e for n, e in columns.items() if n != "attributes"}, **attributes}


def _column_problems(rows: DataFrame, source: Source, label: str) -> list[str]:
    """Expressions that name missing columns, do not parse, or give something of no use."""
    problems: list[str] = []
    for name, field in _fields(source).items():
        for expression in [field] if isinstance(field, str) else field or []:
            own = name.removeprefix(ATTRIBUTE)
            where = f"[{label}.columns{'' if own == name else '.attributes'}] {own}"
            kind = _analysed(rows, expression, where, problems)
            if kind is not None:
                problems += _kind_problems(kind, name, where)
    predicates = {f"[{label}.reject] {name}": one for name, one in source.reject.items()}
    if source.where is not None:
        predicates[f"[{label}] where"] = source.where
    for where, predicate in predicates.items():
        kind = _analysed(rows, predicate, where, problems)
        if kind is not None and kind.simpleString() != "boolean":
            problems.append(_not_boolean(where, kind))
    return problems


def _analysed(rows: DataFrame, expression: str, where: str, problems: list[str]) -> DataType | None:
    try:
        # Beside another column, an aggregate cannot pass for an expression of one row.
        return (
            rows.select(F.lit(1), field_column(expression).alias("field")).schema["field"].dataType
        )
    except AnalysisException as error:
        problems.append(f"{where} = {expression!r}: {_complaint(error, rows.columns)}")
        return None


def _kind_problems(kind: DataType, name: str, where: str) -> Iterable[str]:
    if isinstance(kind, NullType):
        return
    if name in _TIMES and not can_be_time(kind):
        yield f"{where}: gives {kind.simpleString()}, not a date, a timestamp or text"
    elif name in _FLAGS and kind.simpleString() != "boolean":
        yield _not_boolean(where, kind)
    elif isinstance(kind, ArrayType | MapType | StructType):
        yield f"{where}: gives {kind.simpleString()}, not one value; name a column inside it"


def _not_boolean(where: str, kind: DataType) -> str:
    return f"{where}: gives {kind.simpleString()}, not true or false; write a comparison"


def _complaint(error: AnalysisException, columns: list[str]) -> str:
    parameters = error.getMessageParameters() or {}
    condition = error.getCondition() or ""
    if condition.startswith("UNRESOLVED_COLUMN"):
        missing = parameters.get("objectName", "").replace("`", "")
        near = parameters.get("proposal", "").split(", ")[0].replace("`", "")
        known = f"did you mean '{near}'?" if near else f"the columns are {', '.join(columns)}"
        return f"there is no column '{missing}'; {known}"
    return str(error).strip().splitlines()[0]
