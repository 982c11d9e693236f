"""Receipts made up: who bought when, where and for how much, and how it was delivered."""

from __future__ import annotations

import json

import numpy as np
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.generator.chance import Chance
from rfm_spark.generator.market import Market

GUEST = 0
"""The id of all guests."""

_ROWS_PER_TASK = 1_000_000
_CORE = 8
"""One customer in so many is there from the first day to the last."""

_TRIES = 3
_LATEST = 30
"""Days."""

_CHANNELS = ("store", "web", "app")


def delivered_receipts(spark: SparkSession, market: Market) -> DataFrame:
    """What the tills deliver.

    Args:
        spark: the session.
        market: how many, and how they behave.

    Returns:
        One row per delivered receipt, without a shuffle but for the one in a hundred that is not
        delivered once on its day: `delivered` (date), `receipt_id`, `customer_id` (0 is a guest),
        `time` (NULL where broken), `amount` (DECIMAL, negative for a return), `items`, `promotion`,
        `channel`, `store_id`.
    """
    made = _receipts(spark, market)
    last = F.lit(market.last_day)
    chance = Chance(F.col("receipt_id"), market.seed, "delivery")
    late = chance.happens("late", market.late_share)
    days_late = 1 + F.floor(F.pow(chance.uniform("how late"), F.lit(2.0)) * F.lit(float(_LATEST)))
    late_day = F.date_add("day", days_late.cast("int"))
    on_time = made.where(~late).withColumn("delivered", F.col("day"))
    later = made.where(late).withColumn("delivered", F.least(late_day, last))
    again = made.where(~late & chance.happens("duplicate", market.duplicate_share))
    repeated = again.withColumn("delivered", F.date_add("day", 1)).where(F.col("delivered") <= last)
    corrected = _corrected(made.where(~late), chance, market).where(F.col("delivered") <= last)
    # Each in files of its own: no delivery may hold a receipt twice, or its rows would be added up.
    whole = on_time
    for off_day in (later, repeated, corrected):
        whole = whole.unionByName(off_day.repartition("delivered"))
    broken = Chance(F.col("receipt_id"), market.seed, "row").happens("broken", market.broken_share)
    return whole.withColumn("time", F.when(~broken, F.col("time"))).drop("day")


def _corrected(made: DataFrame, chance: Chance, market: Market) -> DataFrame:
    """A second version some days later: another amount, and one in three of another day."""
    wrong = made.where(chance.happens("correction", market.correction_share))
    moved = chance.happens("moved", 1 / 3)
    earlier = F.when(moved, F.col("time") - F.expr("INTERVAL 1 DAY")).otherwise(F.col("time"))
    return wrong.select(
        *[name for name in made.columns if name not in ("time", "amount")],
        F.greatest(earlier, F.lit(market.first_day).cast("timestamp")).alias("time"),
        (F.col("amount") + F.lit(1)).cast("decimal(12,2)").alias("amount"),
        F.date_add("day", (2 + chance.whole("corrected after", 9)).cast("int")).alias("delivered"),
    ).select(*made.columns, "delivered")


def _receipts(spark: SparkSession, market: Market) -> DataFrame:
    """Every receipt once, in order of days; partitions are runs of days."""
    numbered = spark.range(0, market.receipts, 1, tasks(market.receipts))
    numbered = numbered.withColumnRenamed("id", "receipt_id")
    placed = numbered.withColumn("place", day_of(F.col("receipt_id"), market))
    chosen = placed.withColumn("rank", _customer(F.col("receipt_id"), F.col("place"), market))
    number = Chance(F.col("receipt_id"), market.seed, "receipt")
    person = Chance(F.col("rank"), market.seed, "person")
    day = F.date_add(F.lit(market.first_day), F.col("place"))
    at = F.floor((9 + 6 * (number.uniform("hour") + number.uniform("hour too"))) * 3600)
    in_campaign = F.col("place") % 28 < 7
    promotion = in_campaign & (number.uniform("promotion") < person.uniform("likes promotions"))
    is_return = number.happens("return", market.return_share)
    spend = F.exp(3.2 + 0.6 * person.normal("means") + 0.7 * number.normal("spend"))
    cents = F.greatest(F.lit(1.0), F.round(100 * F.when(promotion, 0.85 * spend).otherwise(spend)))
    pieces = 1 + F.floor(spend / (4 + 6 * number.uniform("price")))
    channel = _channel(person.uniform("channel"), number.uniform("channel"))
    return chosen.select(
        "receipt_id",
        _customer_id(F.col("rank"), market).alias("customer_id"),
        day.alias("day"),
        F.timestamp_seconds(F.unix_date(day) * 86_400 + at).alias("time"),
        (F.when(is_return, -cents).otherwise(cents) / 100).cast("decimal(12,2)").alias("amount"),
        F.when(is_return, F.lit(-1)).otherwise(pieces).cast("int").alias("items"),
        promotion.alias("promotion"),
        channel.alias("channel"),
        (1 + person.whole("store", 300) + number.whole("store", 3)).cast("int").alias("store_id"),
    )


