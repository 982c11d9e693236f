"""Members: who is in an audience, and who of them is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from rfm_spark.app.lists.names import ListColumn, customer_column
from rfm_spark.core.condition_terms import Path
from rfm_spark.ingest.rows.identifiers import id_text
from rfm_spark.ingest.rows.rules import trimmed

TREATED, HOLDOUT = "treated", "holdout"
_DIGITS = 13
"""Hexadecimal digits of a hash that are read: 52 bits, which a double holds exactly."""


@dataclass(frozen=True)
class Order:
    """Who comes first.

    Attributes:
        path: of the column; None where the hash alone decides.
        is_lowest_first: the lowest, not the highest.
    """

    path: Path | None = None
    is_lowest_first: bool = False


def draw(purpose: str, audience: str) -> Column:
    """A number in [0, 1) for each `customer_id`, the same whenever and wherever it is drawn.

    The first 13 hexadecimal digits of SHA-256 of `purpose:audience:customer_id` in UTF-8, divided
    by 16^13. Draws of different purposes do not depend on each other.
    """
    text = F.concat(F.lit(f"{purpose}:{audience}:"), F.col("customer_id"))
    digits = F.substring(F.sha2(text, 256), 1, _DIGITS)
    return F.conv(digits, 16, 10).cast("bigint") / F.lit(float(16**_DIGITS))


def drawn(purpose: str, audience: str, customer: str) -> float:
    """The same number, of one customer.

    >>> round(drawn("holdout", "spring", "anna"), 4)
    0.3471
    """
    digest = sha256(f"{purpose}:{audience}:{customer}".encode()).hexdigest()
    return float(int(digest[:_DIGITS], 16) / 16**_DIGITS)


def members(
    customers: DataFrame, audience: str, limit: int | None, order: Order, holdout: float
) -> DataFrame:
    """The first customers by an order, each in a group.

    Args:
        customers: those who meet the condition; one row per customer.
        audience: its name.
        limit: most of them; None for all.
        order: who comes first; who has no value comes last, equal ones by `draw("order", ...)`.
        holdout: share of the customers, whose `draw("holdout", ...)` is below it, held out.

    Returns:
        The rows, with `audience_group`.
    """
    rows = customers
    if limit is not None:
        by_hash = [draw("order", audience), F.col("customer_id")]
        rows = rows.orderBy(*_first(order), *by_hash).limit(limit)
    is_held_out = draw(HOLDOUT, audience) < F.lit(holdout)
    return rows.withColumn("audience_group", F.when(is_held_out, HOLDOUT).otherwise(TREATED))


def _first(order: Order) -> list[Column]:
    if order.path is None:
        return []
    column = customer_column(order.path)
    return [column.asc_nulls_last() if order.is_lowest_first else column.desc_nulls_last()]


def listed_ids(lines: DataFrame) -> DataFrame:
    """Ids on exclusion lists: `customer_id`, each once.

    Args:
        lines: of files, in `value`: an id each, read as ids of receipts are, or as it stands.
    """
    line = F.col("value")
    # Also as it stands: an older release took ids in as they came.
    both = F.array(id_text(line, StringType()), trimmed(line))
    return lines.select(F.explode(both).alias("customer_id")).distinct()


def without(customers: DataFrame, ids: DataFrame | None) -> DataFrame:
    """Customers who are on no exclusion list.

    Args:
        customers: one row per customer.
        ids: who is on one: `customer_id`; None where there are no lists.
    """
    return customers if ids is None else customers.join(ids, "customer_id", "left_anti")


def stored_members(rows: DataFrame, columns: Sequence[ListColumn], definition: str) -> DataFrame:
    """Members as the table `audiences` has them, but for its name and day."""
    pairs = [
        part
        for one in columns
        for part in (F.lit(one.name), customer_column(one.path).cast("string"))
    ]
    chosen = F.create_map(*pairs) if pairs else F.lit(None)
    return rows.select(
        "customer_id",
        "audience_group",
        "segment",
        chosen.cast("map<string, string>").alias("chosen"),
        F.lit(definition).alias("definition"),
    )
