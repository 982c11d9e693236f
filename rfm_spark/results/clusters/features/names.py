"""Features by their names: habits, and further ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, WithJsonSchema

from rfm_spark.core.errors import did_you_mean
from rfm_spark.results.clusters.features.catalogue import HABIT_NAMES, HABITS
from rfm_spark.results.clusters.features.feature import FURTHER, Feature
from rfm_spark.results.clusters.features.further import (
    ATTRIBUTE_OF,
    CATEGORY_SHARE,
    ONE_HOT,
    PROFILE,
    PROFILE_NUMBERS,
    TOUCH_POINTS,
    parts,
)

if TYPE_CHECKING:
    from rfm_spark.settings.shop import ShopSettings

_BY_NAME = {habit.name: habit for habit in HABITS}

_WRITTEN = (
    f"^(({ATTRIBUTE_OF}|{ONE_HOT}):[a-z][a-z0-9_]*"
    f"|{PROFILE}:[a-z][a-z0-9_]*\\.({'|'.join(PROFILE_NUMBERS)})"
    f"|({TOUCH_POINTS}|{CATEGORY_SHARE}):.+)$"
)


def feature(name: str) -> Feature:
    """What is to be known of a feature.

    Raises:
        KeyError: if there is none of the name.
    """
    found = parts(name)
    if found is None:
        return _BY_NAME[name]
    kind, of = found
    return kind.feature(name, of)


def lacking_input(name: str, shop: ShopSettings) -> str | None:
    """The setting that would bring what a feature is made of; None where it is there."""
    need = feature(name).need
    return None if need is None or need.is_met(shop) else need.setting


def stored_columns(names: Sequence[str]) -> list[str]:
    """Columns of `customer_features` that features are read from, each once."""
    return list(dict.fromkeys(FURTHER if parts(name) else name for name in names))


def _one_that_is(name: str) -> str:
    if name not in _BY_NAME and not re.match(_WRITTEN, name):
        raise ValueError(
            f"'{name}' is no feature; {did_you_mean(name, HABIT_NAMES)}; or write "
            f"{ATTRIBUTE_OF}:NAME, {ONE_HOT}:NAME, {TOUCH_POINTS}:KIND, "
            f"{CATEGORY_SHARE}:CATEGORY, or {PROFILE}:NAME.NUMBER, a number of "
            f"{', '.join(PROFILE_NUMBERS)}"
        )
    return name


FeatureName = Annotated[
    str,
    AfterValidator(_one_that_is),
    WithJsonSchema(
        {"anyOf": [{"enum": list(HABIT_NAMES)}, {"type": "string", "pattern": _WRITTEN}]}
    ),
]
"""A feature as the configuration names it."""
