"""The cause of one customer's move, without Spark: by the same rules as of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rfm_spark.results.moves.causes import BOTH, Comparison, TwoDays, causes_in_order
from rfm_spark.results.rfm.cut_points import CutPoints
from rfm_spark.results.rfm.scores import weighted_total
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.segments import Cell
from rfm_spark.results.rfm.values import Basis


@dataclass(frozen=True)
class Values:
    """What a customer's segment follows from, as `rfm_values` has it.

    Attributes:
        recency_days: None without an event in the window.
        frequency: visits, or the sum of weights.
        value_units: minor units, or millionths of a point.
        first_visit: day of the first event ever; None without one.
    """

    recency_days: int | None
    frequency: int
    value_units: int
    first_visit: date | None

    @classmethod
    def of(cls, row: Mapping[str, Any], basis: Basis) -> Values:
        """Of a row of `rfm`; those of 0.1.0 have money alone."""
        value = row["monetary_cents"] if row["value"] is None else row["value"]
        units = round(value * basis.units_per_value)
        return cls(row["recency_days"], row["frequency"], units, row["first_visit"])

    @property
    def by_dimension(self) -> dict[str, int]:
        """What is compared with cuts; the recency of who has none is 0."""
        values = (self.recency_days or 0, self.frequency, self.value_units)
        return dict(zip(DIMENSIONS, values, strict=True))


def cause_of(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    days: TwoDays,
    today: Values | None = None,
    is_merged: bool = False,
) -> str:
    """Why one customer's segment is another one.

    Args:
        before: its row of `rfm` on the earlier day; None outside of the population.
        after: the same of the later day; at least one of both.
        days: what the two were made by.
        today: its values as of the earlier day by the facts as they are now; None where the facts
            have not changed since that day was scored.
        is_merged: whether it has taken over from a customer who has a row on the earlier day.
    """
    old, new = (None if row is None else Values.of(row, days.basis) for row in (before, after))
    since = days.before.as_of
    span = (days.after.as_of - since).days
    segment_after = after and after["segment"]
    found = Comparison(
        only_after=before is None,
        only_before=after is None,
        is_merged=is_merged,
        had_event=new is not None and new.first_visit is not None and new.first_visit <= since,
        is_same=before is not None and before["segment"] == segment_after,
        have_rules_changed=days.have_rules_changed,
        is_corrected=today is not None and today != old,
        by_values=_segment(new, days, days.after.as_of, days.before.cuts) == segment_after,
        has_acted=new is not None and new.recency_days is not None and new.recency_days < span,
        by_boundaries=_segment(old, days, since, days.after.cuts) == segment_after,
    )
    return next((cause for is_met, cause in causes_in_order(found) if is_met), BOTH)


def _segment(
    values: Values | None,
    days: TwoDays,
    as_of: date,
    cuts: CutPoints,
) -> str | None:
    """The segment that cuts give values as of a day."""
    if values is None:
        return None
    r, f, m = 1, 1, 1
    if values.recency_days is not None:
        r, f, m = (one.score for one in cuts.ranges(values.by_dimension, days.scores).values())
    first = days.basis.window.first_day(as_of)
    is_inside = (
        values.recency_days is not None
        if first is None
        else values.first_visit is not None and values.first_visit >= first
    )
    total = weighted_total(r, f, m, days.total_weights)
    takers = days.grid.takers(Cell(r, f, m, total, "inside" if is_inside else "before"))
    return next(iter(takers), None)  # none takes scores that another number of scores gives
