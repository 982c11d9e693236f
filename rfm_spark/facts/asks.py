"""Asks: what a result wants to know of every customer, by source, kinds of events and look-back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from rfm_spark.core.look_back import EVER, LookBack

RECEIPT_VALUES = ("receipts", "visits", "net_cents")
RECEIPT_HABITS = (
    *RECEIPT_VALUES,
    "returns",
    "items",
    "promo_visits",
    "visit_days",
    "first_visit",
)
ATTRIBUTE = "attribute_"
EVENT_COUNTS = ("events", "last_event")
EVENT_VALUES = (*EVENT_COUNTS, "event_value")


@dataclass(frozen=True)
class Ask:
    """Sums of one kind of history inside of one look-back.

    Attributes:
        look_back: how far back.
        measures: of receipts RECEIPT_VALUES or RECEIPT_HABITS, of interactions EVENT_COUNTS or
            EVENT_VALUES, or some of them, `points` and `first_event`; of attributes
            `has_attributes`, and ATTRIBUTE with the name of one.
        source: what is added up.
        kinds: of interactions, those that count; None for all.
    """

    look_back: LookBack
    measures: tuple[str, ...]
    source: Literal["receipts", "interactions", "attributes"] = "receipts"
    kinds: tuple[str, ...] | None = None

    @property
    def label(self) -> str:
        """Tells it apart from asks with another look-back, source or kinds; a part of names."""
        if self.source == "receipts" or self.kinds is None:
            return self.look_back.label
        kinds = "\0".join(sorted(self.kinds))  # free text, which no name of a column can hold
        return f"{sha256(kinds.encode()).hexdigest()[:12]}_{self.look_back.label}"

    def column(self, measure: str) -> str:
        """Name of a measure's column in the sums of customers.

        >>> Ask(LookBack(365), RECEIPT_VALUES).column("visits")
        'visits_365'

        Raises:
            ValueError: if the measure was not asked for.
        """
        if measure not in self.measures:
            raise ValueError(f"{measure} was not asked for, but {', '.join(self.measures)}")
        return f"{measure}_{self.label}"


RECEIPTS_EVER = Ask(EVER, RECEIPT_VALUES)
EVENTS_EVER = Ask(EVER, EVENT_COUNTS, "interactions")
ATTRIBUTES_EVER = Ask(EVER, ("has_attributes",), "attributes")
"""Who of these has something is a known customer."""


def united(asks: Iterable[Ask]) -> list[Ask]:
    """The asks of several results, each sum once, in an order of their own.

    >>> year = LookBack(365)
    >>> united([Ask(year, ("visits",)), Ask(year, ("net_cents", "visits"))])[0].measures
    ('net_cents', 'visits')
    """
    whole: dict[tuple[str, str], Ask] = {}
    for ask in asks:
        key = (ask.source, ask.label)
        before = whole[key].measures if key in whole else ()
        measures = tuple(sorted({*before, *ask.measures}))
        whole[key] = Ask(ask.look_back, measures, ask.source, ask.kinds)
    return [whole[key] for key in sorted(whole)]
