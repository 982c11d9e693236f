"""What a result is: everything that the application needs to know of one, declared in one place.

A package of `rfm_spark.results` has a module `result` with a `RESULT`. Its command, its section of
the configuration, its place in a run, whether it still stands, its tables in the dictionary and
under maintenance, what is shown of it and what it adds to `customer_360` all follow from that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar, cast

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.page import Page
from rfm_spark.core.panel import Panel
from rfm_spark.core.table import Column, Table
from rfm_spark.facts.asks import Ask
from rfm_spark.run import Run
from rfm_spark.settings.shop import ShopSettings

Rules = TypeVar("Rules")
"""The type of a result's section of the configuration; None where it has none."""


@dataclass(frozen=True)
class Made:
    """How a result of a day was made.

    Attributes:
        settings: the whole configuration, as JSON tells it.
        read_versions: Delta version of every table it was made from.
    """

    settings: Mapping[str, Any]
    read_versions: Mapping[str, int]


def _of_no_result(name: str, _: Sequence[str]) -> DataFrame:
    raise ValueError(f"numbers of {name} are asked for where no result is made")


@dataclass(frozen=True)
class Request(Generic[Rules]):
    """A result that is asked for.

    Attributes:
        run: session, warehouse and progress.
        rules: the result's section of the configuration.
        as_of: the day to describe.
        how_made: how a result, by its name, was last made for a day; None where no record tells.
        numbers_of: numbers of customers as of the day that another result tells, by its name and
            theirs; see CustomerNumbers.
    """

    run: Run
    rules: Rules
    as_of: date
    how_made: Callable[[str, date], Made | None] = lambda _, __: None
    numbers_of: Callable[[str, Sequence[str]], DataFrame] = _of_no_result


@dataclass(frozen=True)
class SettingsSection:
    """A result's section of the configuration.

    Attributes:
        name: of the section.
        type: what pydantic is to read it as.
        default: without the section; frozen. None: the result is made where the section is written.
        implied: what a file without the section says by its other sections, as one would write it;
            None for the default.
    """

    name: str
    type: Any
    default: Any
    implied: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class CustomerColumns(Generic[Rules]):
    """What a result adds to `customer_360`.

    Attributes:
        columns: as `customer_360` stores them.
        rows: one row per customer at most, with `customer_id`; None where all that is needed is in
            `customer_360` already. Raises UserError where the day has none.
        values: expressions for the columns over the joined row, where they are not the rows' own;
            it has what `customer_360` knows of every customer (see `known_customers`). Called with
            the result's section of the configuration.
        reads: tables of the result that `rows` reads.
    """

    columns: tuple[Column, ...]
    rows: Callable[[Request[Rules]], DataFrame] | None = None
    values: Callable[[Rules], Mapping[str, SparkColumn]] | None = None
    reads: tuple[Table, ...] = ()

    def selected(self, rules: Rules) -> list[SparkColumn]:
        """The columns, by their names, under a section of the configuration."""
        values = {} if self.values is None else self.values(rules)
        return [values.get(one.name, F.col(one.name)).alias(one.name) for one in self.columns]


@dataclass(frozen=True)
class CustomerNumbers(Generic[Rules]):
    """Numbers of customers that a result tells other results, which then need not know it.

    Attributes:
        names: of all there are, under the result's section of the configuration.
        rows: one row per customer of whom some of the named ones are known: `customer_id`, and
            `numbers`, a map by name. Raises UserError where the day has none.
    """

    names: Callable[[Rules], Sequence[str]]
    rows: Callable[[Request[Rules], Sequence[str]], DataFrame]


@dataclass(frozen=True)
class Use:
    """A number of customers that a result takes from another one.

    Attributes:
        where: how a person finds it in the configuration.
        result: name of the other one.
        number: its name there.
    """

    where: str
    result: str
    number: str


@dataclass(frozen=True)
class Result(Generic[Rules]):
    """One question that the facts answer, as of a day.

    Attributes:
        name: of its command, and of the job for spark-submit.
        summary: one line for a person.
        tables: what it writes; those partitioned by `as_of` hold many days.
        reads: what it reads beside sums of customers: facts, and tables of other results, which
            are then made before it.
        make: writes the tables; with the sums of customers (`facts.customer_sums`) as of the day.
        asks: what these must hold; none for a result that is not made of them.
        rereads: whether it goes over the sums several times.
        section: of the configuration.
        misfits: what does not go together between the section and the shop, a line each.
        panels: what to show of a day that is made.
        pages: what the report tells of a day that is made.
        keeps_decisions: whether, by its rules, what is made of a day can depend on days that were
            described before it; without it never.
        customer_columns: what it adds to `customer_360`.
        customer_numbers: what it tells other results of customers.
        uses: numbers of others that it takes by its rules; those results have a lower place.
        of_receipts: whether it is not made for a shop that delivers no receipts.
        of_history: whether it is not made where customers are given as totals, without their days.
        compares_days: whether its command takes an earlier day to compare with, `run.since`.
        place: among results that do not read each other; lower ones are made and shown first.
    """

    name: str
    summary: str
    tables: tuple[Table, ...]
    make: Callable[[Request[Rules], DataFrame | None], None]
    reads: tuple[Table, ...] = ()
    asks: Callable[[Rules, ShopSettings], Iterable[Ask]] | None = None
    rereads: bool = False
    section: SettingsSection | None = None
    misfits: Callable[[Rules, ShopSettings], Iterable[str]] | None = None
    panels: Callable[[Request[Rules]], Iterable[Panel]] | None = None
    pages: Callable[[Request[Rules]], Iterable[Page]] | None = None
    keeps_decisions: Callable[[Rules], bool] | None = None
    customer_columns: CustomerColumns[Rules] | None = None
    customer_numbers: CustomerNumbers[Rules] | None = None
    uses: Callable[[Rules], Iterable[Use]] | None = None
    of_receipts: bool = False
    of_history: bool = False
    compares_days: bool = False
    place: int = 50

    def is_made_for(self, settings: ShopSettings) -> bool:
        """Whether the shop wants it, and delivers what it is made of."""
        if not self.is_wanted(settings):
            return False
        if self.of_history and settings.customer_totals is not None:
            return False
        return not self.of_receipts or settings.receipts is not None

    def is_wanted(self, settings: ShopSettings) -> bool:
        """Whether its section is written, where it is made for nobody else."""
        return self.section is None or self.rules(settings) is not None

    def has_kept_decisions(self, settings: ShopSettings) -> bool:
        """Whether days depend on those before them, under the application's settings."""
        return self.keeps_decisions is not None and self.keeps_decisions(self.rules(settings))

    def used(self, settings: ShopSettings) -> list[Use]:
        """Numbers of other results that it takes, under the application's settings."""
        return [] if self.uses is None else list(self.uses(self.rules(settings)))

    def rules(self, settings: ShopSettings) -> Rules:
        """The result's section of the application's settings."""
        return cast("Rules", getattr(settings, self.section.name) if self.section else None)


AnyResult = Result[Any]


def required(sums: DataFrame | None) -> DataFrame:
    """The sums of customers, of a result that asks for some.

    Raises:
        ValueError: if there are none: the result declares no `asks`.
    """
    if sums is None:
        raise ValueError("this result needs sums of customers, and declares no asks")
    return sums
