"""What cohorts are refused for once their customers are known: nothing is written then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.facts.customer_sums import CustomerFacts
from rfm_spark.results.cohorts.followed import Followed
from rfm_spark.results.cohorts.settings import Cohorts


def require_kinds(rules: Cohorts, facts: CustomerFacts) -> None:
    """A kind that nobody did is a mistake in its name."""
    if not any(origin.named_kinds for origin in rules.origins.values()):
        return
    years = facts.event_years
    rows = [] if years is None else years.select("kind").distinct().collect()
    there = [row["kind"] for row in rows]
    wrong = [
        f"[cohorts.origins.{name}]: there is no interaction of the kind '{kind}'; "
        f"{did_you_mean(kind, there)}"
        for name, origin in rules.origins.items()
        for kind in origin.named_kinds
        if kind not in there
    ]
    if wrong:
        raise UserError(wrong)


def require_dates(followed: Sequence[Followed], by_day: DataFrame, as_of: date) -> None:
    """An attribute that holds no date at all is another one than was meant."""
    given = {one.origin: one.attribute for one in followed if one.attribute is not None}
    if not given:
        return
    rows = by_day.where(F.col("origin_day").isNotNull()).select("origin").distinct().collect()
    there = {row["origin"] for row in rows}
    wrong = [
        f"[cohorts.origins.{origin}] attribute: of no customer '{attribute}' is a date by {as_of}, "
        "written as 2024-12-31: give it so in [customers.columns.attributes]"
        for origin, attribute in given.items()
        if origin not in there
    ]
    if wrong:
        raise UserError(wrong)


def require_few(rules: Cohorts, in_cuts: DataFrame) -> None:
    """Values that are as many as customers are no cut."""
    cells = in_cuts.count()
    if cells > rules.max_cut_cells:
        raise UserError(
            f"[cohorts] cuts: {' and '.join(rules.cuts)} make {cells:,} cells, more than "
            f"{rules.max_cut_cells:,}: name fewer attributes, or some with fewer values, or raise "
            "max_cut_cells"
        )
