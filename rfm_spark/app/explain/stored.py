"""Stored: what the warehouse holds of one customer's scores, and the rules they were given by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rfm_spark.app.explain.events import CustomerEvent, events_of, values_of
from rfm_spark.app.run_record import last_made
from rfm_spark.app.scored_days import scored_days
from rfm_spark.facts.tables import MERGED_CUSTOMERS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.declaration import Made
from rfm_spark.results.moves.one_customer import Values
from rfm_spark.results.moves.rules import have_facts_changed
from rfm_spark.results.registry import BY_COMMAND
from rfm_spark.results.rfm.rules_of_day import profile_of
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RFM
from rfm_spark.run import Run


@dataclass
class StoredCustomer:
    """One customer in a warehouse.

    Attributes:
        run: the run.
        customer: its id.
        scores: rows of `rfm`, by profile and day.
        scored_days: days that are stored of each profile, the earliest first.
        attributes_from: days from which it has attributes; None for one that was not delivered.
        merged_ids: of customers who were merged into it.
    """

    run: Run
    customer: str
    scores: Mapping[tuple[str, date], Mapping[str, Any]]
    scored_days: Mapping[str, Sequence[date]]
    attributes_from: Sequence[date | None]
    merged_ids: Sequence[str] = ()
    _made: dict[date, Made | None] = field(default_factory=dict)
    _events: dict[date | None, Sequence[CustomerEvent]] = field(default_factory=dict)

    def events(self, day: date) -> Sequence[CustomerEvent]:
        """What is stored of it now, the latest first; of totals those that count on a day."""
        key = None if self.run.settings.customer_totals is None else day
        if key not in self._events:
            self._events[key] = events_of(self.run, self.customer, day)
        return self._events[key]

    def is_known(self, day: date) -> bool:
        """Whether anything is stored of it, of any day."""
        return bool(self.events(day) or self.scores or self.attributes_from)

    def is_known_by(self, day: date) -> bool:
        """Whether the facts of now know it on a day."""
        has_attributes = any(one is None or one <= day for one in self.attributes_from)
        return has_attributes or any(one.known_on <= day for one in self.events(day))

    def segment(self, name: str, day: date) -> str | None:
        """Its segment in a profile; None outside of the population."""
        row = self.scores.get((name, day))
        return None if row is None else str(row["segment"])

    def now(self) -> Mapping[str, Profile]:
        """The profiles of the configuration as it is now."""
        profiles: Mapping[str, Profile] = BY_COMMAND["rfm"].rules(self.run.settings)
        return profiles

    def profiles(self, day: date) -> list[str]:
        """Names of the profiles of now, and of others that were scored on a day."""
        stored = [name for name, days in self.scored_days.items() if day in days]
        return [*self.now(), *(name for name in stored if name not in self.now())]

    def rules_on_record(self, name: str, day: date) -> Profile | None:
        """A profile as it was when a day was scored; None where no record tells."""
        return profile_of(self._how_made(day), name)

    def rules(self, name: str, day: date) -> Profile | None:
        """The same; where no record tells, as it is now; None where it is not there any more."""
        return self.rules_on_record(name, day) or self.now().get(name)

    def have_facts_changed(self, day: date) -> bool:
        """Whether something up to a day may be another than when that day was scored."""
        return have_facts_changed(self.run, self._how_made(day), day)

    def has_taken_over(self, name: str, day: date) -> bool:
        """Whether a customer who was merged into it has scores of a day, under an id of its own."""
        where = {"customer_id": list(self.merged_ids), "profile": name, "as_of": day}
        return bool(self.merged_ids and self.run.warehouse.rows(RFM, where, ["as_of"]))

    def values_now(self, rules: Profile, day: date) -> Values:
        """What a profile's rules make of the facts of now."""
        return values_of(self.events(day), rules.basis, day)

    def _how_made(self, day: date) -> Made | None:
        if day not in self._made:
            self._made[day] = last_made(self.run, "rfm", day)
        return self._made[day]


def customer_by_now(run: Run, customer: str) -> str:
    """Who a customer is by now: another one, where it was merged."""
    found = run.warehouse.rows(MERGED_CUSTOMERS, {"customer_id": customer}, ["merged_into"])
    return str(found[0]["merged_into"]) if found else customer


def stored_customer(run: Run, customer: str) -> StoredCustomer:
    """Reads the files that can hold a customer.

    Raises:
        UserError: if nobody has been scored yet.
    """
    where = {"customer_id": customer}
    merged = run.warehouse.rows(MERGED_CUSTOMERS, {"merged_into": customer}, ["customer_id"])
    attributes = run.warehouse.rows(CUSTOMERS, where, ["valid_from"])
    return StoredCustomer(
        run,
        customer,
        {(row["profile"], row["as_of"]): row for row in run.warehouse.rows(RFM, where)},
        scored_days(run),
        [row["valid_from"] for row in attributes],
        [row["customer_id"] for row in merged],
    )
