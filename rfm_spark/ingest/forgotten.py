"""Customers who were forgotten: known by keyed hashes, and kept out of what is taken in.

Hashes are HMAC-SHA256 (RFC 2104) by functions of Spark. The key comes as a row, and not as a
literal, since plans and those who listen to them show literals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, DataType, StringType, StructField, StructType

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import SUBJECT
from rfm_spark.ingest.rows.rules import is_invalid
from rfm_spark.ingest.tables.forgotten import FORGOTTEN_CUSTOMERS
from rfm_spark.ingest.tables.receipts import CATEGORIES, FORGOTTEN, IS_FORGOTTEN
from rfm_spark.run import Run
from rfm_spark.storage.local_rows import local_rows
from rfm_spark.storage.secret_key import SecretKey, is_key_there, stored_key

HASH = "customer_hash"
_PADS = ("_inner_pad", "_outer_pad")
_IS_THEIRS = "_is_theirs"

NOT_KEPT: dict[str, DataType] = {
    SUBJECT: StringType(),
    "store_id": StringType(),
    "channel": StringType(),
    "categories": CATEGORIES,
}
"""Columns of a receipt that a forgotten customer's is without."""


@dataclass(frozen=True)
class Forgotten:
    """Who was forgotten.

    Attributes:
        hashes: one row per customer: `customer_hash`.
        key: by which the hashes were made.
    """

    hashes: DataFrame
    key: SecretKey

    def remembered(self, rows: DataFrame, subject: str = SUBJECT) -> DataFrame:
        """Rows of all others, by the column that says whose they are: same columns."""
        return self._marked(rows, subject).where(~F.col(_IS_THEIRS)).select(*rows.columns)

    def theirs(self, rows: DataFrame) -> DataFrame:
        """Rows of those who were forgotten: same columns."""
        return self._marked(rows).where(_IS_THEIRS).select(*rows.columns)

    def without_traces(self, rejected: DataFrame, subject: str = SUBJECT) -> DataFrame:
        """Rejected rows, of which those of forgotten customers keep a keyed digest as `raw`."""
        kept = F.when(~F.col(_IS_THEIRS), F.col(SUBJECT)).alias(SUBJECT)
        raw = F.when(F.col(_IS_THEIRS), digest_as_json()).otherwise(F.col("raw")).alias("raw")
        as_they_are = [name for name in rejected.columns if name not in (SUBJECT, "raw")]
        return self._marked(rejected, subject).select(*as_they_are, kept, raw)

    def with_forgotten_receipts(self, versions: DataFrame) -> DataFrame:
        """Receipt versions with IS_FORGOTTEN, without what tells whose they were."""
        gone = F.col(_IS_THEIRS)
        return self._marked(versions).select(
            *[name for name in versions.columns if name not in NOT_KEPT],
            *[F.when(~gone, F.col(name)).alias(name) for name in NOT_KEPT],
            gone.alias(IS_FORGOTTEN),
        )

    def _marked(self, rows: DataFrame, subject: str = SUBJECT) -> DataFrame:
        """Rows with the pads of the key, and whether they are of somebody who was forgotten."""
        theirs = self.hashes.select(HASH, F.lit(True).alias(_IS_THEIRS))
        hashed = with_pads(rows, self.key).withColumn(HASH, keyed_hash(F.col(subject)))
        return hashed.join(F.broadcast(theirs), HASH, "left").fillna(False, [_IS_THEIRS])


def forgotten_customers(run: Run) -> Forgotten | None:
    """Who was forgotten; None where nobody was.

    Raises:
        UserError: if the key by which they are known is not given, is lost, or is another one.
    """
    if not run.warehouse.is_there(FORGOTTEN_CUSTOMERS):
        return None
    checks = {
        row["key_check"] for row in run.warehouse.rows(FORGOTTEN_CUSTOMERS, columns=["key_check"])
    }
    if not checks:
        return None
    if run.settings.privacy is None:
        raise UserError(
            "privacy.key_file: missing; customers were forgotten, who are kept out by its key"
        )
    file = Path(run.settings.privacy.key_file)
    key = stored_key(file)
    if checks != {key.check}:
        raise UserError(
            f"{file}: is another key than the one by which forgotten customers are known: put "
            "that one back"
        )
    return Forgotten(run.warehouse.read(FORGOTTEN_CUSTOMERS).select(HASH), key)


def customers_to_keep_out(run: Run) -> Forgotten | None:
    """The same, for what takes deliveries in: it must not let in those of an older warehouse.

    Raises:
        UserError: also if there is a key, and nobody is known by it.
    """
    forgotten, privacy = forgotten_customers(run), run.settings.privacy
    if forgotten is None and privacy is not None and is_key_there(Path(privacy.key_file)):
        raise UserError(
            f"{privacy.key_file}: customers were forgotten by this key: copy the table "
            f"{FORGOTTEN_CUSTOMERS.name} from the old warehouse, or forget them again (rfm-spark "
            "forget)"
        )
    return forgotten


def days_before_forgetting(run: Run, days: Iterable[date]) -> list[date]:
    """Days that may have been described before somebody was last forgotten.

    Rows of customers who were forgotten are gone from them, and sums are as they were told.
    """
    if not run.warehouse.is_there(FORGOTTEN_CUSTOMERS):
        return []
    _, last = run.warehouse.bounds(FORGOTTEN_CUSTOMERS, "forgotten_on")
    ahead = timedelta(days=run.settings.ingest.max_future_days)  # so far on can the last day be
    return [] if last is None else [day for day in days if day <= last + ahead]


def receipts_of(forgotten: Forgotten | None, versions: DataFrame) -> DataFrame:
    """Receipt versions with IS_FORGOTTEN."""
    if forgotten is None:
        return versions.withColumn(IS_FORGOTTEN, F.lit(False))
    return forgotten.with_forgotten_receipts(versions)


def forgotten_totals(forgotten: Forgotten, rows: DataFrame) -> DataFrame:
    """Valid totals of forgotten customers, as rows for quarantine: their money stays counted."""
    theirs = forgotten.theirs(rows.where(~is_invalid()))
    return theirs.withColumn("reasons", F.lit(FORGOTTEN))


def with_pads(rows: DataFrame, key: SecretKey) -> DataFrame:
    """Rows with the key beside each, as `keyed_hash` needs it."""
    return rows.crossJoin(F.broadcast(_pads(rows.sparkSession, key)))


def keyed_hash(text: Column) -> Column:
    """HMAC-SHA256 of a text, hexadecimal; of rows `with_pads`. NULL of NULL."""
    inner, outer = (F.col(name) for name in _PADS)
    digest = F.unhex(F.sha2(F.concat(inner, F.encode(text, "UTF-8")), 256))
    return F.sha2(F.concat(outer, digest), 256)


def digest_as_json() -> Column:
    """In place of a raw row: equal for equal rows, and nobody's without the key."""
    return F.to_json(F.struct(keyed_hash(F.col("raw")).alias(FORGOTTEN)))


def _pads(spark: SparkSession, key: SecretKey) -> DataFrame:
    schema = StructType([StructField(name, BinaryType(), False) for name in _PADS])
    return local_rows(spark, [dict(zip(_PADS, key.pads, strict=True))], schema)
