"""Outcomes: what customers did in the days after the one that was scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.asks import Ask
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.values import Basis
from rfm_spark.settings.shop import ShopSettings


@dataclass(frozen=True)
class Outcome:
    """What customers are watched for.

    Attributes:
        ask: sums of the days after: `net_cents` and `visits` of receipts, or `events`.
    """

    ask: Ask

    @property
    def columns(self) -> list[str]:
        """Where the sums of customers have it."""
        return [self.ask.column(measure) for measure in self.ask.measures]

    def measured(self) -> list[Column]:
        """`came`, and `revenue_cents`: of rows with `columns`; NULL where nothing was done."""
        if self.ask.source == "interactions":
            came, revenue = F.col(self.ask.column("events")), F.lit(None).cast("bigint")
        else:
            came, revenue = (F.col(self.ask.column(one)) for one in ("visits", "net_cents"))
        return [(came > 0).alias("came"), revenue.alias("revenue_cents")]


def outcomes_of(
    settings: ShopSettings, profiles: Mapping[str, Profile], days: int
) -> dict[str, Outcome]:
    """What the customers of each profile are watched for in the days after.

    A visit; of a shop without receipts, an interaction of those that the profile counts.
    """
    if settings.receipts is not None:
        return dict.fromkeys(profiles, visits_after(days))
    return {
        name: Outcome(Ask(_after(days), ("events",), "interactions", _kinds(profile.basis)))
        for name, profile in profiles.items()
    }


def visits_after(days: int) -> Outcome:
    """Visits and what was bought."""
    return Outcome(Ask(_after(days), ("net_cents", "visits")))


def columns_of(outcomes: Iterable[Outcome]) -> list[str]:
    """Where the sums of customers have some outcomes, each column once."""
    return list(dict.fromkeys(name for one in outcomes for name in one.columns))


def group_aggregates() -> list[Column]:
    """`customers`, `responders` and `revenue_cents` of a group, over rows with `measured`."""
    return [
        F.count(F.lit(1)).alias("customers"),
        F.count_if("came").alias("responders"),
        F.coalesce(F.sum("revenue_cents"), F.lit(0)).alias("revenue_cents"),
    ]


def _after(days: int) -> LookBack:
    return LookBack(days, ends_days_after=days)


def _kinds(basis: Basis) -> tuple[str, ...] | None:
    kinds = [one.kinds for one in basis.interactions]
    if None in kinds:
        return None
    return tuple(sorted({kind for some in kinds if some is not None for kind in some}))
