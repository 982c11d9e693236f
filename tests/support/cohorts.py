"""Cohorts of small facts, made as a run would make them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.facts.customer_sums import CustomerFacts
from rfm_spark.facts.transforms import customer_year_events, customer_years
from rfm_spark.results.cohorts.activity import cells
from rfm_spark.results.cohorts.balance import problems
from rfm_spark.results.cohorts.followed import Events, Followed
from rfm_spark.results.cohorts.members import members, members_by_day
from rfm_spark.results.cohorts.periods import Periods
from rfm_spark.results.cohorts.retention import cohorts, data_begin
from rfm_spark.results.cohorts.standing import Standing, continued_cells, first_day_to_follow

FIRST_VISIT = Followed("receipt", Events(visits=True), Events(visits=True))


def facts_of(
    days: DataFrame, event_days: DataFrame | None = None, attributes: DataFrame | None = None
) -> CustomerFacts:
    """Facts of these days, and of their years."""
    event_years = None if event_days is None else customer_year_events(event_days)
    return CustomerFacts(days, customer_years(days), event_days, event_years, attributes)


def followed_up(
    facts: CustomerFacts,
    as_of: date,
    periods: Sequence[Periods],
    followed: Sequence[Followed] = (FIRST_VISIT,),
    standing: Standing | None = None,
) -> DataFrame:
    """Cohorts of facts; they add up."""
    known = members(facts, as_of, followed).persist()
    by_day = members_by_day(known, followed).persist()
    days = facts.days
    if standing is not None:
        days = days.where(F.col("day") >= F.lit(first_day_to_follow(standing.until, periods)))
    found = cells(days, facts.event_days, known, as_of, followed, periods)
    if standing is not None:
        found = continued_cells(standing, found, periods)
    found.persist()
    begin = data_begin(facts.years, facts.event_years)
    whole = cohorts(found, by_day, begin, as_of, followed, periods).persist()
    assert list(problems(whole, found, by_day, followed, periods, standing is not None)) == []
    return whole
