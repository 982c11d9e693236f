"""Moves between two days, customer by customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from reference.cut_points import Cuts, score_ascending, score_descending
from reference.scoring import segment_of
from reference.windows import day_before_window

Customer = Mapping[str, Any]
"""`recency_days`, `frequency`, `first_visit`, `last_visit`, `monetary_cents` and `segment`."""


@dataclass(frozen=True)
class Day:
    """A day as it was scored.

    Attributes:
        as_of: the day.
        customers: by id.
        cuts: by dimension.
    """

    as_of: date
    customers: Mapping[str, Customer]
    cuts: Mapping[str, Cuts]


def segment_by(customer: Customer, cuts: Mapping[str, Cuts], as_of: date, window: int) -> str:
    """The segment of five scores on the default grid, as a customer is on a day."""
    [r] = score_descending([customer["recency_days"]], cuts["recency"])
    [f] = score_ascending([customer["frequency"]], cuts["frequency"])
    return segment_of(r, f, customer["first_visit"] > day_before_window(as_of, window))


def cause(
    before: Customer | None, after: Customer | None, days: tuple[Day, Day], window: int
) -> str:
    """Why one customer's segment changed, where rules and receipts have not."""
    old, new = days
    if before is None:
        assert after is not None
        first = after["first_visit"]
        return "returned" if first is not None and first <= old.as_of else "first"
    if after is None:
        return "left"
    if before["segment"] == after["segment"]:
        return "stayed"
    if segment_by(after, old.cuts, new.as_of, window) == after["segment"]:
        return "activity" if after["last_visit"] > old.as_of else "inactivity"
    if segment_by(before, new.cuts, old.as_of, window) == after["segment"]:
        return "boundary"
    return "both"


def moves(before: Day, after: Day, window: int) -> dict[tuple[Any, Any, str], tuple[int, int]]:
    """From segment, to segment and cause, to customers and money in the earlier window."""
    found: dict[tuple[Any, Any, str], list[int]] = defaultdict(lambda: [0, 0])
    for customer in before.customers.keys() | after.customers.keys():
        old, new = before.customers.get(customer), after.customers.get(customer)
        sides = (None if old is None else old["segment"], None if new is None else new["segment"])
        totals = found[*sides, cause(old, new, (before, after), window)]
        totals[0] += 1
        totals[1] += 0 if old is None else int(old["monetary_cents"])
    return {key: (customers, cents) for key, (customers, cents) in found.items()}
