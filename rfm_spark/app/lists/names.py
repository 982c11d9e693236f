"""Names: what a list can ask of a customer, and show: columns of `customer_360`, and attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    MapType,
    NumericType,
    StringType,
    StructType,
)

from rfm_spark.core.condition_terms import Path
from rfm_spark.core.errors import UserError
from rfm_spark.core.written_conditions import (
    ANY,
    ATTRIBUTES,
    Kind,
    Vocabulary,
    WrittenCondition,
    path_of,
)
from rfm_spark.results.registry import BY_COMMAND, CUSTOMER_360
from rfm_spark.settings.shop import ShopSettings

_KINDS: Sequence[tuple[type[DataType], Kind]] = (
    (NumericType, "number"),
    (StringType, "text"),
    (DateType, "day"),
    (BooleanType, "truth"),
)


def customer_names(settings: ShopSettings) -> Vocabulary:
    """Columns of `customer_360`, and keys of its maps.

    Attributes and profiles are those of the configuration; other maps have any key.
    """
    attributes = () if settings.customers is None else settings.customers.columns.attributes
    keys = {ATTRIBUTES: list(attributes), "profiles": list(BY_COMMAND["rfm"].rules(settings))}
    kinds: dict[Path, Kind] = {}
    for column in CUSTOMER_360.columns:
        kinds |= _kinds((column.name,), column.type, keys.get(column.name, [ANY]))
    return Vocabulary(kinds, "neither a column of customer_360 nor an attribute")


def _kinds(path: Path, kind: DataType, keys: Sequence[str]) -> dict[Path, Kind]:
    if isinstance(kind, MapType):
        within = [((*path, key), kind.valueType) for key in keys]
    elif isinstance(kind, StructType):
        within = [((*path, field.name), field.dataType) for field in kind.fields]
    else:
        told = next((told for spark_type, told in _KINDS if isinstance(kind, spark_type)), None)
        return {} if told is None else {path: told}
    return {name: one for inner, type_ in within for name, one in _kinds(inner, type_, ()).items()}


def customer_column(path: Path) -> Column:
    """The column of `customer_360` at a path; what a map does not hold is NULL."""
    column = F.col(path[0])
    for key in path[1:]:
        column = column[key]
    return column


def type_at(path: Path) -> DataType:
    """The type of what `customer_360` has at a path."""
    kind: DataType = CUSTOMER_360.schema[path[0]].dataType
    for key in path[1:]:
        kind = kind[key].dataType if isinstance(kind, StructType) else _value_type(kind)
    return kind


def _value_type(kind: DataType) -> DataType:
    if not isinstance(kind, MapType):
        raise ValueError(f"{kind.simpleString()} holds nothing under a name")
    return kind.valueType


def checked_condition(text: str, names: Vocabulary, where: str) -> Column:
    """The condition as a column of `customer_360`.

    Args:
        text: as it is written.
        names: what it can name.
        where: it was given, for messages.

    Raises:
        UserError: with one line for everything that is wrong with it.
    """
    condition = WrittenCondition(text)
    if problems := condition.problems(names):
        raise UserError([f"{where}: {problem}" for problem in problems])
    return condition.column(names, customer_column)


@dataclass(frozen=True)
class ListColumn:
    """One column of a list.

    Attributes:
        name: in the list.
        path: in `customer_360`.
        kind: of its values; None for a whole map.
    """

    name: str
    path: Path
    kind: Kind | None

    def column(self) -> Column:
        """The column of `customer_360`, under its name in the list."""
        return customer_column(self.path).alias(self.name)


def list_columns(texts: Sequence[str], names: Vocabulary, where: str) -> list[ListColumn]:
    """The id, and the columns that are asked for.

    Args:
        texts: as conditions write names, such as `city` and `profiles['engagement'].segment`.
        names: what there is.
        where: they were given, for messages.

    Raises:
        UserError: with one line for each that is not there, or comes twice.
    """
    found = [ListColumn("customer_id", ("customer_id",), "text")]
    problems = []
    for text in texts:
        path = path_of(text) or (text,)
        known = names.found(path)
        if known is not None:
            whole, kind = known
            name = whole[-1] if whole[0] == ATTRIBUTES else "_".join(whole)
            one = ListColumn(name, whole, kind)
        elif len(path) == 1 and path[0] in CUSTOMER_360.column_names:
            one = ListColumn(path[0], path, None)
        else:
            problems.append(f"{where}: {names.unknown(path)}")
            continue
        if one == found[0]:
            continue
        if one.name in [other.name for other in found]:
            problems.append(f"{where}: '{one.name}' would be there twice")
        found.append(one)
    if problems:
        raise UserError(problems)
    return found