def tasks(rows: int) -> int:
    """How many tasks make so many rows."""
    return max(1, -(-rows // _ROWS_PER_TASK))


def day_of(number: Column, market: Market) -> Column:
    """Place of the receipt's day, from a table of runs of receipts that hold two days at most."""
    starts = market.day_starts()
    shortest = int(np.diff(starts).min())
    width = max(1, shortest)
    first_of_run = np.arange(0, market.receipts, width)
    day_of_run = np.searchsorted(starts, first_of_run, side="right") - 1
    run = F.floor(number / F.lit(width)).cast("int") if width > 1 else number.cast("int")
    day = F.get(_numbers(day_of_run), run)
    next_start = F.get(_numbers(starts), day + 1)
    return (day + (number >= next_start).cast("int")).cast("int")


def _numbers(values: np.ndarray) -> Column:
    """An array that is the same for all rows: folded into the plan as one literal."""
    return F.from_json(F.lit(json.dumps(values.tolist())), "array<bigint>")


def buying_customer(number: Column, place: Column, market: Market) -> Column:
    """Id of the customer of a numbered receipt, on the day of that place in the history."""
    return _customer_id(_customer(number, place, market), market)


def _customer(number: Column, place: Column, market: Market) -> Column:
    """Rank of who buys: the first of a few candidates who is there on that day.

    -1 is a guest, 0 the largest customer. Ranks follow a power law: at u uniform, customers x u^c.
    """
    chance = Chance(number, market.seed, "customer")
    ranks = [
        F.floor(F.pow(chance.uniform(f"try {one}"), F.lit(market.concentration)) * market.customers)
        for one in range(_TRIES)
    ]
    stays = F.floor(ranks[-1] / _CORE) * _CORE
    found = F.coalesce(*[F.when(_is_there(rank, place, market), rank) for rank in ranks], stays)
    kind = chance.uniform("kind")
    largest = market.guest_share + market.largest_customer_receipts / market.receipts
    if market.largest_customer_receipts:
        found = F.when(kind < F.lit(largest), F.lit(0)).otherwise(found)
    return F.when(kind < F.lit(market.guest_share), F.lit(-1)).otherwise(found).cast("bigint")


def _is_there(rank: Column, place: Column, market: Market) -> Column:
    """Whether a customer has come, has not left, and is not in a pause."""
    life = Chance(rank, market.seed, "life")
    days = float(market.days)
    joins = (life.uniform("joins") * 1.5 - 0.5) * F.lit(days)
    stay = -F.log(1 - life.uniform("stays")) * F.lit(days)
    pause = joins + 0.3 * stay
    pauses = life.happens("pauses", 0.2)
    away = pauses & (place >= pause) & (place < pause + 60 + 180 * life.uniform("pause"))
    return (rank % _CORE == 0) | ((place >= joins) & (place < joins + stay) & ~away)


def _customer_id(rank: Column, market: Market) -> Column:
    mixed = 1 + (rank * F.lit(market.stride)) % F.lit(market.customers)
    return F.when(rank < 0, F.lit(GUEST)).otherwise(mixed).cast("bigint")


def _channel(habit: Column, mood: Column) -> Column:
    """Most people keep to one channel, three quarters of the time."""
    at = F.when(mood < 0.75, habit).otherwise(4 * (mood - 0.75))
    return F.when(at < 0.6, _CHANNELS[0]).when(at < 0.85, _CHANNELS[1]).otherwise(_CHANNELS[2])
