"""Members: on which day each customer began, by every origin, and was last active."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.look_back import EVER, in_window
from rfm_spark.facts.customer_sums import CustomerFacts
from rfm_spark.facts.history import event_history, receipt_history
from rfm_spark.facts.tables import ACQUISITION
from rfm_spark.ingest.rows.attributes import latest_attributes
from rfm_spark.results.cohorts.cuts import cut_columns
from rfm_spark.results.cohorts.followed import Followed

DAY_KEY = ("origin", "origin_day", "last_day", "engagement_days")
"""Key of `members_by_day`."""

_WON = tuple(column.name for column in ACQUISITION)


def history(facts: CustomerFacts, as_of: date, last_day: date | None = None) -> DataFrame:
    """What known customers did, by year where that is enough.

    Args:
        facts: days and years, of interactions too where these are wanted.
        as_of: last day that counts.
        last_day: the last of `customer_days`, where it is known.

    Returns:
        One row per customer, kind of interaction (NULL for visits) and day or year: `first_day`
        and `last_day` of these events in it (NULL without any), `activities` (how many) and
        `net_cents` (of receipts).
    """
    rows = receipt_history(facts.days, facts.years, [as_of], [], last_day).select(
        "customer_id",
        "day",
        F.lit(None).cast("string").alias("kind"),
        F.col("first_visit").alias("first_day"),
        F.col("last_visit").alias("last_day"),
        F.col("visits").alias("activities"),
        "net_cents",
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
        rows = rows.unionByName(events, allowMissingColumns=True)
    is_counted = in_window("day", as_of, EVER) & F.col("customer_id").isNotNull()
    return rows.where(is_counted).drop("day")


def members(
    facts: CustomerFacts,
    as_of: date,
    followed: Sequence[Followed],
    last_day: date | None = None,
    cuts: Sequence[str] = (),
) -> DataFrame:
    """When every customer began, and was last active.

    Args:
        facts: days and years, of interactions and attributes too where an origin or an activity is
            of these.
        as_of: last day that counts; who begins later is no member yet.
        followed: origins, and what counts as having come.
        last_day: the last of `customer_days`, where it is known.
        cuts: what cohorts are cut by: attributes, and names of ACQUISITION.

    Returns:
        One row per known customer: `customer_id`, and for each of `followed`, by its place i,
        `origin_i` (its own first day; NULL for no member), `first_i` and `last_i` (its first and
        last day with an event of the activity) and `activities_i` (how many of those it had); and
        `total_cents` (net amount of all receipts), and what `cut_columns` name.
    """
    rows = history(facts, as_of, last_day)
    if facts.attributes is not None:
        held = latest_attributes(facts.attributes, as_of).select("customer_id", "attributes")
        rows = rows.unionByName(held, allowMissingColumns=True)
    if facts.first_receipts is not None:
        rows = rows.unionByName(_won(facts.first_receipts, as_of), allowMissingColumns=True)
    told = [column for place, one in enumerate(followed) for column in _own_days(place, one, as_of)]
    money = F.coalesce(F.sum("net_cents"), F.lit(0)).alias("total_cents")
    values = [
        F.max(F.col(name) if name in _WON else F.col("attributes")[name]).alias(column)
        for name, column in zip(cuts, cut_columns(cuts), strict=True)
    ]
    return rows.groupBy("customer_id").agg(*told, money, *values)


def _won(first_receipts: DataFrame, as_of: date) -> DataFrame:
    """How everybody was won who had come by a day, as text."""
    by_then = (F.col("year") <= as_of.year) & (F.col("day") <= F.lit(as_of))
    told = [F.col(name).cast("string").alias(name) for name in _WON]
    return first_receipts.where(by_then).select("customer_id", *told)


def _own_days(place: int, one: Followed, as_of: date) -> list[Column]:
    kind = F.col("kind")
    comes = one.activity.counts(kind)
    if one.attribute is None:
        began = F.when(one.first.counts(kind), F.col("first_day"))
    else:
        given = attribute_date(one)
        began = F.when(given <= F.lit(as_of), given)
    return [
        F.min(began).alias(f"origin_{place}"),
        F.min(F.when(comes, F.col("first_day"))).alias(f"first_{place}"),
        F.max(F.when(comes, F.col("last_day"))).alias(f"last_{place}"),
        F.sum(F.when(comes, F.col("activities")).otherwise(F.lit(0))).alias(f"activities_{place}"),
    ]


def attribute_date(one: Followed) -> Column:
    """The date that a row's `attributes` hold; NULL where they hold none, or one too early."""
    given = F.try_to_date(F.col("attributes")[one.attribute], "yyyy-MM-dd")
    return F.when(given >= F.lit(one.earliest), given)


def not_dates(facts: CustomerFacts, as_of: date, followed: Sequence[Followed]) -> dict[str, int]:
    """Of how many customers an attribute that an origin is made of holds something else.

    Args:
        facts: with attributes where an origin is of one.
        as_of: the day they held on.
        followed: origins.

    Returns:
        By the origin's name, where there are any.
    """
    of_attributes = [one for one in followed if one.attribute is not None]
    if not of_attributes or facts.attributes is None:
        return {}
    held = latest_attributes(facts.attributes, as_of).select("attributes")
    wrong = [
        F.count_if(F.col("attributes")[one.attribute].isNotNull() & attribute_date(one).isNull())
        .alias(one.origin)
        for one in of_attributes
    ]  # fmt: skip
    (row,) = held.agg(*wrong).collect()
    return {origin: count for origin, count in row.asDict().items() if count}


def members_by_day(
    known: DataFrame, followed: Sequence[Followed], by: Sequence[str] = ()
) -> DataFrame:
    """How many began on each day, by the day on which they were last active.

    Args:
        known: `members`.
        followed: the same.
        by: columns of `known` that are told apart.

    Returns:
        One row per `origin`, `origin_day` (NULL for who is no member), `last_day` (NULL where
        they never were since) and `engagement_days` (from the first activity ever to the last;
        NULL like `last_day`): `members`, `activities` and `net_cents`.
    """
    own = [_by_day(place, one) for place, one in enumerate(followed)]
    return (
        known.select("total_cents", *by, F.inline(F.array(*own)))
        .groupBy(*by, *DAY_KEY)
        .agg(
            F.count(F.lit(1)).alias("members"),
            F.sum("activities").alias("activities"),
            F.sum("total_cents").alias("net_cents"),
        )
    )


def _by_day(place: int, one: Followed) -> Column:
    origin, first, last = (F.col(f"{name}_{place}") for name in ("origin", "first", "last"))
    came_since = last >= origin
    return F.struct(
        F.lit(one.origin).alias("origin"),
        origin.alias("origin_day"),
        F.when(came_since, last).alias("last_day"),
        F.when(came_since, F.datediff(last, first)).alias("engagement_days"),
        F.col(f"activities_{place}").alias("activities"),
    )
