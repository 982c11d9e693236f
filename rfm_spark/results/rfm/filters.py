"""Filters: conditions on a customer's values and attributes that decide who is scored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pyspark.sql import Column

from rfm_spark.core.condition_terms import Path
from rfm_spark.core.written_conditions import (
    ANY,
    ATTRIBUTES,
    Kind,
    Vocabulary,
    WrittenCondition,
)

NUMBERS = ("recency_days", "frequency", "value", "monetary_cents")
"""Values of a profile that a condition can name; everything else is an attribute: a text."""


@dataclass(frozen=True)
class Filter:
    """A condition that a scored customer meets; one that cannot be told is not met.

    Attributes:
        text: as `WrittenCondition` has it.
    """

    text: str

    def problems(self, attributes: Collection[str]) -> list[str]:
        """What is wrong with the condition, a line each.

        Args:
            attributes: names of those that the shop has.

        >>> Filter("frequency < 'many'").problems([])
        ["'frequency' is a number, and is compared with a text"]
        >>> Filter("colour == 'red'").problems(["country"])
        ["'colour' is neither a value nor an attribute; did you mean 'country'?"]
        >>> Filter("frequency < 200 or country in ['UK']").problems(["country"])
        []
        """
        return WrittenCondition(self.text).problems(_vocabulary(attributes))

    @property
    def attributes(self) -> list[str]:
        """Names of the attributes it looks at, for a condition without problems."""
        paths = WrittenCondition(self.text).paths(_vocabulary([ANY]))
        return sorted(path[1] for path in paths if path[0] == ATTRIBUTES)

    def condition(self, values: Mapping[str, Column], attributes: Mapping[str, Column]) -> Column:
        """Whether a row meets it.

        Args:
            values: of NUMBERS.
            attributes: of `attributes`.
        """

        def column(path: Path) -> Column:
            return attributes[path[1]] if path[0] == ATTRIBUTES else values[path[0]]

        return WrittenCondition(self.text).column(_vocabulary(attributes), column)


def _vocabulary(attributes: Collection[str]) -> Vocabulary:
    kinds: dict[Path, Kind] = {(ATTRIBUTES, name): "text" for name in attributes}
    kinds |= {(name,): "number" for name in NUMBERS}
    return Vocabulary(kinds, "neither a value nor an attribute")
