"""What the members of every cohort did in every period, in one pass over the days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.core.conditions import any_of
from rfm_spark.results.cohorts.followed import Followed
from rfm_spark.results.cohorts.periods import BEFORE_ORIGIN, Periods

SUMS = ("visits", "net_cents", "items", "returns", "promo_visits", "activities")
COUNTS = ("active_so_far", "active_ended", "active_next_begun", "came_before", "last_active")
CELL = ("origin", "grain", "kind", "cohort", "period_index")


class _History:
    """A customer's days in their order, and the parts of it that a day can look at."""

    def __init__(self) -> None:
        self.days = Window.partitionBy("customer_id").orderBy("day")
        first, last = Window.unboundedPreceding, Window.unboundedFollowing
        self.until_here = self.days.rowsBetween(first, Window.currentRow)
        self.before = self.days.rowsBetween(first, -1)
        self.ever = self.days.rowsBetween(first, last)


@dataclass(frozen=True)
class _Cut:
    """One origin by one division of time, and the names of its columns."""

    place: int
    followed: Followed
    number: int
    periods: Periods

    def column(self, name: str) -> str:
        return f"{name}_{self.place}_{self.number}"

    def col(self, name: str) -> Column:
        return F.col(self.column(name))

    @property
    def origin(self) -> Column:
        return F.col(f"origin_{self.place}")


def cells(
    days: DataFrame,
    event_days: DataFrame | None,
    known: DataFrame,
    as_of: date,
    followed: Sequence[Followed],
    periods: Sequence[Periods],
    by: Sequence[str] = (),
) -> DataFrame:
    """What the members of each cohort did in each period, all origins and divisions in one pass.

    Every day of a customer knows the last active one before it. So who comes for the first time in
    a period, and who had come in the one before, is told without adding up each customer's periods.
    Where a period must reach a sum, its last day tells, from sums that run over all days.

    Args:
        days: `customer_days`, or those from some day on: what is told of a period is then right if
            these hold all of it and of the period before.
        event_days: `customer_day_events` of the same days; None where no activity is of these.
        known: `members`.
        as_of: last day that counts.
        followed: origins, and what counts as having come.
        periods: divisions of time.
        by: columns of `known` that are told apart.

    Returns:
        One row per CELL with an event: `cohort` is a `period_number`, NULL for who is no member;
        `period_index` BEFORE_ORIGIN for what members did before their own first day. SUMS, of which
        `activities` are events of the activity; and COUNTS of customers: `active_so_far`,
        `active_ended` (of them those whose period has ended), `active_next_begun` (those whose next
        period has begun), `came_before` (those who were active
        in the period before as well) and, where a period must reach a sum, `last_active` (in no
        later one).
    """
    stream = _stream(days, event_days, as_of, followed)
    told = stream.join(known.hint("shuffle_hash"), "customer_id", "left")
    cuts = [
        _Cut(place, one, number, division)
        for place, one in enumerate(followed)
        for number, division in enumerate(periods)
    ]
    placed = _placed(told, cuts)
    sums = [name for name in SUMS if name != "activities"]
    places = [_place(number, cut, as_of) for number, cut in enumerate(cuts)]
    # A number instead of three texts, which would be hashed and compared with every day.
    summed = (
        placed.select(*sums, *by, F.inline(F.array(*places)))
        .groupBy(*by, "division", "cohort", "period_index")
        .agg(
            *[F.sum(name).alias(name) for name in SUMS],
            *[F.count_if(name).alias(name) for name in COUNTS],
        )
    )
    texts: dict[str, Sequence[str]] = {
        "origin": [cut.followed.origin for cut in cuts],
        "grain": [cut.periods.grain for cut in cuts],
        "kind": [cut.periods.kind for cut in cuts],
    }
    named = [
        F.get(F.array(*map(F.lit, values)), F.col("division")).alias(name)
        for name, values in texts.items()
    ]
    return summed.select(*by, *named, "cohort", "period_index", *SUMS, *COUNTS)


def _stream(
    days: DataFrame, event_days: DataFrame | None, as_of: date, followed: Sequence[Followed]
) -> DataFrame:
    """What known customers did, by day: receipts (without a kind) and interactions that count."""
    counted = (F.col("year") <= as_of.year) & (F.col("day") <= F.lit(as_of))
    sums = [name for name in SUMS if name != "activities"]
    rows = days.where(counted & F.col("customer_id").isNotNull()).select(
        "customer_id", "day", F.lit(None).cast("string").alias("kind"), *sums,
        F.lit(0).cast("bigint").alias("events"),
    )  # fmt: skip
    if event_days is None:
        return rows
    comes = any_of(one.activity.counts(F.col("kind")) for one in followed)
    events = event_days.where(counted & comes).select("customer_id", "day", "kind", "events")
    nothing: Mapping[str, Column] = {name: F.lit(0).cast("bigint") for name in sums}
    return rows.unionByName(events.withColumns(dict(nothing)))


