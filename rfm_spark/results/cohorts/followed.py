"""Who is followed: from which origin on, and what counts as having come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F


@dataclass(frozen=True)
class Events:
    """Things that customers do.

    Attributes:
        visits: whether visits are among them.
        kinds: of interactions; None for all.
    """

    visits: bool = False
    kinds: tuple[str, ...] | None = ()

    @property
    def interactions(self) -> bool:
        """Whether interactions are among them."""
        return self.kinds is None or bool(self.kinds)

    def covers(self, other: Events) -> bool:
        """Whether all that is among the others is among these."""
        own, others = self.kinds, other.kinds
        kinds = own is None or (others is not None and set(others) <= set(own))
        return kinds and (self.visits or not other.visits)

    def counts(self, kind: Column) -> Column:
        """Whether a row of this kind of interaction, NULL for receipts, is among them."""
        of_kinds = F.lit(True) if self.kinds is None else kind.isin(list(self.kinds))
        return F.when(kind.isNull(), F.lit(self.visits)).otherwise(of_kinds)


@dataclass(frozen=True)
class Followed:
    """One way of making and following cohorts.

    Attributes:
        origin: its name in tables.
        first: the first of these makes a member.
        attribute: in place of that, an attribute that holds a date.
        earliest: earlier dates of the attribute are mistakes.
        activity: what counts as having come.
        at_least: in place of one event: a sum that a period must reach, `visits` or `net_cents`,
            and how much.
    """

    origin: str
    first: Events
    activity: Events
    attribute: str | None = None
    earliest: date = date(1970, 1, 1)
    at_least: tuple[str, int] | None = None

    @property
    def begins_with_activity(self) -> bool:
        """Whether nobody is active before the own first day, by what the origin is."""
        return self.attribute is None and self.first.covers(self.activity)
