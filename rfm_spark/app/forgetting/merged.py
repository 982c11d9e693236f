"""Customers who were merged: whoever is forgotten is so under every id."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.forgetting.rows import note_written
from rfm_spark.core.table import SUBJECT
from rfm_spark.facts.identities import with_all_ids
from rfm_spark.facts.tables import MERGED_CUSTOMERS
from rfm_spark.ingest.tables.identities import IDENTITIES, MERGED_INTO
from rfm_spark.run import Run
from rfm_spark.storage.erasure import remove_rows


def with_merged_ids(run: Run, ids: DataFrame) -> DataFrame:
    """Ids of customers, with all others that are the same customers by now.

    Args:
        run: the run.
        ids: one row per id in each form: `line`, the id, and `customer_id`, the form.

    Returns:
        The rows, and one per further id, which is both.
    """
    if not run.warehouse.is_there(MERGED_CUSTOMERS):
        return ids
    own = ids.select(SUBJECT)
    all_ids = with_all_ids(own, run.read(MERGED_CUSTOMERS))
    further = all_ids.join(own, SUBJECT, "left_anti")
    return ids.unionByName(further.select(F.col(SUBJECT).alias("line"), SUBJECT))


def forget_merges(run: Run, ids: DataFrame) -> None:
    """Removes every merge of these customers, also one that no longer counts."""
    merges = run.warehouse.read(IDENTITIES).select(SUBJECT, MERGED_INTO)
    own = F.broadcast(ids.select(SUBJECT).distinct())
    into = own.withColumnRenamed(SUBJECT, MERGED_INTO)
    of_old, of_new = (merges.join(one, one.columns, "left_semi") for one in (own, into))
    # In one commit: of a chain that is cut in its midst, whoever does this again finds one half.
    remove_rows(run.warehouse, IDENTITIES, of_old.unionByName(of_new).distinct())
    note_written(run, IDENTITIES)


def named_by_merges(run: Run, ids: DataFrame) -> DataFrame:
    """Rows of `identities` by which others were merged into these customers: `line` of each."""
    of_others = run.read(IDENTITIES).join(F.broadcast(ids), SUBJECT, "left_anti")
    into = ids.withColumnRenamed(SUBJECT, MERGED_INTO)
    return of_others.join(F.broadcast(into), MERGED_INTO).select("line")
