"""Values of the features of every customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.look_back import LookBack, days_before, in_window, in_years
from rfm_spark.facts.asks import RECEIPT_HABITS, Ask
from rfm_spark.facts.customer_sums import in_population
from rfm_spark.results.clusters.features.catalogue import HABITS
from rfm_spark.results.clusters.features.feature import FURTHER
from rfm_spark.results.clusters.features.further import Kind, parts

HALVES = ("first_half_cents", "second_half_cents")
"""What was spent in the first and in the second half of the window."""

_YEAR = 365


def feature_asks(look_back: LookBack, with_events: bool, further: Sequence[str] = ()) -> list[Ask]:
    """What features are made of."""
    receipts = Ask(look_back, RECEIPT_HABITS)
    events = Ask(look_back, ("events",), "interactions")
    asked = [kind.ask(of, look_back) for _, kind, of in _parts(further) if kind.ask is not None]
    return [receipts, *_half_asks(look_back), *([events] if with_events else []), *asked]


def _made_of(name: str) -> str:
    """The column, in between, that a further feature is made of; a dot in it would be a path."""
    return f"of_{name.encode().hex()}"


def _parts(further: Sequence[str]) -> Iterator[tuple[str, Kind, str]]:
    """Names of further features, their kinds and what they are of."""
    for name in further:
        if (found := parts(name)) is not None:
            yield name, *found


def _half_asks(look_back: LookBack) -> tuple[Ask, Ask]:
    """The second half, and both; of all history the last year, and the last two."""
    both = 2 * _YEAR if look_back.days is None else look_back.days
    return Ask(LookBack(max(both // 2, 1)), ("net_cents",)), Ask(LookBack(both), ("net_cents",))


def customer_features(
    sums: DataFrame,
    days: DataFrame,
    categories: DataFrame | None,
    with_events: bool,
    as_of: date,
    look_back: LookBack,
    further: Sequence[str] = (),
) -> DataFrame:
    """The features of every customer who bought in the window.

    Args:
        sums: `customer_sums` as of the same day, with `feature_asks` of the window, and where
            features are numbers of another result `numbers`, a map by their names there.
        days: `customer_days`; they tell how long all history is.
        categories: `customer_day_categories`; None where the input has none.
        with_events: whether the input has interactions.
        as_of: last day that counts.
        look_back: how far back to look.
        further: names of further features, as the configuration has them.

    Returns:
        One row per customer: the columns of `customer_features`; a feature that the input does
        not allow is NULL for everybody, and so is FURTHER where there are none.
    """
    rows = _with_categories(
        habits(sums, look_back, with_events, further), categories, as_of, look_back, further
    )
    length = _window_days(days, as_of, look_back)
    return rows.crossJoin(F.broadcast(length)).select(
        F.lit(look_back.label).alias("window"),
        F.lit(as_of).alias("as_of"),
        "customer_id",
        *[habit.value(as_of).cast("double").alias(habit.name) for habit in HABITS],
        *HALVES,
        _further(further).alias(FURTHER),
    )


def _further(further: Sequence[str]) -> Column:
    """The map of further features: those that a customer has a value of."""
    entries = [
        F.struct(*kind.entry(name, F.col(_made_of(name)))) for name, kind, _ in _parts(further)
    ]
    if not entries:
        return F.lit(None).cast("map<string, double>")
    known = F.filter(F.array(*entries), lambda entry: entry["col2"].isNotNull())
    return F.map_from_entries(known)


def habits(
    sums: DataFrame, look_back: LookBack, with_events: bool, further: Sequence[str] = ()
) -> DataFrame:
    """What every customer who bought in the window did in it, and the first visit ever.

    Args:
        sums: `customer_sums` with `feature_asks` of the window, and `numbers` as above.
        look_back: how far back to look.
        with_events: whether the input has interactions.
        further: names of further features.

    Returns:
        One row per customer: `first_visit` and `last_visit` (ever), `first_in_window`, the sums of
        RECEIPT_HABITS under their own names, HALVES, `events` (NULL where the input has none), and
        what further features are made of, but for shares of categories.
    """
    receipts, *_ = asks = feature_asks(look_back, with_events)
    asked = {name: kind.ask(of, look_back) for name, kind, of in _parts(further) if kind.ask}
    added = [name for name in receipts.measures if name != "first_visit"]
    events = [
        F.coalesce(ask.column("events"), F.lit(0)) for ask in asks if "events" in ask.measures
    ]
    second, both = (F.coalesce(ask.column("net_cents"), F.lit(0)) for ask in _half_asks(look_back))
    return sums.where(in_population(look_back)).select(
        "customer_id",
        "first_visit",  # ever, for any as_of: who bought by then came first by then
        "last_visit",
        F.col(receipts.column("first_visit")).alias("first_in_window"),
        *[F.col(receipts.column(name)).alias(name) for name in added],
        (both - second).alias(HALVES[0]),
        second.alias(HALVES[1]),
        (events[0] if events else F.lit(None).cast("bigint")).alias("events"),
        *[F.col(ask.column(*ask.measures)).alias(_made_of(name)) for name, ask in asked.items()],
        *[
            F.col("numbers")[of].alias(_made_of(name))
            for name, kind, of in _parts(further)
            if kind.made_of == "numbers"
        ],
    )


def _with_categories(
    rows: DataFrame,
    categories: DataFrame | None,
    as_of: date,
    look_back: LookBack,
    further: Sequence[str],
) -> DataFrame:
    """With the number of different categories of the window, and the shares of some.

    A share is of the net amount of all lines with a category; NULL where that is not above 0.
    """
    if categories is None:
        return rows.withColumn("categories", F.lit(None).cast("bigint"))
    inside = in_years(as_of, look_back) & in_window("day", as_of, look_back)
    spent = F.sum("net_cents")
    shares = [
        F.when(spent > 0, _spent_on(of) / spent).alias(_made_of(name))
        for name, kind, of in _parts(further)
        if kind.made_of == "categories"
    ]
    counts = (
        categories.where(inside & F.col("customer_id").isNotNull())
        .groupBy("customer_id")
        .agg(F.count_distinct("category").alias("categories"), *shares)
    )
    return rows.join(counts, "customer_id", "left").na.fill(0, ["categories"])


def _spent_on(category: str) -> Column:
    return F.sum(F.when(F.col("category") == category, F.col("net_cents")))


def _window_days(days: DataFrame, as_of: date, look_back: LookBack) -> DataFrame:
    """One row: the window's length; for all history, the days since the data begin."""
    if look_back.days is not None:
        return days.sparkSession.range(1).select(F.lit(look_back.days).alias("window_days"))
    return days.agg((days_before(as_of, F.min("day")) + 1).alias("window_days"))
