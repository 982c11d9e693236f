"""Events: what the facts hold of one customer, what it adds up to, and when it leaves a window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rfm_spark.core.natural_order import natural_key
from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.results.moves.one_customer import Values
from rfm_spark.results.rfm.score_ranges import ScoreRange
from rfm_spark.results.rfm.values import POINT_UNITS, Basis
from rfm_spark.run import Run


@dataclass(frozen=True)
class CustomerEvent:
    """What a customer did on a day, of one kind.

    Attributes:
        day: of it; of totals the last order's.
        kind: of interaction; None for receipts.
        count: visits, or interactions.
        cents: net money.
        points: millionths, before any weight.
        totals_of: the day that all orders of a customer were added up; None for a day's own.
        first_order: of totals; None where it was not delivered.
    """

    day: date
    kind: str | None
    count: int
    cents: int
    points: int
    totals_of: date | None = None
    first_order: date | None = None

    @property
    def first_day(self) -> date | None:
        """The first day that it is of; None where that is not known."""
        return self.day if self.totals_of is None else self.first_order

    @property
    def known_on(self) -> date:
        """The day from which it counts."""
        return self.totals_of or self.day

    @property
    def what(self) -> str:
        """In a word or two."""
        if self.kind is not None:
            return self.kind
        if self.totals_of is not None:
            return f"all orders to {self.totals_of}"
        return "visit" if self.count else "return"

    def weight(self, basis: Basis) -> int:
        """Of one of them, in a profile; 0 where it is no event of the profile."""
        if self.kind is None:
            return basis.visit_weight
        found = (one for one in basis.interactions if one.kinds is None or self.kind in one.kinds)
        return next((one.weight for one in found), 0)

    def is_inside(self, basis: Basis, as_of: date) -> bool:
        """Whether it counts for a profile on a day."""
        first = basis.window.first_day(as_of)
        in_time = self.known_on <= as_of and (first is None or self.day >= first)
        return in_time and self.weight(basis) > 0

    def value_units(self, basis: Basis) -> int:
        """What it adds to the value of a profile."""
        return self.cents if basis.is_money else self.points * self.weight(basis)


def events_of(run: Run, customer: str, as_of: date) -> list[CustomerEvent]:
    """What is stored of the customer, the latest first; of totals those that count on a day."""
    where = {"customer_id": customer}
    has_totals = run.settings.customer_totals is not None
    bought = _totals_of(run, customer, as_of) if has_totals else _days_of(run, customer)
    columns = ["day", "kind", "events", "points"]
    did = [
        CustomerEvent(row["day"], row["kind"], row["events"], 0, int(row["points"] * POINT_UNITS))
        for row in run.warehouse.rows(CUSTOMER_DAY_EVENTS, where, columns)
    ]
    return sorted(bought + did, key=lambda one: (one.day, one.kind or ""), reverse=True)


def _days_of(run: Run, customer: str) -> list[CustomerEvent]:
    """Receipts by day."""
    columns = ["day", "visits", "net_cents"]
    return [
        CustomerEvent(
            row["day"], None, row["visits"], row["net_cents"], row["visits"] * POINT_UNITS
        )
        for row in run.warehouse.rows(CUSTOMER_DAYS, {"customer_id": customer}, columns)
    ]


def _totals_of(run: Run, customer: str, as_of: date) -> list[CustomerEvent]:
    """The totals that count on a day, or, where all are of later days, one of these."""
    rows = run.warehouse.rows(CUSTOMER_TOTALS, {"customer_id": customer})
    rows.sort(key=lambda row: (row["as_of"] <= as_of, row["as_of"], natural_key(row["delivery"])))
    return [
        CustomerEvent(
            row["last_purchase"] or row["as_of"],
            None,
            row["orders"],
            row["net_cents"],
            row["orders"] * POINT_UNITS,
            row["as_of"],
            row["first_purchase"],
        )
        for row in rows[-1:]
    ]


def values_of(events: Sequence[CustomerEvent], basis: Basis, as_of: date) -> Values:
    """What the events add up to as of a day, as `rfm_values` does for all customers."""
    inside = [one for one in events if one.is_inside(basis, as_of)]
    ever = [
        one.first_day
        for one in events
        if one.first_day is not None
        and one.count
        and one.known_on <= as_of
        and one.weight(basis) > 0
    ]
    last = max((one.day for one in inside if one.count), default=None)
    return Values(
        recency_days=None if last is None else (as_of - last).days,
        frequency=sum(_size(one, "frequency", basis) for one in inside),
        value_units=sum(_size(one, "monetary", basis) for one in inside),
        first_visit=min(ever, default=None),
    )


def falls_on(
    found: ScoreRange, dimension: str, basis: Basis, counted: Sequence[CustomerEvent]
) -> date | None:
    """The first day on which a score is lower if nothing more happens and the cuts stay.

    Args:
        found: where the value lies now.
        dimension: recency, frequency or monetary.
        basis: of the profile.
        counted: the customer's events inside of the window, which the value is of.

    Returns:
        None for never.
    """
    if dimension == "recency":
        last = max(one.day for one in counted if one.count)
        return None if found.most is None else last + timedelta(days=found.most + 1)
    if found.least is None:
        return None
    left = sum(_size(one, dimension, basis) for one in counted)
    for one, day in _leaving(basis, counted):
        left -= _size(one, dimension, basis)
        if left < found.least:
            return day
    return None


def holds_until(dimension: str, basis: Basis, counted: Sequence[CustomerEvent]) -> date | None:
    """The first day on which frequency or value is another one if nothing more happens.

    Args:
        dimension: frequency or monetary.
        basis: of the profile.
        counted: the customer's events inside of the window, which the value is of.

    Returns:
        None for never.
    """
    leaving = (day for one, day in _leaving(basis, counted) if _size(one, dimension, basis))
    return next(leaving, None)


def _leaving(
    basis: Basis, counted: Sequence[CustomerEvent]
) -> Iterator[tuple[CustomerEvent, date]]:
    """Events with the first day that does not count them any more, the earliest first."""
    if basis.window.days is not None:
        for one in sorted(counted, key=lambda one: one.day):
            yield one, one.day + timedelta(days=basis.window.days)


def _size(event: CustomerEvent, dimension: str, basis: Basis) -> int:
    """What it adds to a dimension."""
    return (
        event.count * event.weight(basis) if dimension == "frequency" else event.value_units(basis)
    )