def _placed(told: DataFrame, cuts: Sequence[_Cut]) -> DataFrame:
    """Every day with its period, and whether it is the one that tells that its customer came."""
    history = _History()
    by_sums = [cut for cut in cuts if cut.followed.at_least is not None]
    by_events = {cut.place: cut.followed for cut in cuts if cut.followed.at_least is None}
    before = [
        F.max(F.when(_comes(one) & (F.col("day") >= F.col(f"origin_{place}")), F.col("day")))
        .over(history.before)
        .alias(f"before_{place}")
        for place, one in by_events.items()
    ]
    running = {}
    if by_sums:
        running["next_day"] = F.lead("day").over(history.days)
    for cut in by_sums:
        amount, _ = cut.followed.at_least or ("", 0)
        since = F.when(F.col("day") >= cut.origin, F.col(amount))
        running[f"sum_{cut.place}"] = F.sum(since).over(history.until_here)
    rows = told.select("*", *before).withColumns(running) if running else told.select("*", *before)
    rows = rows.select("*", *[column for cut in cuts for column in _numbers(cut)])
    if not by_sums:
        return rows
    # Each of these reads the one before, over the same order of the same rows: none is moved again.
    ended = {cut.column("sum_before"): _sum_of_periods_before(cut, history) for cut in by_sums}
    reached = {cut.column("reached"): _reached(cut) for cut in by_sums}
    index = {cut: F.when(cut.col("reached"), cut.col("index")) for cut in by_sums}
    found = {cut.column("before"): F.max(index[cut]).over(history.before) for cut in by_sums}
    last = {cut.column("last"): F.max(index[cut]).over(history.ever) for cut in by_sums}
    return rows.withColumns(ended).withColumns(reached).withColumns({**found, **last})


def _comes(one: Followed) -> Column:
    """Whether a row is of the activity; a return is no visit."""
    kind = F.col("kind")
    is_event = kind.isNotNull() | (F.col("visits") > 0)
    return one.activity.counts(kind) & is_event


def _numbers(cut: _Cut) -> list[Column]:
    """Numbers of periods are compared, subtracted and grouped by at a fraction of dates' cost."""
    origin, periods = cut.origin, cut.periods
    columns = [
        periods.cohort(origin).alias(cut.column("cohort")),
        periods.index_or_before(origin, F.col("day")).alias(cut.column("index")),
    ]
    if cut.followed.at_least is None:
        before = periods.index(origin, F.col(f"before_{cut.place}"))
        return [*columns, before.alias(cut.column("before"))]
    later = periods.index_or_before(origin, F.col("next_day"))
    return [*columns, later.alias(cut.column("next"))]


def _is_last_of_period(cut: _Cut) -> Column:
    later = cut.col("next")
    return (cut.col("index") > BEFORE_ORIGIN) & (later.isNull() | (later > cut.col("index")))


def _sum_of_periods_before(cut: _Cut, history: _History) -> Column:
    running = F.when(_is_last_of_period(cut), F.col(f"sum_{cut.place}"))
    return F.coalesce(F.last(running, ignorenulls=True).over(history.before), F.lit(0))


def _reached(cut: _Cut) -> Column:
    _, least = cut.followed.at_least or ("", 0)
    own = F.col(f"sum_{cut.place}") - cut.col("sum_before")
    return F.coalesce(_is_last_of_period(cut) & (own >= least), F.lit(False))


def _place(number: int, cut: _Cut, as_of: date) -> Column:
    """Of a customer's day: its cohort and period, and what it tells of them."""
    index, before = cut.col("index"), cut.col("before")
    if cut.followed.at_least is None:
        is_new = before.isNull() | (before < index)
        active = _comes(cut.followed) & (index > BEFORE_ORIGIN) & is_new
        last_active = F.lit(False)
    else:
        active = cut.col("reached")
        last_active = active & (cut.col("last") == index)
    is_active = F.coalesce(active, F.lit(False))
    has_ended = index <= cut.periods.last_ended(cut.origin, as_of)
    next_has_begun = index < cut.periods.index(cut.origin, F.lit(as_of))
    of_visits = F.when(F.col("kind").isNull(), F.col("visits")).otherwise(F.col("events"))
    activities = F.when(cut.followed.activity.counts(F.col("kind")), of_visits)
    return F.struct(
        F.lit(number).alias("division"),
        cut.col("cohort").alias("cohort"),
        index.alias("period_index"),
        F.coalesce(activities, F.lit(0)).alias("activities"),
        is_active.alias("active_so_far"),
        (is_active & has_ended).alias("active_ended"),
        (is_active & next_has_begun).alias("active_next_begun"),
        (is_active & F.coalesce(index - before == 1, F.lit(False))).alias("came_before"),
        last_active.alias("last_active"),
    )
