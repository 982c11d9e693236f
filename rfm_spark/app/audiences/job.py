"""Audiences built: who is in one is written down once, and can be exported again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.audiences.definition import Definition, defined
from rfm_spark.app.audiences.members import (
    HOLDOUT,
    TREATED,
    listed_ids,
    members,
    stored_members,
    without,
)
from rfm_spark.app.audiences.tables import AUDIENCES
from rfm_spark.app.lists.consent import consent_condition, with_consent
from rfm_spark.app.lists.days import customers_of_day, stored_day
from rfm_spark.app.lists.job import holds_formula, write_list
from rfm_spark.app.lists.names import ListColumn, checked_condition, type_at
from rfm_spark.app.recording import recorded
from rfm_spark.app.settings import Settings
from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.facts.identities import with_all_ids
from rfm_spark.facts.merging import merged_customers
from rfm_spark.run import Run
from rfm_spark.storage.exports import Export
from rfm_spark.storage.locations import literal, location
from rfm_spark.storage.spark_errors import FAILED, first_line


@dataclass(frozen=True)
class Built:
    """An audience as it is stored.

    Attributes:
        name: of the audience.
        as_of: the day of its customers.
        customers: in all.
        held_out: of these.
        is_of_before: whether it had been built already, and stays.
        listed: customers of the day who are on exclusion lists; None without any lists.
        without_consent: customers who are not in it, as they have not agreed; None where that was
            not asked, or it had been built already.
        opted_out: treated who came onto a list after it was built, or have agreed no longer, and
            are not exported.
        formulas: of those exported, whose texts were kept from being formulas.
    """

    name: str
    as_of: date
    customers: int
    held_out: int
    is_of_before: bool
    listed: int | None = None
    without_consent: int | None = None
    opted_out: int = 0
    formulas: int = 0


def definition_of(settings: Settings, name: str) -> Definition:
    """An audience of the configuration.

    Raises:
        UserError: if there is none of this name.
    """
    if name not in settings.audiences:
        known = list(settings.audiences)
        hint = did_you_mean(name, known) if known else "none are configured"
        raise UserError(f"{name}: no [audiences.{name}] is configured; {hint}")
    return defined(name, settings.audiences[name], settings)


def chosen_customers(run: Run, definition: Definition, day: date) -> DataFrame:
    """Rows of `customer_360` who are in an audience, with `audience_group`.

    Raises:
        UserError: if an exclusion list cannot be read.
    """
    rules = definition.rules
    rows = with_consent_if_needed(run, definition, unlisted_customers(run, definition, day), day)
    return members(rows, definition.name, rules.limit, definition.order, rules.holdout)


def unlisted_customers(run: Run, definition: Definition, day: date) -> DataFrame:
    """Rows of `customer_360` who meet the condition and are on no exclusion list.

    Raises:
        UserError: if an exclusion list cannot be read.
    """
    rules = definition.rules
    condition = checked_condition(
        rules.where, definition.names, f"audiences.{definition.name}.where"
    )
    met = customers_of_day(run, day).where(condition)
    return without(met, excluded_ids(run, rules.exclude))


def asks_consent(run: Run, definition: Definition) -> bool:
    """Whether only those are in an audience who have agreed."""
    return definition.rules.needs_consent and consent_condition(run) is not None


def with_consent_if_needed(
    run: Run, definition: Definition, customers: DataFrame, day: date | None
) -> DataFrame:
    """Customers who may be in an audience; see `with_consent`."""
    return with_consent(run, customers, day) if asks_consent(run, definition) else customers


def excluded_ids(run: Run, files: Sequence[str]) -> DataFrame | None:
    """Who is on exclusion lists, under any id that was merged; None where there are none.

    Raises:
        UserError: if one cannot be read, or is empty.
    """
    if not files:
        return None
    places = [location(run.sessions, file) for file in files]
    for place in places:
        try:
            is_empty = run.spark.read.text(literal(place)).isEmpty()
        except FAILED as error:
            raise UserError(
                f"{place}: the exclusion list cannot be read: {first_line(error)}"
            ) from None
        if is_empty:
            raise UserError(f"{place}: the exclusion list has no line: nobody would be left out")
    listed = listed_ids(run.spark.read.text([literal(place) for place in places]))
    merged = merged_customers(run)
    return listed if merged is None else with_all_ids(listed, merged)


def build_audience(run: Run, definition: Definition, export: Export | None, day: date) -> Built:
    """Writes down who is in an audience, and exports who is to be written to.

    What was built for a day stays: built again by the same definition, it is exported again, but
    for those who have come onto an exclusion list since, or have agreed no longer.

    Args:
        run: session, settings and warehouse.
        definition: the audience.
        export: where the treated go, with the audience's columns; None for nowhere.
        day: of the customers.

    Raises:
        UserError: if it was built for the day by another definition.
    """
    name, ids = definition.name, excluded_ids(run, definition.rules.exclude)
    without_consent = None
    listed = None if ids is None else _on_lists(customers_of_day(run, day), ids)
    with recorded(run, "audience build", day, [AUDIENCES], makes_facts=False):
        before = stored_definition(run, name, day)
        if before is None:
            if asks_consent(run, definition):
                without_consent = _without_consent(run, definition, day)
            rows = chosen_customers(run, definition, day)
            stored = stored_members(rows, definition.columns[1:], definition.written)
            whole = stored.withColumns({"audience": F.lit(name), "as_of": F.lit(day)})
            if whole.isEmpty():
                return Built(name, day, 0, 0, False, listed, without_consent)
            with run.progress.step(f"build {name}") as step:
                commit = run.replace(AUDIENCES, whole, audience_slice(name, day))
                step.says(f"{commit.rows:,} customers")
        elif before != definition.written:
            raise UserError(
                f"{name}: was built for {day} by another definition, and who was written to must "
                "stay known: give the new one another name, or build it for another day"
            )
    rows = run.warehouse.read(AUDIENCES).where(audience_slice(name, day))
    sizes = _sizes(rows)
    built = Built(
        name,
        day,
        sum(sizes.values()),
        sizes.get(HOLDOUT, 0),
        before is not None,
        listed,
        without_consent,
    )
    if export is None or not sizes.get(TREATED):
        return built
    treated = rows.where(F.col("audience_group") == TREATED)
    willing = with_consent_if_needed(run, definition, without(treated, ids), None)
    opted_out = treated.count() - willing.count()
    formulas = _exported(run, willing, definition, export)
    return replace(built, opted_out=opted_out, formulas=formulas)


def _without_consent(run: Run, definition: Definition, day: date) -> int:
    customers = unlisted_customers(run, definition, day)
    return customers.count() - with_consent(run, customers, day).count()


def _on_lists(customers: DataFrame, ids: DataFrame) -> int:
    return customers.count() - without(customers, ids).count()


def _exported(run: Run, treated: DataFrame, definition: Definition, export: Export) -> int:
    """Writes who is to be written to; of how many texts were kept from being formulas."""
    with run.progress.step("export the treated") as step:
        rows, columns = with_chosen(treated, definition.columns), _flat(definition)
        counts = [F.count(F.lit(1)), F.count_if(holds_formula(columns))]
        customers, formulas = rows.agg(*counts).collect()[0]
        if customers:
            write_list(rows, columns, export)
        step.says(f"{customers:,} customers")
    return formulas if export.format == "csv" else 0


def _sizes(rows: DataFrame) -> dict[str, int]:
    """Customers of each group."""
    counted = rows.groupBy("audience_group").agg(F.count(F.lit(1)).alias("customers"))
    return {row["audience_group"]: row["customers"] for row in counted.collect()}


def with_chosen(rows: DataFrame, columns: Sequence[ListColumn]) -> DataFrame:
    """Stored members with the audience's columns, of their own types, in place of the map."""
    return rows.select(
        "customer_id",
        *[F.col("chosen")[one.name].cast(type_at(one.path)).alias(one.name) for one in columns[1:]],
    )


def _flat(definition: Definition) -> list[ListColumn]:
    return [ListColumn(one.name, (one.name,), one.kind) for one in definition.columns]


def audience_slice(name: str, day: date) -> Column:
    """The rows of an audience as it was built for a day."""
    return (F.col("audience") == F.lit(name)) & (F.col("as_of") == F.lit(day))


def stored_definition(run: Run, name: str, day: date) -> str | None:
    """The section that an audience was built by for a day; None where it was not."""
    if not run.warehouse.is_there(AUDIENCES):
        return None
    rows = run.warehouse.read(AUDIENCES).where(audience_slice(name, day)).limit(1).collect()
    return str(rows[0]["definition"]) if rows else None


def prepared(run: Run, name: str, as_of: date | None) -> tuple[Definition, date]:
    """The audience and the day of its customers.

    Raises:
        UserError: if one of them is not there.
    """
    if not isinstance(run.settings, Settings):
        raise TypeError("audiences need the application's settings")
    return definition_of(run.settings, name), stored_day(run, as_of)
