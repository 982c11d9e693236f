"""The shop: its calendar and money, what it delivers, and how that is taken in and kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from pydantic import Field

from rfm_spark.core.money import MoneyFormat
from rfm_spark.settings.section import Days, Name, Section, TimeZone
from rfm_spark.settings.sources import (
    FEEDS_TYPE,
    RECEIPT_CONTEXT,
    Customers,
    CustomerTotals,
    Identities,
    Interactions,
    Receipts,
)


class Business(Section):
    """The shop: where it is, and what its money and its days are."""

    time_zone: TimeZone = Field(description="whose calendar day is the business day")
    day_start_hour: int = Field(
        default=0, ge=0, le=12, description="hour at which a business day begins"
    )
    minor_unit_digits: int = Field(default=2, ge=0, le=4, description="2 for cents")
    currency: str = Field(default="USD", description="shown beside money")
    guest_ids: list[str] = Field(default_factory=list, description="ids that stand for nobody")
    earliest_date: date = Field(default=date(1970, 1, 1), description="days before it are errors")
    latest_date: date = Field(default=date(2099, 12, 31), description="days after it are errors")

    lost_after_days: int = Field(
        default=365,
        ge=365,
        le=3_660,
        description="days without a visit (or activity) after which a customer is lost",
    )

    @property
    def money_format(self) -> MoneyFormat:
        """How amounts are shown."""
        return MoneyFormat(self.currency, self.minor_unit_digits)

    def misfits(self) -> Iterator[str]:
        """Dates that leave no day."""
        if self.earliest_date > self.latest_date:
            yield "earliest_date is after latest_date"


class Ingest(Section):
    """How deliveries are taken in."""

    max_rejected_share: float = Field(
        default=0.01, ge=0, le=1, description="of raw rows; above it the run fails"
    )
    max_future_days: int = Field(
        default=1,
        ge=0,
        le=36_525,
        description="how many days after today rows may be of; later ones are rejected, as from a "
        "till whose clock is wrong",
    )
    correction_days: Days | None = Field(
        default=None, description="how far back a delivery can correct; by default all history"
    )


class Maintenance(Section):
    """What the nightly does after publishing."""

    late_days: int = Field(
        default=35,
        ge=1,
        le=3650,
        description="days that late receipts still reach; older ones are folded",
    )
    keep_results_days: Days | None = Field(
        default=None, description="how long results of a day are kept; by default for ever"
    )


class Privacy(Section):
    """Customers who were forgotten, and are kept out."""

    key_file: str = Field(
        description="file of the key by which ids of forgotten customers are hashed, an absolute "
        "path outside the warehouse; `rfm-spark forget` makes it"
    )

    def misfits(self) -> Iterator[str]:
        """A path that depends on where a command is started."""
        if not Path(self.key_file).is_absolute():
            yield f"key_file: give an absolute path, not {self.key_file!r}"


class ShopSettings(Section):
    """Everything that the tables taken in, and the facts, depend on."""

    business: Business
    receipts: FEEDS_TYPE | None = None
    customer_totals: CustomerTotals | None = None
    ingest: Ingest = Ingest()
    interactions: dict[Name, Interactions] = Field(default_factory=dict)
    customers: Customers | None = None
    identities: Identities | None = None
    maintenance: Maintenance = Maintenance()
    privacy: Privacy | None = None

    @property
    def feeds(self) -> Mapping[str, Receipts]:
        """Every feed of receipts, by the section it is written in; none where there are none."""
        if self.receipts is None:
            return {}
        if isinstance(self.receipts, Receipts):
            return {"receipts": self.receipts}
        return {f"receipts.{name}": feed for name, feed in self.receipts.items()}

    @property
    def has_categories(self) -> bool:
        """Whether receipts say what was bought."""
        return "category" in self.receipt_context

    @property
    def receipt_context(self) -> list[str]:
        """Which of store, channel, promotion and category receipts tell."""
        return [
            word
            for word, key in RECEIPT_CONTEXT.items()
            if any(getattr(feed.columns, key) is not None for feed in self.feeds.values())
        ]

    @property
    def tells_purchases(self) -> bool:
        """Whether anything says what customers bought: receipts, or their totals."""
        return self.receipts is not None or self.customer_totals is not None

    @property
    def purchase_word(self) -> str:
        """What one row of purchases is called when they are counted."""
        return "receipt" if self.customer_totals is None else "total"

    def misfits(self) -> Iterator[str]:
        """Nothing that customers do, or purchases that are told twice."""
        if not self.tells_purchases and not self.interactions:
            yield (
                "receipts: missing; give [receipts] (or [customer_totals] in their place), or "
                "[interactions.<name>], or both"
            )
        if self.receipts is not None and self.customer_totals is not None:
            yield (
                "[customer_totals] stand in place of [receipts]: with both, every purchase would "
                "be told twice; leave one of them out"
            )
        if self.identities is not None and self.customer_totals is not None:
            yield (
                "[identities] merge receipts and interactions: whether totals of one customer hold "
                "those of another nobody can tell; merge them where [customer_totals] are made"
            )
