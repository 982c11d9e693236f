"""Numbers of receipts that hold the id of a customer: they are kept, and told of."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from rfm_spark.ingest.rows.identifiers import id_text
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import IS_FORGOTTEN, RECEIPTS
from rfm_spark.run import Run

_PART = r"((?:[^|\\]|\\.)+)"
"""Of an id of several columns: `|` stands between them, and within one behind a backslash."""
_FEED = r"^[a-z][a-z0-9_]*:"


def tell_numbers_with_ids(run: Run, ids: DataFrame) -> None:
    """Notes how many receipts and rejected rows have numbers of which an id is a part.

    They are not changed: a version is known by its number, and a later delivery brings it again.
    """
    receipts = rejected = 0
    if run.warehouse.is_there(RECEIPTS):
        theirs = run.warehouse.read(RECEIPTS).where(IS_FORGOTTEN)
        receipts = numbers_with_ids(theirs, ids).count()
    if run.warehouse.is_there(QUARANTINE):
        rejected = numbers_with_ids(run.warehouse.read(QUARANTINE), ids).count()
    if receipts or rejected:
        run.notes.append(
            f"receipt_id of {receipts:,} forgotten receipts and {rejected:,} rejected rows is made "
            "of columns of which one has the customer's id, and keeps it: make "
            "columns.receipt_id of others, and take everything in anew"
        )


def numbers_with_ids(rows: DataFrame, ids: DataFrame) -> DataFrame:
    """Rows whose number has one of some ids as a part, or is one.

    Args:
        rows: with `receipt_id`, NULL where there is none.
        ids: one row per id in each form: `line` is the id.

    Returns:
        One row per such row: `receipt_id`.
    """
    parts = F.regexp_extract_all("receipt_id", F.lit(_PART), 1)
    plain = F.transform(parts, lambda part: F.regexp_replace(part, r"\\(.)", "$1"))
    # Where several feeds have ids of their own, the first part begins with the feed's name.
    without_feed = F.transform(plain, lambda part: F.regexp_replace(part, _FEED, ""))
    both = F.transform(F.concat(plain, without_feed), lambda part: id_text(part, StringType()))
    numbered = rows.where(F.col("receipt_id").isNotNull()).select(
        "receipt_id", F.monotonically_increasing_id().alias("at"), both.alias("parts")
    )
    lines = F.broadcast(ids.select("line").distinct())
    found = numbered.select("receipt_id", "at", F.explode("parts").alias("line"))
    return found.join(lines, "line", "left_semi").distinct().select("receipt_id")
