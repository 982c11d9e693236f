"""Look-up tables: joins a small table to the rows of a source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, StringType

from rfm_spark.core.errors import UserError
from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day, is_time_type
from rfm_spark.ingest.rows.expressions import expression_column, field_column, quoted_column
from rfm_spark.ingest.rows.identifiers import key_text
from rfm_spark.settings.sources import Lookup, Receipts, Source
from rfm_spark.storage.locations import below, literal
from rfm_spark.storage.spark_errors import FAILED, first_line

_MAX_BROADCAST_ROWS = 1_000_000
"""Of a look-up of a day, a row for each month: that many are sent to every executor."""

_KEY, _FROM, _UNTIL, _MONTH = "_lookup_key", "_lookup_from", "_lookup_until", "_lookup_month"


@dataclass(frozen=True)
class Dating:
    """How rows of receipts tell their business day.

    Attributes:
        time: column or expression of the time.
        time_format: Spark datetime pattern of text times; None for ISO 8601.
        calendar: time zones and start of the business day.
        first_day: the first one that receipts can be of.
        last_day: the last one.
    """

    time: str
    time_format: str | None
    calendar: Calendar
    first_day: date
    last_day: date

    def day(self, rows: DataFrame) -> Column:
        """Business day of each row; NULL where it tells none."""
        nothing = F.lit(None).cast("date")
        try:
            time = expression_column(self.time, rows.columns)
            data_type = rows.select(time.alias("time")).schema["time"].dataType
        except AnalysisException:  # told with all other expressions that match no column
            return nothing
        if not is_time_type(data_type):
            return nothing
        return instant_and_day(time, data_type, self.time_format, self.calendar)[1]


def with_lookups(
    spark: SparkSession,
    rows: DataFrame,
    source: Source,
    input_path: str,
    label: str,
    dating: Dating | None,
) -> DataFrame:
    """Rows of a source left-joined with its look-up tables.

    Args:
        spark: the session.
        rows: one row per raw row of the source.
        source: source of the rows.
        input_path: path of the raw data folder.
        label: configuration section of the source, for messages.
        dating: the days of rows, of a source whose look-ups may have a first one.

    Returns:
        One row per raw row: all columns of `rows`, and by each look-up's name a struct with its
        columns; NULL without a match.

    Raises:
        UserError: if a look-up cannot be read, has not the join column, or would multiply rows.
    """
    # Those of a day come last: the time of a row may be in another look-up.
    for name, lookup in sorted(source.lookups.items(), key=lambda one: bool(one[1].valid_from)):
        where = f"{label}.lookups.{name}"
        path = below(input_path, lookup.path)
        table = lookup_table(spark, lookup, input_path, where)
        if name in rows.columns:
            problem = f"[{where}] the source has a column '{name}' already: name it otherwise"
            raise UserError(problem)
        of_day = dating if lookup.valid_from is not None else None
        rows = _joined(rows, table, name, lookup, path, where, of_day)
    return rows


def lookup_table(spark: SparkSession, lookup: Lookup, input_path: str, label: str) -> DataFrame:
    """The rows of a look-up as they are, all text where it is CSV.

    Raises:
        UserError: if it cannot be read.
    """
    path = below(input_path, lookup.path)
    reader = spark.read.option("header", True).option("sep", lookup.delimiter).option("escape", '"')
    try:
        load_path = path if lookup.format == "delta" else below(literal(input_path), lookup.path)
        return reader.format(lookup.format).load(load_path)
    except FAILED as error:
        raise UserError(f"[{label}] {path} cannot be read: {first_line(error)}") from None


def _joined(
    rows: DataFrame,
    table: DataFrame,
    name: str,
    lookup: Lookup,
    path: str,
    label: str,
    dating: Dating | None,
) -> DataFrame:
    for side, columns in (("the lookup", table.columns), ("the source", rows.columns)):
        if lookup.on not in columns:
            known = ", ".join(columns)
            raise UserError(f"[{label}] on: {side} has no column '{lookup.on}'; it has {known}")
    key, own_key = (
        key_text(quoted_column(lookup.on), side.schema[lookup.on].dataType)
        for side in (table, rows)
    )
    lookup_rows = table.where(key.isNotNull()).select(
        key.alias(_KEY),
        first_day(table, lookup.valid_from, label).alias(_FROM),
        F.struct(*[quoted_column(column) for column in table.columns]).alias(name),
    )
    if problem := _problem(lookup_rows, lookup, path, label):
        raise UserError(problem)
    if dating is None:
        joined = rows.join(lookup_rows.drop(_FROM), own_key == F.col(_KEY), "left")
        return joined.drop(_KEY)
    own_day = dating.day(rows)
    is_of_day = (
        (own_key == F.col(_KEY))
        & (_month_number(own_day) == F.col(_MONTH))
        & (own_day >= F.col(_FROM))
        & (F.col(_UNTIL).isNull() | (own_day < F.col(_UNTIL)))
    )
    by_month = _rows_by_month(lookup_rows, dating)
    # Spark does not know how many rows there will be, and would sort all receipts by the key.
    if by_month.count() <= _MAX_BROADCAST_ROWS:
        by_month = F.broadcast(by_month)
    return rows.join(by_month, is_of_day, "left").drop(_KEY, _MONTH, _FROM, _UNTIL)


def money_not_looked_up(rows: DataFrame, source: Receipts) -> dict[str, Column]:
    """For each look-up of a day, `not_in_<name>`: true where it has no row and money is missing.

    So a receipt before the first exchange rate, or in a currency without any, says what is wrong,
    and one whose money needs no rate, such as in the shop's own currency, is as it is.
    """
    dated = [name for name, lookup in source.lookups.items() if lookup.valid_from is not None]
    if not dated:
        return {}
    columns = source.columns
    amounts = [columns.amount] if columns.amount else [columns.quantity, columns.unit_price]
    is_missing = reduce(or_, [field_column(rows, amount).isNull() for amount in amounts])
    if columns.is_void is not None:  # a row that voids a receipt needs no amount
        is_void = expression_column(columns.is_void, rows.columns).cast("boolean")
        is_missing &= ~F.coalesce(is_void, F.lit(False))
    return {f"not_in_{name}": quoted_column(name).isNull() & is_missing for name in dated}


def first_day(table: DataFrame, column: str | None, label: str) -> Column:
    """The day from which each row of a look-up holds; NULL where it tells none.

    Args:
        table: `lookup_table`.
        column: that tells it; None where rows hold always.
        label: configuration section of the look-up, for messages.

    Raises:
        UserError: if there is no such column, or it is of a type that tells no days.
    """
    if column is None:
        return F.lit(None).cast("date")
    if column not in table.columns:
        known = ", ".join(table.columns)
        raise UserError(
            f"[{label}] valid_from: the lookup has no column '{column}'; it has {known}"
        )
    data_type = table.schema[column].dataType
    if not isinstance(data_type, DateType | StringType):
        raise UserError(
            f"[{label}] valid_from: '{column}' is {data_type.simpleString()}, not a date, or text "
            "such as 2026-01-31"
        )
    return F.trim(quoted_column(column).cast("string")).try_cast("date")


def _problem(lookup_rows: DataFrame, lookup: Lookup, path: str, label: str) -> str | None:
    """What is wrong with the keys or the days of a look-up; None if nothing."""
    no_day = lookup_rows.where(F.lit(lookup.valid_from is not None) & F.col(_FROM).isNull())
    repeated = lookup_rows.groupBy(_KEY, _FROM).count().where("count > 1")
    try:
        if lookup.valid_from is not None and not no_day.isEmpty():
            return (
                f"[{label}] valid_from: '{lookup.valid_from}' in {path} is not everywhere a day "
                "such as 2026-01-31: write it so, with a day in each row"
            )
        is_unique = repeated.isEmpty()
    except FAILED as error:
        return f"[{label}] {path} cannot be read: {first_line(error)}"
    if is_unique:
        return None
    of_day = "" if lookup.valid_from is None else f" with the same '{lookup.valid_from}'"
    return (
        f"[{label}] on: '{lookup.on}' occurs more than once{of_day} in {path}; rows would be "
        "multiplied: make it unique"
    )


def _rows_by_month(lookup_rows: DataFrame, dating: Dating) -> DataFrame:
    """Rows of a look-up, once for each month of the days on which they are the newest of their key.

    A receipt then meets the rows of its month alone, and not the rates of all years.

    Args:
        lookup_rows: one row per key and first day.
        dating: of the receipts; months without a day of theirs are left out.
    """
    next_day = F.lead(_FROM).over(Window.partitionBy(_KEY).orderBy(_FROM))
    with_end = lookup_rows.withColumn(_UNTIL, next_day)
    first = F.greatest(F.col(_FROM), F.lit(dating.first_day))
    last = F.least(F.date_sub(_UNTIL, 1), F.lit(dating.last_day))  # least() passes over NULL
    months = F.sequence(_month_number(first), _month_number(last))
    return with_end.where(first <= last).withColumn(_MONTH, F.explode(months))


def _month_number(day: Column) -> Column:
    """Months since the year 0, as one number."""
    return F.year(day) * 12 + F.month(day)
