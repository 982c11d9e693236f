"""Further features: named in the configuration as `kind:of`, and made of what the shop delivers.

Each has a name that is free text from the colon on. All of a customer's lie in one column, a map by
name, so that `customer_features` has the same columns for every shop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.look_back import EVER, LookBack
from rfm_spark.facts.asks import ATTRIBUTE, Ask
from rfm_spark.results.clusters.features.catalogue import CATEGORY, INTERACTIONS
from rfm_spark.results.clusters.features.feature import Feature, Need

if TYPE_CHECKING:
    from rfm_spark.settings.shop import ShopSettings

ATTRIBUTE_OF, ONE_HOT, TOUCH_POINTS, CATEGORY_SHARE, PROFILE = (
    "attribute", "one_hot", "touch_points", "category_share", "profile"
)  # fmt: skip

PROFILE_NUMBERS: Mapping[str, tuple[str, str]] = {
    "recency_days": ("recent in {}", "long absent in {}"),
    "frequency": ("rare in {}", "frequent in {}"),
    "value": ("low value in {}", "high value in {}"),
    "r_score": ("low recency score in {}", "high recency score in {}"),
    "f_score": ("low frequency score in {}", "high frequency score in {}"),
    "m_score": ("low monetary score in {}", "high monetary score in {}"),
}
"""What a profile of RFM tells of a customer: words for a cluster in which it is low, and high."""

_OF_MONEY = ("value", "m_score")
_LONG_TAILED = ("recency_days", "frequency", "value")

_LARGEST = 1e12
"""A number beyond it is not told from no number: sums of those up to it are exact."""


@dataclass(frozen=True)
class Kind:
    """A kind of further features.

    Attributes:
        feature: what is to be known of one, by its name and what it is of.
        made_of: sums of customers, categories that they bought, or numbers of another result.
        ask: of the sums of customers, what it is made of; None where it is made of none.
        entry: its key in the map and its value (NULL for who has none), by its name and the column
            it is made of.
    """

    feature: Callable[[str, str], Feature]
    made_of: Literal["sums", "categories", "numbers"]
    ask: Callable[[str, LookBack], Ask] | None
    entry: Callable[[str, Column], tuple[Column, Column]]


def _attribute_ask(of: str, _: LookBack) -> Ask:
    return Ask(EVER, (f"{ATTRIBUTE}{of}",), "attributes")


def _events_ask(of: str, look_back: LookBack) -> Ask:
    return Ask(look_back, ("events",), "interactions", (of,))


def _needs_attribute(of: str) -> Need:
    def is_met(shop: ShopSettings) -> bool:
        return shop.customers is not None and of in shop.customers.columns.attributes

    return Need(f"customers.columns.attributes.{of}", is_met)


def _attribute(name: str, of: str) -> Feature:
    words = of.replace("_", " ")
    return Feature(
        name,
        low=f"low {words}",
        high=f"high {words}",
        is_actionable=False,
        transform="none",
        need=_needs_attribute(of),
        missing="median",
        label=words,
    )


def _one_hot(name: str, of: str) -> Feature:
    """Of one value, behind the name of the attribute; of all together, without one."""
    attribute, _, value = of.partition("=")
    words = attribute.replace("_", " ")
    is_it, is_not = (
        (f"{words} {value}", f"not {words} {value}")
        if value
        else (f"unknown {words}", f"known {words}")
    )
    return Feature(
        name,
        low=is_not,
        high=is_it,
        is_actionable=False,
        transform="none",
        need=_needs_attribute(attribute),
        missing="zero",
        label=is_it,
    )


def _touch_points(name: str, of: str) -> Feature:
    words = of.replace("_", " ")
    low, high = f"few touch points {words}", f"many touch points {words}"
    return Feature(name, low, high, need=INTERACTIONS, missing="zero", label=words)


def _category_share(name: str, of: str) -> Feature:
    return Feature(
        name,
        low=f"little of {of}",
        high=f"much of {of}",
        transform="none",
        need=CATEGORY,
        missing="zero",
        label=f"share of {of}",
    )


def _profile(name: str, of: str) -> Feature:
    profile, _, number = of.partition(".")
    low, high = (words.format(profile.replace("_", " ")) for words in PROFILE_NUMBERS[number])
    return Feature(
        name,
        low=low,
        high=high,
        is_actionable=number not in _OF_MONEY,
        transform="log1p" if number in _LONG_TAILED else "none",
        missing="median",
        label=f"{number} of {profile}".replace("_", " "),
    )


def _number(name: str, column: Column) -> tuple[Column, Column]:
    number = column.try_cast("double")  # NaN is greater than any number
    return F.lit(name), F.when(number.between(-_LARGEST, _LARGEST), number)


def _indicator(name: str, column: Column) -> tuple[Column, Column]:
    return F.concat(F.lit(f"{name}="), F.coalesce(column, F.lit(""))), F.lit(1.0)


def _as_it_is(name: str, column: Column) -> tuple[Column, Column]:
    return F.lit(name), column.cast("double")


KINDS: Mapping[str, Kind] = {
    ATTRIBUTE_OF: Kind(_attribute, "sums", _attribute_ask, _number),
    ONE_HOT: Kind(_one_hot, "sums", _attribute_ask, _indicator),
    TOUCH_POINTS: Kind(_touch_points, "sums", _events_ask, _as_it_is),
    CATEGORY_SHARE: Kind(_category_share, "categories", None, _as_it_is),
    PROFILE: Kind(_profile, "numbers", None, _as_it_is),
}
"""By the word before the colon."""


def parts(name: str) -> tuple[Kind, str] | None:
    """The kind of a further feature and what it is of; None for a name that is not one's.

    >>> parts("touch_points:click")[1]
    'click'
    >>> parts("frequency") is None
    True
    """
    kind, _, of = name.partition(":")
    return (KINDS[kind], of) if of and kind in KINDS else None


def numbers_named(names: Iterable[str]) -> list[str]:
    """Numbers of another result that features are, by their names there, each once.

    >>> numbers_named(["frequency", "profile:engagement.frequency"])
    ['engagement.frequency']
    """
    found = (parts(name) for name in names)
    return list(dict.fromkeys(one[1] for one in found if one and one[0].made_of == "numbers"))


def is_one_hot(name: str) -> bool:
    """Whether the name stands for a feature of every value of an attribute."""
    return name.startswith(f"{ONE_HOT}:") and "=" not in name


def configured(name: str) -> str:
    """The name that the configuration has for a feature of a model.

    >>> configured("one_hot:home=Owner")
    'one_hot:home'
    """
    return name.partition("=")[0] if name.startswith(f"{ONE_HOT}:") else name
