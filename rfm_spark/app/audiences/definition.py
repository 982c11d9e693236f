"""Definitions: an audience of the configuration, checked against what there is of a customer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rfm_spark.app.audiences.members import Order
from rfm_spark.app.audiences.settings import Audience
from rfm_spark.app.lists.names import ListColumn, customer_names, list_columns
from rfm_spark.core.errors import UserError
from rfm_spark.core.written_conditions import Vocabulary, WrittenCondition, path_of
from rfm_spark.settings.shop import ShopSettings


@dataclass(frozen=True)
class Definition:
    """An audience without problems.

    Attributes:
        name: of the audience.
        rules: its section.
        names: what its condition can name.
        columns: the id, and what is kept of each customer.
        order: who comes first.
    """

    name: str
    rules: Audience
    names: Vocabulary
    columns: list[ListColumn]
    order: Order

    @property
    def written(self) -> str:
        """The section as JSON: what a stored audience was built by."""
        # Audiences of before the key was there stay those that they were.
        return self.rules.model_dump_json(
            exclude={"needs_consent"} if self.rules.needs_consent else None
        )


def defined(name: str, rules: Audience, shop: ShopSettings) -> Definition:
    """The audience, checked.

    Raises:
        UserError: with one line for everything that is wrong with it.
    """
    if problems := list(audience_problems(name, rules, shop)):
        raise UserError(problems)
    names = customer_names(shop)
    columns = list_columns(rules.columns, names, "columns")
    return Definition(name, rules, names, columns, _order(rules.order, names))


def audience_problems(name: str, rules: Audience, shop: ShopSettings) -> Iterator[str]:
    """What is wrong with an audience, a line each."""
    names, section = customer_names(shop), f"audiences.{name}"
    for problem in WrittenCondition(rules.where).problems(names):
        yield f"{section}.where: {problem}"
    try:
        columns = list_columns(rules.columns, names, f"{section}.columns")
    except UserError as error:
        yield from error.problems
    else:
        for one in columns:
            if one.kind is None:
                yield f"{section}.columns: {one.name} is a map: name what is wanted of it"
    try:
        _order(rules.order, names)
    except UserError as error:
        yield f"{section}.order: {error}"
    if rules.order is not None and rules.limit is None:
        yield f"{section}.order: is about `limit`: give one, or leave the order out"


def _order(text: str | None, names: Vocabulary) -> Order:
    if text is None:
        return Order()
    written = text.strip()
    column = written.removeprefix("-").strip()
    path = path_of(column) or (column,)
    found = names.found(path)
    if found is None:
        raise UserError(names.unknown(path))
    if found[1] not in ("number", "day"):
        raise UserError(f"'{column}' is neither a number nor a day: who would come first?")
    return Order(found[0], is_lowest_first=written.startswith("-"))
