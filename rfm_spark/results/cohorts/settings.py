"""Which cohorts are followed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from rfm_spark.core.periods import Grain, Weekday
from rfm_spark.results.cohorts.followed import Events, Followed
from rfm_spark.results.cohorts.periods import Periods, periods_of
from rfm_spark.settings.section import Distinct, Name, Section
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.settings.sources import RECEIPT_CONTEXT

RECEIPTS = "receipts"
"""Among events: visits, which receipts are."""

EventNames = Annotated[list[str], Field(min_length=1)] | Literal["all"]
SpanDays = Annotated[int, Field(ge=1, le=3_660)]
LastDay = Annotated[int, Field(ge=0, le=36_525)]
_WON_BY = {f"first_{word}": word for word in RECEIPT_CONTEXT}
"""Columns of first receipts, and what receipts must tell for each."""
_FIRST_VISIT, _FIRST_INTERACTION = "receipt", "interaction"


class Origin(Section):
    """What makes a customer a member of a cohort, and what counts as having come again."""

    events: EventNames | None = Field(
        default=None,
        description="the first of these: `receipts` (visits) and kinds of interactions, or `all`",
    )
    attribute: str | None = Field(
        default=None,
        description="in place of events, an attribute that holds a date (`yyyy-MM-dd`)",
    )
    activity: EventNames | None = Field(
        default=None,
        description="what counts as having come; by default `receipts`, and without [receipts] "
        "`all`",
    )
    at_least_receipts: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="only who has so many visits in a period has come"
    )
    at_least_money: Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)] | None = Field(
        default=None,
        description="only who spends so much in a period, returns subtracted, has come; in whole "
        "units, such as 19.90",
    )

    @property
    def named_kinds(self) -> list[str]:
        """Kinds of interactions that are named, each once."""
        names = [one for given in (self.events, self.activity) for one in _listed(given)]
        return [name for name in dict.fromkeys(names) if name != RECEIPTS]

    def misfits(self) -> Iterator[str]:
        """Of two origins, and of two sorts of activity."""
        if (self.events is None) == (self.attribute is None):
            yield "give either `events` or `attribute`"
        told = [self.activity, self.at_least_receipts, self.at_least_money]
        if sum(one is not None for one in told) > 1:
            yield "give one of `activity`, `at_least_receipts` and `at_least_money`"


class Cohorts(Section):
    """Cohorts: who begins together, and who of them comes again."""

    grains: Annotated[list[Grain], Distinct] = Field(
        default=["month", "week"], min_length=1, description="lengths of a period"
    )
    week_start: Weekday = Field(default="monday", description="first day of a week")
    rolling_days: Annotated[list[SpanDays], Distinct] = Field(
        default_factory=list,
        description="lengths in days of periods from each customer's own first day, such as 28, "
        "beside those of the calendar",
    )
    brackets: list[LastDay] = Field(
        default_factory=list,
        description="last days of brackets since each customer's own first day, which is 0: "
        "`[0, 7, 30, 90]` is day 0, days 1 to 7, 8 to 30 and 31 to 90",
    )
    cuts: Annotated[list[str], Distinct] = Field(
        default_factory=list,
        max_length=4,
        description="by what cohorts are cut, each and all of them together, in `cohort_cuts`: "
        "attributes of customers, and `first_store`, `first_channel`, `first_promotion` and "
        "`first_category` of their first receipts",
    )
    max_cut_cells: int = Field(
        default=1_000_000, ge=1, description="more rows of `cohort_cuts` of a day are refused"
    )
    origins: dict[Name, Origin] = Field(
        default_factory=dict,
        description="what makes a member, by a name of its own; by default `receipt`, the first "
        "visit, and without [receipts] `interaction`, the first one of any kind",
    )

    @field_validator("brackets")
    @classmethod
    def _ascending(cls, last_days: list[int]) -> list[int]:
        if any(later <= day for day, later in pairwise(last_days)):
            raise ValueError("last days of brackets must rise")
        return last_days

    def periods(self) -> list[Periods]:
        """All divisions of time that are followed."""
        return list(periods_of(self.grains, self.week_start, self.rolling_days, self.brackets))

    def followed(self, shop: ShopSettings) -> list[Followed]:
        """All origins that are followed, in the shop's own terms."""
        has_receipts = shop.receipts is not None
        implied = {_FIRST_VISIT if has_receipts else _FIRST_INTERACTION: Origin(events=_any(shop))}
        origins = self.origins or implied
        return [_followed(name, origin, shop) for name, origin in origins.items()]


