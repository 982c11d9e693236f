"""Members: on which day each customer began, by every origin, and was last active."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.look_back import EVER, in_window
from rfm_spark.facts.customer_sums import CustomerFacts
from rfm_spark.facts.history import event_history, receipt_history
from rfm_spark.ingest.rows.attributes import latest_attributes
from rfm_spark.results.cohorts.followed import Followed


def history(facts: CustomerFacts, as_of: date, last_day: date | None = None) -> DataFrame:
    """What known customers did, by year where that is enough.

    Args:
        facts: days and years, of interactions too where these are wanted.
        as_of: last day that counts.
        last_day: the last of `customer_days`, where it is known.

    Returns:
        One row per customer, kind of interaction (NULL for visits) and day or year: `first_day`
        and `last_day` of these events in it (NULL without any) and `activities` (how many).
    """
    rows = receipt_history(facts.days, facts.years, [as_of], [], last_day).select(
        "customer_id",
        "day",
        F.lit(None).cast("string").alias("kind"),
        F.col("first_visit").alias("first_day"),
        F.col("last_visit").alias("last_day"),
        F.col("visits").alias("activities"),
    )
    if facts.event_days is not None and facts.event_years is not None:
        events = event_history(facts.event_days, facts.event_years, [as_of], []).select(
            "customer_id",
            "day",
            "kind",
            F.col("first_event").alias("first_day"),
            F.col("last_event").alias("last_day"),
            F.col("events").alias("activities"),
        )
        rows = rows.unionByName(events)
    is_counted = in_window("day", as_of, EVER) & F.col("customer_id").isNotNull()
    return rows.where(is_counted).drop("day")


def members(
    facts: CustomerFacts, as_of: date, followed: Sequence[Followed], last_day: date | None = None
) -> DataFrame:
    """When every customer began, and was last active.

    Args:
        facts: days and years, of interactions and attributes too where an origin or an activity is
            of these.
        as_of: last day that counts; who begins later is no member yet.
        followed: origins, and what counts as having come.
        last_day: the last of `customer_days`, where it is known.

    Returns:
        One row per known customer: `customer_id`, and for each of `followed`, by its place i,
        `origin_i` (its own first day; NULL for no member), `last_i` (its last day with an event of
        the activity) and `activities_i` (how many of those it had).
    """
    rows = history(facts, as_of, last_day)
    if facts.attributes is not None:
        held = latest_attributes(facts.attributes, as_of).select("customer_id", "attributes")
        rows = rows.unionByName(held, allowMissingColumns=True)
    told = [column for place, one in enumerate(followed) for column in _own_days(place, one, as_of)]
    return rows.groupBy("customer_id").agg(*told)


def _own_days(place: int, one: Followed, as_of: date) -> list[Column]:
    kind = F.col("kind")
    comes = one.activity.counts(kind)
    if one.attribute is None:
        began = F.when(one.first.counts(kind), F.col("first_day"))
    else:
        given = F.try_to_date(F.col("attributes")[one.attribute], "yyyy-MM-dd")
        began = F.when(given <= F.lit(as_of), given)
    return [
        F.min(began).alias(f"origin_{place}"),
        F.max(F.when(comes, F.col("last_day"))).alias(f"last_{place}"),
        F.sum(F.when(comes, F.col("activities")).otherwise(F.lit(0))).alias(f"activities_{place}"),
    ]


def members_by_day(known: DataFrame, followed: Sequence[Followed]) -> DataFrame:
    """How many began on each day, by the day on which they were last active.

    Args:
        known: `members`.
        followed: the same.

    Returns:
        One row per `origin`, `origin_day` (NULL for who is no member) and `last_day` (NULL where
        they never were since): `members` and `activities`.
    """
    own = [
        F.struct(
            F.lit(one.origin).alias("origin"),
            F.col(f"origin_{place}").alias("origin_day"),
            F.when(
                F.col(f"last_{place}") >= F.col(f"origin_{place}"), F.col(f"last_{place}")
            ).alias("last_day"),
            F.col(f"activities_{place}").alias("activities"),
        )
        for place, one in enumerate(followed)
    ]
    return (
        known.select(F.inline(F.array(*own)))
        .groupBy("origin", "origin_day", "last_day")
        .agg(F.count(F.lit(1)).alias("members"), F.sum("activities").alias("activities"))
    )
