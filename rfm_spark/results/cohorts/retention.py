"""Cohorts: how many of each came in every period that has begun, and what they spent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.results.cohorts.activity import COUNTS, SUMS
from rfm_spark.results.cohorts.followed import Followed
from rfm_spark.results.cohorts.intervals import wilson
from rfm_spark.results.cohorts.periods import BEFORE_ORIGIN, Periods

ORIGIN_KEY = ("origin", "origin_day")
"""Of members, what tells which periods have begun for them."""


def data_begin(years: DataFrame, event_years: DataFrame | None) -> DataFrame:
    """Where the data begin.

    Args:
        years: `customer_years`, guests too.
        event_years: `customer_year_events`; None where nothing is made of these.

    Returns:
        One row: `first_visit` and `first_event`.
    """
    visits = years.agg(F.min("first_visit").alias("first_visit"))
    if event_years is None:
        return visits.withColumn("first_event", F.lit(None).cast("date"))
    return visits.crossJoin(event_years.agg(F.min("first_event").alias("first_event")))


def cohorts(
    found: DataFrame,
    by_day: DataFrame,
    begin: DataFrame,
    as_of: date,
    followed: Sequence[Followed],
    periods: Sequence[Periods],
    by: Sequence[str] = (),
) -> DataFrame:
    """Who of each cohort came in each period since, and what they spent.

    Args:
        found: `cells`.
        by_day: `members_by_day`; read twice.
        begin: `data_begin`.
        as_of: last day that counts.
        followed: origins, and what counts as having come.
        periods: divisions of time.
        by: columns of `found` and `by_day` that cohorts are told apart by as well.

    Returns:
        One row per cohort and period that has begun: the columns of `cohorts`, and `by`.
    """
    key = [*by, "origin", "grain", "kind", "cohort_number", "period_index"]
    sums = [F.col(name) for name in (*SUMS, *COUNTS)]
    cells = found.select(
        *by,
        "origin",
        "grain",
        "kind",
        F.col("cohort").alias("cohort_number"),
        "period_index",
        *sums,
    )
    whole = (
        _spine(by_day, begin, as_of, followed, periods, by)
        .join(cells, key, "left")
        .join(_last_active(by_day, followed, periods, by), key, "left")
        .fillna(0, [*SUMS, *COUNTS, "last_members"])
    )
    return _measured(whole, as_of, periods, by)


def _spine(
    by_day: DataFrame,
    begin: DataFrame,
    as_of: date,
    followed: Sequence[Followed],
    periods: Sequence[Periods],
    by: Sequence[str],
) -> DataFrame:
    """Every cohort and every period that has begun, with its members; what lies before it too."""
    origin = F.col("origin_day")
    # Only where an origin is of a sort of event does its log's beginning hide earlier ones.
    visit, event = F.col("first_visit"), F.col("first_event")
    any_event = F.least(visit, event)
    first = F.coalesce(
        *[
            F.when(F.col("origin") == one.origin, _first_of(one, visit, event, any_event))
            for one in followed
        ]
    )
    places = [
        F.struct(
            F.lit(one.grain).alias("grain"),
            F.lit(one.kind).alias("kind"),
            one.cohort(origin).alias("cohort_number"),
            one.cohort_start(one.cohort(origin)).alias("cohort"),
            F.coalesce(one.cohort(origin) <= one.cohort(first), F.lit(False)).alias(
                "is_left_censored"
            ),
            (one.cohort_start(one.cohort(origin) + 1) <= F.date_add(F.lit(as_of), 1)).alias(
                "cohort_ended"
            ),
            one.index(origin, F.lit(as_of)).alias("begun"),
            one.last_ended(origin, as_of).alias("ended"),
        )
        for one in periods
    ]
    begun = F.sequence(F.lit(BEFORE_ORIGIN), F.col("begun"))
    return (
        by_day.where(origin.isNotNull())
        .groupBy(*by, *ORIGIN_KEY)
        .agg(F.sum("members").alias("members"))
        .crossJoin(F.broadcast(begin))
        .select(*by, "origin", "members", F.inline(F.array(*places)))
        .select("*", F.explode(begun).alias("period_index"))
        .groupBy(
            *(*by, "origin", "grain", "kind", "cohort_number", "cohort", "period_index"),
            *("is_left_censored", "cohort_ended"),
        )
        .agg(
            F.sum("members").alias("begun"),
            F.sum(F.when(F.col("period_index") <= F.col("ended"), F.col("members"))).alias("ended"),
        )
    )


def begun_periods(
    by_day: DataFrame, as_of: date, periods: Sequence[Periods], by: Sequence[str] = ()
) -> DataFrame:
    """How many periods have begun for those who began on the same day: few rows make so many.

    Args:
        by_day: `members_by_day`.
        as_of: last day that counts.
        periods: divisions of time.
        by: columns of `by_day` that are told apart.

    Returns:
        One row: `rows`; `cohorts` has no more.
    """
    begun = [one.index(F.col("origin_day"), F.lit(as_of)) - BEFORE_ORIGIN + 1 for one in periods]
    days = by_day.where(F.col("origin_day").isNotNull()).groupBy(*by, *ORIGIN_KEY)
    rows = days.agg(reduce(Column.__add__, begun).cast("bigint").alias("rows"))
    return rows.agg(F.coalesce(F.sum("rows"), F.lit(0)).alias("rows"))


def _first_of(one: Followed, visit: Column, event: Column, both: Column) -> Column:
    if one.attribute is not None or (one.first.visits and one.first.interactions):
        return both
    return visit if one.first.visits else event


def _last_active(
    by_day: DataFrame, followed: Sequence[Followed], periods: Sequence[Periods], by: Sequence[str]
) -> DataFrame:
    """How many of each cohort were active in a period and in no later one, by events alone."""
    by_events = [one.origin for one in followed if one.at_least is None]
    origin, last = F.col("origin_day"), F.col("last_day")
    places = [
        F.struct(
            F.lit(one.grain).alias("grain"),
            F.lit(one.kind).alias("kind"),
            one.cohort(origin).alias("cohort_number"),
            one.index(origin, last).alias("period_index"),
        )
        for one in periods
    ]
    return (
        by_day.where(F.col("origin").isin(by_events) & last.isNotNull())
        .select(*by, "origin", "members", F.inline(F.array(*places)))
        .groupBy(*by, "origin", "grain", "kind", "cohort_number", "period_index")
        .agg(F.sum("members").alias("last_members"))
    )


def _measured(
    whole: DataFrame, as_of: date, periods: Sequence[Periods], by: Sequence[str]
) -> DataFrame:
    """The columns of `cohorts`, from what is known of every cell and of those before it."""
    cohort = Window.partitionBy(*by, "origin", "grain", "kind", "cohort_number")
    in_order = cohort.orderBy("period_index")
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    before_it = in_order.rowsBetween(Window.unboundedPreceding, -1)
    index, size = F.col("period_index"), F.col("cohort_size")
    is_period = index > BEFORE_ORIGIN
    revenue = F.when(is_period, F.col("net_cents")).otherwise(F.lit(0))
    last_active = F.col("last_members") + F.col("last_active")
    told = whole.select(
        "*",
        F.max("begun").over(cohort).alias("cohort_size"),
        F.coalesce(F.lag("active_next_begun").over(in_order), F.lit(0)).alias("active_before"),
        F.coalesce(F.lag("activities").over(in_order), F.lit(0)).alias("activities_before"),
        F.sum(revenue).over(so_far).alias("cumulative_cents"),
        (
            F.sum(last_active).over(cohort)
            - F.coalesce(F.sum(last_active).over(before_it), F.lit(0))
        ).alias("active_on_or_after"),
    )
    is_first = index == 0
    eligible = F.coalesce("ended", F.lit(0))
    active, came, before = (F.col(n) for n in ("active_ended", "active_so_far", "came_before"))
    visits = F.col("visits")
    low, high = wilson(active, F.nullif(eligible, F.lit(0)))
    return told.where(_is_shown(periods)).select(
        F.lit(as_of).alias("as_of"),
        *by,
        "origin",
        "grain",
        "kind",
        "cohort",
        "period_index",
        _of_periods(periods, "first_day").alias("first_day_index"),
        _of_periods(periods, "last_day").alias("last_day_index"),
        "cohort_size",
        "begun",
        eligible.alias("eligible"),
        active.alias("active"),
        came.alias("active_so_far"),
        F.try_divide(active, eligible).alias("retention"),
        F.when(eligible > 0, low).alias("retention_low"),
        F.when(eligible > 0, high).alias("retention_high"),
        "active_on_or_after",
        F.try_divide(F.when(eligible == size, F.col("active_on_or_after")), size).alias(
            "retention_on_or_after"
        ),
        (F.col("cohort_ended") & (eligible == size)).alias("is_complete"),
        "is_left_censored",
        visits.alias("receipts"),
        "items",
        F.col("net_cents").alias("revenue_cents"),
        "returns",
        F.col("promo_visits").alias("promotion_receipts"),
        F.try_divide("promo_visits", visits).alias("promotion_share"),
        F.try_divide("net_cents", visits).alias("average_receipt_cents"),
        (F.col("net_cents") / size).alias("revenue_per_customer_cents"),
        (F.col("cumulative_cents") / size).alias("cumulative_revenue_per_customer_cents"),
        "activities",
        F.when(is_first, F.col("activities_before")).otherwise(F.lit(0)).alias("before_origin"),
        F.when(is_first, came).otherwise(F.lit(0)).alias("new"),
        F.when(is_first, F.lit(0)).otherwise(before).alias("retained"),
        F.when(is_first, F.lit(0)).otherwise(came - before).alias("reactivated"),
        (F.col("active_before") - before).alias("skipped"),
    )


def _is_shown(periods: Sequence[Periods]) -> Column:
    """Whether a cell is a period; what lies before the first and after the last one is not."""
    index = F.col("period_index")
    return reduce(Column.__or__, [one.is_own & one.is_shown(index) for one in periods])


def _of_periods(periods: Sequence[Periods], name: str) -> Column:
    index = F.col("period_index")
    return F.coalesce(*[F.when(one.is_own, getattr(one, name)(index)) for one in periods])
