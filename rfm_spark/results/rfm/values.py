"""RFM values: what a profile counts of every customer, by name in the sums of customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import add

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.bigint import BIGINT_MAX
from rfm_spark.core.look_back import EVER, LookBack, days_before
from rfm_spark.facts.asks import (
    ATTRIBUTE,
    ATTRIBUTES_EVER,
    EVENTS_EVER,
    RECEIPT_VALUES,
    RECEIPTS_EVER,
    Ask,
)
from rfm_spark.results.rfm.filters import Filter

POINT_UNITS = 1_000_000
"""Values of interactions have six decimals: points are added up as integers of millionths."""

_EVENT_MEASURES = ("events", "last_event", "points")
_FIRST_EVENT = ("first_event",)


@dataclass(frozen=True)
class WeightedKinds:
    """Kinds of interactions that count alike.

    Attributes:
        weight: what one event adds to frequency.
        kinds: their names; None for all there are.
    """

    weight: int
    kinds: tuple[str, ...] | None


@dataclass(frozen=True)
class Basis:
    """What a profile counts, and of whom.

    Attributes:
        window: how far back it looks.
        visit_weight: what a visit adds to frequency; 0 where visits are no events of the profile.
        interactions: interactions that are events of the profile.
        is_money: whether its value is net money; otherwise points: the weighted sum of the
            events' values, where an event without one counts 1.
        has_all_known: whether all known customers are its population; otherwise those with an
            event in the window.
        filter: a condition that customers of the population meet; None for none.
    """

    window: LookBack
    visit_weight: int = 1
    interactions: tuple[WeightedKinds, ...] = ()
    is_money: bool = True
    has_all_known: bool = False
    filter: Filter | None = None

    @property
    def value_unit(self) -> str:
        """Unit of the profile's value: `cents` (minor units of money) or `points`."""
        return "cents" if self.is_money else "points"

    @property
    def units_per_value(self) -> int:
        """How many of the integers that are added up make 1 of the value's unit."""
        return 1 if self.is_money else POINT_UNITS

    def asks(self) -> Iterator[Ask]:
        """What the sums of customers must hold."""
        yield Ask(self.window, RECEIPT_VALUES)
        for one in self.interactions:
            yield self._ask(one)
        if self.interactions:
            yield self._first_ask()
        if self.has_all_known:
            yield from (RECEIPTS_EVER, EVENTS_EVER, ATTRIBUTES_EVER)
        if self.filter is not None and self.filter.attributes:
            yield _attributes_ask(self.filter)

    def in_population(self, as_of: date) -> Column:
        """Whether a row of `customer_sums` is a customer whom the profile scores."""
        found = F.col("customer_id").isNotNull() & self._is_of_population()
        if self.filter is None:
            return found
        values = self.values(as_of)
        numbers = {
            **values,
            "value": values["value_units"] / self.units_per_value,
            "monetary_cents": self.monetary_cents(),
        }
        attributes = {
            name: F.col(_attributes_ask(self.filter).column(f"{ATTRIBUTE}{name}"))
            for name in self.filter.attributes
        }
        return found & self.filter.condition(numbers, attributes)

    def _is_of_population(self) -> Column:
        if not self.has_all_known:
            return self.is_counted()
        known = (
            RECEIPTS_EVER.column("receipts"),
            EVENTS_EVER.column("events"),
            ATTRIBUTES_EVER.column("has_attributes"),
        )
        return reduce(Column.__or__, (F.col(name).isNotNull() for name in known))

    def is_counted(self) -> Column:
        """Whether a row of `customer_sums` has an event of the profile in the window."""
        return self._frequency() > 0

    def values(self, as_of: date) -> dict[str, Column]:
        """Values of a row of `customer_sums`.

        Args:
            as_of: last day that counts.

        Returns:
            `recency_days` (NULL without an event in the window), `frequency` (sum of weights),
            `value_units` (BIGINT: minor units, or millionths of a point; NULL where it cannot
            hold them).
        """
        return {
            "recency_days": days_before(as_of, self.last_event()),
            "frequency": self._frequency(),
            "value_units": self.monetary_cents() if self.is_money else self._points(),
        }

    def monetary_cents(self) -> Column:
        """Net money in the window, whatever the profile's value is."""
        return self._receipts("net_cents")

    def events_inside(self) -> Column:
        """Number of interactions in the window that are events of the profile."""
        return _added([self._events(one, "events") for one in self.interactions])

    def first_event(self, as_of: date) -> Column:
        """Day of the first event of the profile ever."""
        days = [F.col("first_visit")] if self.visit_weight else []
        if self.interactions:
            days.append(F.col(self._first_ask().column("first_event")))
        first = _extreme(F.least, days)
        return F.when(first <= F.lit(as_of), first)

    def last_event(self) -> Column:
        """Day of the last event of the profile in the window."""
        days = []
        if self.visit_weight:
            days.append(F.when(self._receipts("visits") > 0, F.col("last_visit")))
        days += [F.col(self._ask(one).column("last_event")) for one in self.interactions]
        return _extreme(F.greatest, days)

    def counts_kind(self, kind: str) -> bool:
        """Whether interactions of a kind are events of the profile."""
        return any(one.kinds is None or kind in one.kinds for one in self.interactions)

    def _frequency(self) -> Column:
        visits = self._receipts("visits") * self.visit_weight
        weighted = [self._events(one, "events") * one.weight for one in self.interactions]
        return _added([*([visits] if self.visit_weight else []), *weighted])

    def _points(self) -> Column:
        visits = self._receipts("visits") * (self.visit_weight * POINT_UNITS)
        weighted = [
            _bounded_units(self._events(one, "points"), one.weight, len(self.interactions))
            for one in self.interactions
        ]
        return _added([*([visits] if self.visit_weight else []), *weighted])

    def _receipts(self, measure: str) -> Column:
        return F.coalesce(Ask(self.window, RECEIPT_VALUES).column(measure), F.lit(0))

    def _events(self, one: WeightedKinds, measure: str) -> Column:
        return F.coalesce(self._ask(one).column(measure), F.lit(0))

    def _ask(self, one: WeightedKinds) -> Ask:
        return Ask(self.window, _EVENT_MEASURES, "interactions", one.kinds)

    def _first_ask(self) -> Ask:
        named = [one.kinds for one in self.interactions]
        kinds = None if None in named else tuple(kind for some in named for kind in some or ())
        return Ask(EVER, _FIRST_EVENT, "interactions", kinds)