def cohort_misfits(rules: Cohorts, shop: ShopSettings) -> Iterator[str]:
    """Events, money and attributes that nothing brings."""
    attributes = shop.customers.columns.attributes if shop.customers else {}
    known = ", ".join(sorted(attributes)) or "none"
    yield from _cut_misfits(rules.cuts, shop, attributes)
    for name, origin in rules.origins.items():
        at = f"cohorts.origins.{name}"
        for key in ("events", "activity"):
            yield from (
                f"{at}.{key}: {one}" for one in _missing(_listed(getattr(origin, key)), shop)
            )
        for key in ("at_least_receipts", "at_least_money"):
            if getattr(origin, key) is not None and shop.receipts is None:
                yield f"{at}.{key}: no [receipts] are configured"
        money = origin.at_least_money
        if money is not None and _minor_units(money, shop) % 1:
            digits = shop.business.minor_unit_digits
            yield f"{at}.at_least_money: {money} has more than {digits} digits after the point"
        if origin.attribute is not None and origin.attribute not in attributes:
            yield f"{at}.attribute: '{origin.attribute}' is no attribute; configured: {known}"


def _cut_misfits(cuts: list[str], shop: ShopSettings, attributes: Collection[str]) -> Iterator[str]:
    known = ", ".join(sorted(attributes)) or "none"
    for name in cuts:
        word = _WON_BY.get(name)
        if word is None and name not in attributes:
            yield (
                f"cohorts.cuts: '{name}' is no attribute; configured: {known}; of first receipts: "
                f"{', '.join(_WON_BY)}"
            )
        elif word is not None and name in attributes:
            yield (
                f"cohorts.cuts: '{name}' is an attribute, and what first receipts tell: give the "
                "attribute another name"
            )
        elif word is not None and word not in shop.receipt_context:
            yield f"cohorts.cuts: '{name}' needs receipts.columns.{RECEIPT_CONTEXT[word]}"


def _listed(names: list[str] | Literal["all"] | None) -> list[str]:
    return names if isinstance(names, list) else []


def _missing(names: list[str], shop: ShopSettings) -> Iterator[str]:
    if RECEIPTS in names and shop.receipts is None:
        yield f"`{RECEIPTS}`: no [receipts] are configured"
    kinds = [name for name in names if name != RECEIPTS]
    if kinds and not shop.interactions:
        yield (f"{', '.join(kinds)}: no [interactions] are configured that could bring them")


def _any(shop: ShopSettings) -> list[str] | Literal["all"]:
    return "all" if shop.receipts is None else [RECEIPTS]


def _followed(name: str, origin: Origin, shop: ShopSettings) -> Followed:
    at_least = None
    if origin.at_least_receipts is not None:
        at_least = ("visits", origin.at_least_receipts)
    elif origin.at_least_money is not None:
        at_least = ("net_cents", int(_minor_units(origin.at_least_money, shop)))
    return Followed(
        name,
        Events() if origin.events is None else _events(origin.events, shop),
        _events(origin.activity or _any(shop), shop),
        origin.attribute,
        shop.business.earliest_date,
        at_least,
    )


def _events(names: list[str] | Literal["all"], shop: ShopSettings) -> Events:
    if names == "all":
        return Events(shop.receipts is not None, None if shop.interactions else ())
    kinds = tuple(sorted(set(names) - {RECEIPTS}))
    return Events(RECEIPTS in names, kinds)


def _minor_units(money: float, shop: ShopSettings) -> Decimal:
    return Decimal(str(money)).scaleb(shop.business.minor_unit_digits)
