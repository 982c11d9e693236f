"""Lists of customers, made of one day of `customer_360`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.lists.consent import consent_condition, with_consent
from rfm_spark.app.lists.days import customers_of_day, stored_day
from rfm_spark.app.lists.names import ListColumn, checked_condition, customer_names, list_columns
from rfm_spark.app.lists.selection import Selection, require_names
from rfm_spark.core.conditions import any_of
from rfm_spark.core.errors import UserError
from rfm_spark.core.spreadsheets import as_plain_text, is_formula
from rfm_spark.run import Run
from rfm_spark.storage.exports import Export, ExportFormat


@dataclass(frozen=True)
class ListTold:
    """What there is to say of a list.

    Attributes:
        as_of: the day of its customers.
        conditions: that all in it meet; none for everybody.
        customers: how many.
        revenue_cents: net amount of all their receipts, up to the day.
        formulas: texts that were kept from being formulas; 0 where nothing was.
        without_consent: customers who meet the conditions and are left out, as they have not agreed
            to be contacted; None where that was not asked.
    """

    as_of: date
    conditions: Sequence[str]
    customers: int
    revenue_cents: int
    formulas: int
    without_consent: int | None = None


def list_customers(
    run: Run,
    selection: Selection,
    columns: Sequence[str],
    format: ExportFormat,  # noqa: A002 - as the command line calls it
    out: str,
    as_of: date | None,
    needs_consent: bool = True,
) -> ListTold:
    """Writes who is picked, with their columns; where that is nobody, nothing.

    Args:
        run: session, settings and warehouse.
        selection: who.
        columns: names of columns of `customer_360` and of attributes, beside `customer_id`.
        format: of the files.
        out: where to write; nothing may be there.
        as_of: a day that is stored; by default the newest.
        needs_consent: whether only those are picked who have agreed, where `[consent]` asks for it.

    Raises:
        UserError: if something that is named is not there, or the place cannot be written to.
    """
    names = customer_names(run.settings)
    shown = list_columns(columns, names, "--columns")
    require_fitting(shown, format)
    day = stored_day(run, as_of)
    require_names(run, selection, day)
    conditions = selection.conditions(day, run.settings.business.lost_after_days)
    customers = customers_of_day(run, day)
    for condition in conditions:
        customers = customers.where(checked_condition(condition, names, "--where"))
    is_asked = needs_consent and consent_condition(run) is not None
    picked = with_consent(run, customers, day) if is_asked else customers
    with Export(run.sessions, out, format) as export:
        told = _told(picked, day, conditions, shown if format == "csv" else [])
        if is_asked:
            told = replace(told, without_consent=customers.count() - told.customers)
        if told.customers:
            with run.progress.step("write the list") as step:
                write_list(picked, shown, export)
                step.says(f"{told.customers:,} customers")
    return told


def require_fitting(columns: Sequence[ListColumn], format: ExportFormat) -> None:  # noqa: A002
    """Makes sure that a format can hold the columns.

    Raises:
        UserError: for maps in CSV.
    """
    maps = [one.name for one in columns if one.kind is None]
    if maps and format == "csv":
        raise UserError(
            f"--columns {', '.join(maps)}: CSV cannot hold maps: name what is wanted of it, such "
            "as an attribute, or take another --format"
        )


def write_list(customers: DataFrame, columns: Sequence[ListColumn], export: Export) -> None:
    """Writes columns of customers, in the order of their ids; texts of CSV are no formulas."""
    shown = [one.column() for one in columns]
    if export.format == "csv":
        shown = [
            as_plain_text(column).alias(one.name) if one.kind == "text" else column
            for one, column in zip(columns, shown, strict=True)
        ]
    export.write(customers.select(*shown), "customer_id")


def holds_formula(columns: Sequence[ListColumn]) -> Column:
    """Whether a customer has a text that a spreadsheet would take for a formula."""
    texts = [is_formula(one.column()) for one in columns if one.kind == "text"]
    return any_of(F.coalesce(one, F.lit(False)) for one in texts)


def _told(
    customers: DataFrame, day: date, conditions: Sequence[str], texts: Sequence[ListColumn]
) -> ListTold:
    row = customers.agg(
        F.count(F.lit(1)).alias("customers"),
        F.coalesce(F.sum("lifetime_revenue_cents"), F.lit(0)).alias("revenue_cents"),
        F.count_if(holds_formula(texts)).alias("formulas"),
    ).collect()[0]
    return ListTold(day, conditions, row["customers"], row["revenue_cents"], row["formulas"])