def rfm_values(sums: DataFrame, as_of: date, basis: Basis, kept: Sequence[str] = ()) -> DataFrame:
    """Recency, frequency and value of every customer in the population.

    Args:
        sums: `customer_sums` as of the same day, with the asks of the basis among others.
        as_of: last day that counts.
        basis: what counts.
        kept: further columns of the sums.

    Returns:
        One row per customer: `customer_id`, `first_visit` and `last_visit` (days of the first
        event ever and the last in the window), `recency_days` (whole days, >= 0; NULL without an
        event in the window), `frequency` (visits, or the sum of weights), `value_units` (minor
        units, or millionths of a point; can be negative), `monetary_cents` (net), and those kept.
    """
    return sums.where(basis.in_population(as_of)).select(
        "customer_id",
        basis.first_event(as_of).alias("first_visit"),
        basis.last_event().alias("last_visit"),
        *[value.alias(name) for name, value in basis.values(as_of).items()],
        basis.monetary_cents().alias("monetary_cents"),
        *kept,
    )


def stored_value() -> Column:
    """The value of a row of `rfm`; those of release 0.1.0 have money alone, which it was of."""
    return F.coalesce("value", F.col("monetary_cents").cast("double"))


def _bounded_units(points: Column, weight: int, parts: int) -> Column:
    """Points of one weight in millionths; NULL where as many in each part were no BIGINT."""
    most = BIGINT_MAX // (2 * parts * weight * POINT_UNITS)  # the other half is for visits
    units = (points * (weight * POINT_UNITS)).cast("bigint")
    return F.when(F.abs(points) <= most, units)


def _attributes_ask(asked: Filter) -> Ask:
    return Ask(EVER, tuple(f"{ATTRIBUTE}{name}" for name in asked.attributes), "attributes")


def _added(parts: Sequence[Column]) -> Column:
    return reduce(add, parts) if parts else F.lit(0).cast("bigint")


def _extreme(of: Callable[..., Column], days: Sequence[Column]) -> Column:
    """The least or greatest of days, NULL apart; Spark wants two of them at least."""
    return days[0] if len(days) == 1 else of(*days)
