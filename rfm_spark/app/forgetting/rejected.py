"""What becomes of rejected rows that name customers who are forgotten, or may."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from rfm_spark.app.forgetting.rows import note_written
from rfm_spark.core.table import SUBJECT
from rfm_spark.ingest.forgotten import digest_as_json, with_pads
from rfm_spark.ingest.rows.identifiers import id_text
from rfm_spark.ingest.rows.rules import ROW_MALFORMED
from rfm_spark.ingest.sources import IDENTITIES_LABEL
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.run import Run
from rfm_spark.storage.erasure import change_rows, changed
from rfm_spark.storage.secret_key import SecretKey

_KEY = list(QUARANTINE.key)

_BEGINS_INSIDE = r"^[\[{]"
"""A value that holds others: it is JSON text itself."""
_JSON_KEY = r'(?<=[{,])"(?:[^"\\]|\\.)*+":'
_WORD_BEGINS = r"(?:(?<![\p{L}\p{N}])|(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{4}))"
"""Not within a word; JSON writes a tab before it as a backslash and a letter."""
_WORD_ENDS = r"(?![\p{L}\p{N}])"


def forget_rejected(run: Run, ids: DataFrame, key: SecretKey) -> int:
    """Takes away what rejected rows say, where they name a customer, or may.

    Returns:
        How many rows these are.
    """
    stored = run.warehouse.read(QUARANTINE)
    theirs = with_pads(rows_naming(stored, ids), key).withColumn("blank", digest_as_json())
    # As rows are named that are taken in again: by a digest of the text, and a number among equals.
    number = F.substring_index("row", "-", -1)
    blanks = theirs.select(
        *_KEY, "blank", F.concat_ws("-", F.md5("blank"), number).alias("named")
    ).persist()
    try:
        rows = blanks.count()
        if rows:
            values = {
                "raw": changed("blank"),
                "row": changed("named"),
                SUBJECT: F.lit(None).cast("string"),
            }
            change_rows(run.warehouse, QUARANTINE, blanks, QUARANTINE.key, values)
            note_written(run, QUARANTINE)
    finally:
        blanks.unpersist()
    return rows


def rows_naming(stored: DataFrame, ids: DataFrame) -> DataFrame:
    """Rejected rows that name some customers, or may.

    A row names one by its `customer_id`. Where that is not known, as of guests and of what an older
    release put there, one of its values may be the id; a row that is not in the format of its file
    may have values in wrong columns, so its text is searched for the id as a word.

    Args:
        stored: rows of `quarantine`.
        ids: one row per id in each form: `line`, and `customer_id`, the form.

    Returns:
        The same columns, each row once.
    """
    subjects = F.broadcast(ids.select(SUBJECT).distinct())
    lines = F.broadcast(ids.select("line").distinct())
    values = _values(stored)
    found = [
        stored.join(subjects, SUBJECT, "left_semi"),
        values.where(~F.col("is_text"))
        .withColumn("line", id_text(F.col("value"), StringType()))
        .join(lines, "line", "left_semi"),
        values.where("is_text").join(F.broadcast(_words(ids)), _holds_word(), "left_semi"),
    ]
    keys = reduce(DataFrame.unionByName, (rows.select(*_KEY) for rows in found))
    return stored.join(keys.distinct(), _KEY, "left_semi")


def _values(stored: DataFrame) -> DataFrame:
    """Values of rows that may be of anybody: `value`, and `is_text` where it holds several."""
    is_malformed = F.array_contains("reasons", ROW_MALFORMED)
    parsed = F.map_values(F.from_json("raw", "map<string,string>"))
    names_another = F.col("source") == IDENTITIES_LABEL
    searched = stored.where(F.col(SUBJECT).isNull() | is_malformed | names_another).select(
        *_KEY,
        (is_malformed | parsed.isNull()).alias("is_whole_row"),
        F.explode(F.coalesce(parsed, F.array("raw"))).alias("value"),
    )
    is_inside = ~F.col("is_whole_row") & F.rlike("value", F.lit(_BEGINS_INSIDE))
    text = F.when(is_inside, F.regexp_replace("value", _JSON_KEY, "")).otherwise(F.col("value"))
    return searched.where(F.col("value").isNotNull()).select(
        *_KEY, text.alias("value"), (F.col("is_whole_row") | is_inside).alias("is_text")
    )


def _words(ids: DataFrame) -> DataFrame:
    """Ids as they are, and as JSON text has them: `word`."""
    as_json = F.to_json(F.struct(F.col(SUBJECT).alias("i")))
    within = F.regexp_extract(as_json, r'^\{"i":"(.*)"\}$', 1)
    return ids.select(F.explode(F.array(SUBJECT, within)).alias("word")).distinct()


def _holds_word() -> Column:
    quoted = F.replace("word", F.lit("\\E"), F.lit("\\E\\\\E\\Q"))
    pattern = F.concat(F.lit(_WORD_BEGINS + r"\Q"), quoted, F.lit(r"\E" + _WORD_ENDS))
    return F.contains("value", "word") & F.rlike("value", pattern)
