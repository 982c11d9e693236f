"""Groups: what treated and holdout did in the days after an audience was built, and were sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.audiences.members import HOLDOUT, TREATED
from rfm_spark.app.audiences.statistics import Group
from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS
from rfm_spark.run import Run

Groups = Mapping[str, Group]
"""Treated and holdout."""

ALL = None
"""In place of a segment, the whole audience: no segment has such a name."""


@dataclass(frozen=True)
class DaysAfter:
    """The days that count.

    Attributes:
        built: the day that the audience was built for, which does not count.
        until: the last that counts.
    """

    built: date
    until: date

    def contain(self) -> Column:
        """True of rows with `day` and `year` that are of these days."""
        in_years = (F.col("year") >= self.built.year) & (F.col("year") <= self.until.year)
        return in_years & (F.col("day") > F.lit(self.built)) & (F.col("day") <= F.lit(self.until))


def groups_by_segment(
    run: Run, people: DataFrame, days: DaysAfter, addressed_by: str | None
) -> dict[str | None, Groups]:
    """Treated and holdout of all, and of each segment.

    Args:
        run: session, settings and warehouse.
        people: rows of `audiences`, as it was built for one day.
        days: that count.
        addressed_by: kind of the interactions by which customers were addressed; None where
            nothing tells.

    Raises:
        UserError: if there are no interactions of this kind in these days.
    """
    bought = (
        run.read(CUSTOMER_DAYS)
        .where(days.contain())
        .groupBy("customer_id")
        .agg(F.sum("visits").alias("visits"), F.sum("net_cents").alias("cents"))
    )
    rows = people.join(bought, "customer_id", "left")
    if addressed_by is None:
        rows = rows.withColumn("is_addressed", F.lit(None).cast("boolean"))
    else:
        rows = rows.join(_addressed(run, days, addressed_by), "customer_id", "left")
    return _collected(_sums(rows))


def _addressed(run: Run, days: DaysAfter, kind: str) -> DataFrame:
    """Customers with interactions of a kind in these days."""
    if not run.warehouse.is_there(CUSTOMER_DAY_EVENTS):
        raise UserError(f"--addressed-by {kind}: needs [interactions.<name>], of which none is in")
    found = run.read(CUSTOMER_DAY_EVENTS).where(days.contain()).select("customer_id", "kind")
    of_kind = found.where(F.col("kind") == F.lit(kind))
    if of_kind.isEmpty():
        kinds = sorted(row["kind"] for row in found.select("kind").distinct().collect())
        hint = did_you_mean(kind, kinds) if kinds else "there are none of any kind"
        raise UserError(
            f"--addressed-by {kind}: no such interactions are there from the day after "
            f"{days.built} to {days.until}; {hint}"
        )
    return of_kind.select("customer_id", F.lit(True).alias("is_addressed")).distinct()


def _sums(rows: DataFrame) -> DataFrame:
    """One row per segment and group: counts, and sums of money and of its squares."""
    cents = F.coalesce("cents", F.lit(0)).cast("decimal(19, 0)")
    came = F.col("visits") > 0
    return rows.groupBy("segment", "audience_group").agg(
        F.count(F.lit(1)).alias("customers"),
        F.count_if(came).alias("responders"),
        F.sum(cents).alias("cents"),
        F.sum((cents * cents).cast("decimal(38, 0)")).alias("squared_cents"),
        F.count_if("is_addressed").alias("addressed"),
        F.count_if(came & F.col("is_addressed")).alias("addressed_responders"),
        F.coalesce(F.sum(F.when(F.col("is_addressed"), cents)), F.lit(0)).alias("addressed_cents"),
    )


def _collected(sums: DataFrame) -> dict[str | None, Groups]:
    found: dict[str | None, dict[str, Group]] = {ALL: {TREATED: Group(), HOLDOUT: Group()}}
    for row in sums.orderBy("segment").collect():
        told = row.asDict()
        segment, group = told.pop("segment"), told.pop("audience_group")
        sizes = Group(**{name: int(value) for name, value in told.items()})
        for one in (ALL, segment):
            of_it = found.setdefault(one, {TREATED: Group(), HOLDOUT: Group()})
            of_it[group] += sizes
    return dict(found)
