"""The registry: every result there is, in the order in which they are made."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from graphlib import TopologicalSorter
from importlib import import_module

from pyspark.sql import DataFrame

from rfm_spark import results
from rfm_spark.core.errors import did_you_mean
from rfm_spark.results.customer_360.result import customer_360_result
from rfm_spark.results.declaration import AnyResult, Request
from rfm_spark.run import Run
from rfm_spark.settings.shop import ShopSettings

_MADE_OF_OTHERS = "customer_360"
"""The one package whose result is put together from what the others declare."""


def in_order(found: Iterable[AnyResult]) -> tuple[AnyResult, ...]:
    """The results, each after those whose tables it reads.

    Of the others those made of sums come first, which are kept until the last of these is written;
    then by place and name.

    Raises:
        ValueError: if two have one name or table, or read each other.
    """
    by_name = {result.name: result for result in found}
    writers = {table.name: result.name for result in by_name.values() for table in result.tables}
    if len(writers) < sum(len(result.tables) for result in by_name.values()):
        raise ValueError("two results write the same table")
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for result in by_name.values():
        read = {writers[table.name] for table in result.reads if table.name in writers}
        sorter.add(result.name, *(read - {result.name}))
    sorter.prepare()
    order: list[AnyResult] = []
    ready: list[AnyResult] = []
    while sorter.is_active():
        ready += [by_name[name] for name in sorter.get_ready()]
        ready.sort(key=lambda one: (one.asks is None, one.place, one.name))
        order.append(ready.pop(0))
        sorter.done(order[-1].name)
    return tuple(order)


def _declared() -> Iterator[AnyResult]:
    for package in pkgutil.iter_modules(results.__path__):
        if package.ispkg and package.name != _MADE_OF_OTHERS:
            result = import_module(f"{results.__name__}.{package.name}.result").RESULT
            if result.name != package.name.replace("_", "-"):
                raise ValueError(f"results/{package.name}: the result is called {result.name}")
            yield result


def _all_results() -> tuple[AnyResult, ...]:
    others = sorted(_declared(), key=lambda one: (one.place, one.name))
    return in_order([*others, customer_360_result(others)])


RESULTS = _all_results()
"""All results."""

BY_COMMAND = {result.name: result for result in RESULTS}

CUSTOMER_360 = BY_COMMAND["customer-360"].tables[0]
"""The wide table, whose columns depend on what results there are."""


def tables_read(result: AnyResult, settings: ShopSettings) -> set[str]:
    """Names of the tables that a result is made of, those of the numbers that it uses too."""
    used = {use.result for use in result.used(settings)}
    return {
        *(table.name for table in result.reads),
        *(table.name for name in used for table in BY_COMMAND[name].tables),
    }


def use_misfits(result: AnyResult, settings: ShopSettings) -> Iterator[str]:
    """Numbers that a result is to take from another one, which does not tell them; a line each."""
    for use in result.used(settings):
        other = BY_COMMAND[use.result]
        told = other.customer_numbers
        names = [] if told is None else told.names(other.rules(settings))
        if use.number not in names:
            yield (
                f"{use.where}: there is no {use.number} among the numbers of {use.result}; "
                f"{did_you_mean(use.number, names)}"
            )


def numbers_of(run: Run, as_of: date, name: str, numbers: Sequence[str]) -> DataFrame:
    """Numbers of customers that a result tells as of a day; see CustomerNumbers.

    Raises:
        ValueError: if it tells none.
    """
    result = BY_COMMAND[name]
    if result.customer_numbers is None:
        raise ValueError(f"{name} tells no numbers of customers")
    return result.customer_numbers.rows(Request(run, result.rules(run.settings), as_of), numbers)
