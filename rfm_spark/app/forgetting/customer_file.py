"""The file of customers who are to be forgotten: an id on each line, and nothing else."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import SUBJECT
from rfm_spark.ingest.problems.column_problems import source_fields
from rfm_spark.ingest.rows.identifiers import id_text
from rfm_spark.ingest.rows.rules import trimmed
from rfm_spark.ingest.sources import configured_sources
from rfm_spark.run import Run
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.storage.locations import literal, location
from rfm_spark.storage.spark_errors import FAILED, first_line

_REPLACEMENT = "\ufffd"
"""What programs write for bytes that are no text in UTF-8."""


def listed_customers(run: Run, file: str) -> DataFrame:
    """Ids of a file, also as they stand, as older releases took them in.

    Args:
        run: the run.
        file: ids, one a line, read as those of receipts are.

    Returns:
        One row per id in each form: `line`, the id, and `customer_id`, the form.

    Raises:
        UserError: if it cannot be read, holds no id, or what can be none.
    """
    place = location(run.sessions, file)
    line = F.col("value")
    one = id_text(line, StringType())
    both = F.explode(F.array_distinct(F.array(one, trimmed(line))))
    try:
        lines = run.spark.read.text(literal(place)).where(one.isNotNull())
        _require_ids(lines, place, column_names(run.settings))
    except FAILED as error:
        raise UserError(f"{place}: cannot be read: {first_line(error)}") from None
    return lines.select(one.alias("line"), both.alias(SUBJECT)).distinct()


def column_names(settings: ShopSettings) -> list[str]:
    """Columns that configured sources map, in lower case: a header names them, not a customer."""
    names = {SUBJECT}
    for source in configured_sources(settings).values():
        for field in source_fields(source).values():
            names.update([field] if isinstance(field, str) else field or [])
    return sorted({name.strip(" `").lower() for name in names})


def _require_ids(lines: DataFrame, place: str, columns: list[str]) -> None:
    name = F.lower(trimmed(F.col("value")))
    is_unreadable = ~F.is_valid_utf8("value") | F.contains("value", F.lit(_REPLACEMENT))
    told = lines.agg(
        F.count(F.lit(1)).alias("ids"),
        F.count_if(is_unreadable).alias("unreadable"),
        F.min(F.when(name.isin(columns), name)).alias("header"),  # no id: a word of ours
    ).collect()[0]
    if not told["ids"]:
        raise UserError(f"{place}: holds no id of a customer: give one on each line")
    if told["unreadable"]:
        raise UserError(
            f"{place}: {told['unreadable']:,} lines are not text in UTF-8: nobody would be found "
            "by them; write the file anew"
        )
    if told["header"] is not None:
        raise UserError(
            f"{place}: a line is {told['header']!r}, the name of a column and no id of a customer: "
            "take it out"
        )
