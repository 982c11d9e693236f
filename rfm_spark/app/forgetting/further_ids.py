"""Ids that nobody listed, and that are forgotten as well: merged ones, and those left behind."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.core.table import SUBJECT, Table
from rfm_spark.ingest.forgotten import Forgotten
from rfm_spark.run import Run


def tables_of_customers(run: Run) -> list[Table]:
    """Tables of the warehouse whose rows are of customers."""
    return [one for one in ALL_TABLES if one.subject and run.warehouse.is_there(one)]


def with_ids_left_behind(run: Run, ids: DataFrame, before: Forgotten) -> DataFrame:
    """Ids of customers, with those of forgotten ones that are in a table all the same.

    They are so where the command was killed. Merges may have changed since, so that nothing but
    the hash tells whose other ids these were.

    Args:
        run: the run.
        ids: one row per id in each form: `line`, the id, and `customer_id`, the form.
        before: who was forgotten before.

    Returns:
        The rows, and one per further id, which is both.
    """
    stored = [run.read(table).select(SUBJECT) for table in tables_of_customers(run)]
    if not stored:
        return ids
    known = reduce(DataFrame.unionByName, stored).where(F.col(SUBJECT).isNotNull()).distinct()
    left = before.theirs(known).join(ids.select(SUBJECT), SUBJECT, "left_anti")
    return ids.unionByName(left.select(F.col(SUBJECT).alias("line"), SUBJECT))


def tell_further_ids(run: Run, listed: DataFrame, merged: DataFrame, ids: DataFrame) -> None:
    """Notes how many ids are forgotten that nobody listed.

    Args:
        run: the run.
        listed: ids of the file: `line`, and each form of it.
        merged: the same, and those that are the same customers.
        ids: the same, and those that were left behind.
    """
    of_file, of_merges, of_all = (
        rows.select("line").distinct().count() for rows in (listed, merged, ids)
    )
    if of_merges > of_file:
        run.notes.append(
            f"{of_merges - of_file:,} more ids are of the same customers, by [identities]: they "
            "are forgotten as well"
        )
    if of_all > of_merges:
        run.notes.append(
            f"{of_all - of_merges:,} more ids are of customers who were forgotten before, by a "
            "command that did not come to its end: they are gone now as well"
        )
