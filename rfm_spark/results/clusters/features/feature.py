"""What a feature is: everything that is to be known of one, declared in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from rfm_spark.settings.shop import ShopSettings

Transform = Literal["none", "log1p", "rank"]

Missing = Literal["median", "zero"]
"""What counts for who has no value: the median of those who have one, or 0."""

FURTHER = "further"
"""The column of `customer_features` with features that the configuration names, by their names."""


@dataclass(frozen=True)
class Need:
    """What the input must bring for a feature to be known.

    Attributes:
        setting: how a person writes it in the configuration.
        is_met: whether the configuration does.
    """

    setting: str
    is_met: Callable[[ShopSettings], bool]


@dataclass(frozen=True)
class Feature:
    """One number of a customer, as models use it.

    Attributes:
        name: of its column in `customer_features`, or its key in FURTHER.
        low: words for a cluster in which it is low, for personas.
        high: words for one in which it is high.
        is_actionable: whether a business can work on it: not on time, and money is a result.
        transform: before it is standardised: log1p where its tail is long.
        need: what the input must bring; None for what every receipt tells.
        missing: what counts for who has no value in FURTHER; None for a column of its own, in which
            everybody has one.
        label: its name for people, where that is not made of `name`.
    """

    name: str
    low: str
    high: str
    is_actionable: bool = True
    transform: Transform = "log1p"
    need: Need | None = None
    missing: Missing | None = None
    label: str = ""

    @property
    def stored(self) -> Column:
        """Over a row of `customer_features`; NULL for who has no value."""
        return F.col(self.name) if self.missing is None else F.col(FURTHER)[self.name]

    @property
    def words(self) -> str:
        """Its name for people, such as `average receipt` of `average_receipt_cents`."""
        return self.label or self.name.removesuffix("_cents").replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class Habit(Feature):
    """What a customer does in a window, in a column of its own.

    Attributes:
        comment: what the number means; kept in the table.
        value: as of a day, over a row of `habits`.
    """

    comment: str
    value: Callable[[date], Column]
