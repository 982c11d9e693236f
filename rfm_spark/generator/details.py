"""Details on request: the lines of receipts, and interactions beside them."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.generator.chance import Chance
from rfm_spark.generator.market import Market
from rfm_spark.generator.receipts import buying_customer, day_of, tasks

_CATEGORIES = 40
_KINDS = ("visit", "click", "card", "registration")


def as_lines(receipts: DataFrame, market: Market) -> DataFrame:
    """Receipts split into lines that add up to them.

    Args:
        receipts: from `delivered_receipts`.
        market: how many lines a receipt has on average.

    Returns:
        One row per delivered line: the columns of a receipt without `items`, and `line` from 1,
        `category`, `quantity`; `amount` is the line's.
    """
    number = Chance(F.col("receipt_id"), market.seed, "lines")
    most = max(1, round(2 * market.lines_per_receipt - 1))
    lines = (1 + number.whole("lines", most)).cast("int")
    split = receipts.withColumn("lines", lines).withColumn(
        "line", F.explode(F.sequence(F.lit(1), F.col("lines")))
    )
    each = F.floor(F.col("amount") * 100 / F.col("lines")) / 100
    rest = F.col("amount") - each * (F.col("lines") - 1)
    piece = Chance(F.struct("receipt_id", "line"), market.seed, "line")
    # Low numbers are frequent: most baskets hold the same few categories.
    category = F.floor(F.pow(piece.uniform("category"), F.lit(2.0)) * F.lit(float(_CATEGORIES)))
    amount = F.when(F.col("line") == 1, rest).otherwise(each)
    return split.select(
        *[name for name in receipts.columns if name not in ("amount", "items")],
        "line",
        F.concat(F.lit("category "), (1 + category).cast("string")).alias("category"),
        F.when(F.col("amount") < 0, F.lit(-1)).otherwise(F.lit(1)).alias("quantity"),
        amount.cast("decimal(12,2)").alias("amount"),
    )


def interactions(spark: SparkSession, market: Market) -> DataFrame:
    """Clicks and visits of the same customers on the same days.

    Returns:
        One row per interaction: `delivered` (date), `interaction_id`, `customer_id`, `kind`,
        `time`, `seconds`.
    """
    count = int(market.receipts * market.interactions_per_receipt)
    known = {"guest_share": 0.0, "largest_customer_receipts": 0}
    clicks = market.model_copy(update={"receipts": max(1, count), "seed": market.seed + 1, **known})
    rows = spark.range(0, count, 1, tasks(count)).withColumnRenamed("id", "interaction_id")
    number = F.col("interaction_id")
    chance = Chance(number, market.seed, "interaction")
    placed = rows.withColumn("place", day_of(number, clicks))
    day = F.date_add(F.lit(market.first_day), F.col("place"))
    at = F.floor(86_400 * chance.uniform("time"))
    return placed.select(
        day.alias("delivered"),
        "interaction_id",
        buying_customer(number, F.col("place"), clicks).alias("customer_id"),
        _kind(chance.uniform("kind")).alias("kind"),
        F.timestamp_seconds(F.unix_date(day) * 86_400 + at).alias("time"),
        F.floor(F.exp(3.5 + chance.normal("seconds"))).cast("int").alias("seconds"),
    )


def _kind(at: Column) -> Column:
    visit, click, card, registration = _KINDS
    return (
        F.when(at < 0.7, visit).when(at < 0.97, click).when(at < 0.99, card).otherwise(registration)
    )
