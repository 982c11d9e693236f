"""Days of look-ups: which changes of a table of rates matter to receipts taken in before.

Such a table grows with each day. Rows that begin to hold after the last day of a delivery's
receipts, rejected ones included, change nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.ingest.files.lookups import first_day, lookup_table
from rfm_spark.ingest.rows.expressions import quoted_column
from rfm_spark.settings.digest import digest_of
from rfm_spark.settings.sources import Source
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.spark_errors import FAILED, first_line

_MARK, _OF_DAY = "@", "/"


@dataclass(frozen=True)
class LookupDays:
    """What the look-ups of a day of one source say.

    Attributes:
        rows: of each look-up and first day a digest of the rows: name, day as text, digest.
    """

    rows: Sequence[tuple[str, str, str]]

    def mark(self, last_day: date | str) -> str:
        """What stands behind the fingerprint of a delivery: a last day, and what holds by then."""
        told = [row for row in self.rows if row[1] <= str(last_day)]
        return f"{_MARK}{last_day}{_OF_DAY}{digest_of(told)}"

    def is_as_before(self, before: str, now: str) -> bool:
        """Whether a delivery was read with the same rows, as far as it can have asked for them.

        Args:
            before: fingerprint with which it was taken in, mark included.
            now: fingerprint it has now, without a mark.
        """
        last_day = before.rpartition(_MARK)[2].partition(_OF_DAY)[0]
        return before == now + self.mark(last_day)


def last_days(rows: DataFrame, until: date) -> dict[str, date]:
    """The last day of the receipts of each delivery that has any: what rates they can ask for.

    Args:
        rows: validated rows, rejected ones too: `delivery`, `business_date`.
        until: the last that they can be of; later ones are rejected whatever their rates.
    """
    known = rows.where(F.col("business_date") <= F.lit(until))
    found = known.groupBy("delivery").agg(F.max("business_date").alias("day")).collect()
    return {row["delivery"]: row["day"] for row in found}


def lookup_days(
    sessions: SparkSession | SessionOnDemand, source: Source, input_path: str, label: str
) -> LookupDays | None:
    """Days of all look-ups of a source that have some; None without such look-ups.

    Raises:
        UserError: if one cannot be read.
    """
    dated = {name: one for name, one in source.lookups.items() if one.valid_from is not None}
    if not dated:
        return None
    spark = SessionOnDemand.of(sessions).session
    found: list[tuple[str, str, str]] = []
    for name, lookup in dated.items():
        where = f"{label}.lookups.{name}"
        table = lookup_table(spark, lookup, input_path, where)
        columns = [quoted_column(column) for column in table.columns]
        by_day = table.groupBy(first_day(table, lookup.valid_from, where).alias("day")).agg(
            F.bit_xor(F.xxhash64(*columns)).alias("one"),
            F.bit_xor(F.xxhash64(F.lit(1), *columns)).alias("two"),
            F.count(F.lit(1)).alias("rows"),
        )
        try:
            days = by_day.collect()
        except FAILED as error:
            raise UserError(
                f"[{where}] {lookup.path} cannot be read: {first_line(error)}"
            ) from None
        found += [
            (name, str(row["day"] or ""), f"{row['one']} {row['two']} {row['rows']}")
            for row in days
        ]
    return LookupDays(sorted(found))
