"""What a feature is: everything that is to be known of one, declared in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from pyspark.sql import Column

if TYPE_CHECKING:
    from rfm_spark.settings.shop import ShopSettings

Transform = Literal["none", "log1p"]


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
    """One number of a customer's habits in a window.

    Attributes:
        name: of its column in `customer_features`.
        comment: what the number means; kept in the table.
        value: as of a day, over a row of `habits`.
        low: words for a cluster in which it is low, for personas.
        high: words for one in which it is high.
        is_actionable: whether a business can work on it: not on time, and money is a result.
        transform: before it is standardised: log1p where its tail is long.
        need: what the input must bring; None for what every receipt tells.
    """

    name: str
    comment: str
    value: Callable[[date], Column]
    low: str
    high: str
    is_actionable: bool = True
    transform: Transform = "log1p"
    need: Need | None = None
