"""The scores of one profile: between which cuts values lie, and what other scores would take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rfm_spark.app.explain.events import CustomerEvent, falls_on, holds_until
from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.panel import Panel, PanelColumn
from rfm_spark.results.moves.one_customer import Values
from rfm_spark.results.rfm.boundaries.boundary_set import BoundarySet
from rfm_spark.results.rfm.boundaries.units import ValueUnit, units_of
from rfm_spark.results.rfm.cut_points import EVERYBODY
from rfm_spark.results.rfm.panels import told_window
from rfm_spark.results.rfm.score_ranges import ScoreRange, score_range
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.values import Basis


@dataclass(frozen=True)
class ExplainedScores:
    """One customer in one profile on one day.

    Attributes:
        name: of the profile.
        rules: of it, by which the day was scored.
        row: of `rfm`.
        boundaries: the set in use.
        counted: its events in the window; None where what is known now is not what was scored.
        money: how to write amounts.
    """

    name: str
    rules: Profile
    row: Mapping[str, Any]
    boundaries: BoundarySet
    counted: Sequence[CustomerEvent] | None
    money: MoneyFormat

    @property
    def basis(self) -> Basis:
        """What the profile counts."""
        return self.rules.basis

    def panels(self) -> Iterator[Panel]:
        """Values and scores, and what a higher score takes."""
        row = self.row
        yield Panel(
            f"{self.name}: {row['segment']}, {row['rfm_cell']}",
            f", {told_window(self.rules)}, boundaries of {self.boundaries.version}",
            (
                PanelColumn("dimension"),
                PanelColumn("value", is_number=True),
                PanelColumn("score", is_number=True),
                PanelColumn("has this score"),
                PanelColumn("falls without more"),
            ),
            [self._dimension(one) for one in DIMENSIONS],
        )
        higher = [told for one in DIMENSIONS if (told := self._higher(one))]
        if higher:
            titles = (PanelColumn("a higher score"), PanelColumn("takes, by these boundaries"))
            yield Panel(f"How to rise in {self.name}", "", titles, higher)

    def _value(self, dimension: str) -> int:
        return Values.of(self.row, self.basis).by_dimension[dimension]

    def _range(self, dimension: str) -> ScoreRange:
        values = Values.of(self.row, self.basis).by_dimension
        return self.boundaries.cuts.ranges(values, self.boundaries.scores)[dimension]

    def _title(self, dimension: str) -> str:
        return "value" if dimension == "monetary" and not self.basis.is_money else dimension

    def _dimension(self, dimension: str) -> tuple[str, ...]:
        title, score = self._title(dimension), str(self.row[DIMENSIONS[dimension][1]])
        if self.row["recency_days"] is None:
            return title, "none", score, "nothing in the window", ""
        found = self._range(dimension)
        on = None
        # The next event, or time alone, changes R, and with it the cuts of what lies within it.
        is_lasting = not self.boundaries.cuts.is_nested(dimension)
        if self.counted is not None and found.worse_score is not None and is_lasting:
            on = falls_on(found, dimension, self.basis, self.counted)
        unit = self._units[dimension]
        ranged = unit.range_told(found.least, None if found.most is None else found.most + 1)
        value = unit.told(self._value(dimension))
        return title, value, score, ranged, "" if on is None else f"on {on}"

    def _higher(self, dimension: str) -> tuple[str, str] | None:
        """The next higher score and what it takes; None where there is none to be had."""
        if self.row["recency_days"] is None:
            return ("recency", _events(self.basis, 1)) if dimension == "recency" else None
        found, title = self._range(dimension), self._title(dimension)
        if dimension == "recency":
            cuts = self.boundaries.cuts.within(dimension, EVERYBODY)
            reached = score_range(0, cuts, self.boundaries.scores, low_is_best=True).score
            is_higher = reached > found.score
            return (f"{title} {reached}", _events(self.basis, 1)) if is_higher else None
        if found.better_from is None or self.boundaries.cuts.is_nested(dimension):
            return None
        gap = found.better_from - self._value(dimension)
        if dimension == "frequency":
            takes = _events(self.basis, gap)
        else:
            takes = f"{self._units[dimension].told(gap)} more"
        return f"{title} {found.better_score}", takes + self._in_time(dimension)

    def _in_time(self, dimension: str) -> str:
        if self.counted is None:
            return ""
        day = holds_until(dimension, self.basis, self.counted)
        return "" if day is None else f" before {day}"

    @property
    def _units(self) -> Mapping[str, ValueUnit]:
        return units_of(self.basis, self.money)


def counted_events(events: Sequence[CustomerEvent], basis: Basis, day: date) -> list[CustomerEvent]:
    """Those in the window of a day."""
    return [one for one in events if one.is_inside(basis, day)]


def _events(basis: Basis, weight: int) -> str:
    """How many more events, of those a profile counts, add a weight to frequency."""
    weights = {one.weight for one in basis.interactions} | {basis.visit_weight} - {0}
    if len(weights) > 1:
        return "one more event" if weight == 1 else f"events that weigh {weight:,} more"
    number = -(-weight // max(weights))
    what = "event" if basis.interactions else "purchase"
    return f"one more {what}" if number == 1 else f"{number:,} more {what}s"
