"""Forgetting: customers leave every table, its old versions too, and are kept out from then on."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.forgetting.customer_file import listed_customers
from rfm_spark.app.forgetting.further_ids import (
    tables_of_customers,
    tell_further_ids,
    with_ids_left_behind,
)
from rfm_spark.app.forgetting.merged import (
    forget_merges,
    named_by_merges,
    with_merged_ids,
)
from rfm_spark.app.forgetting.receipt_numbers import tell_numbers_with_ids
from rfm_spark.app.forgetting.rejected import forget_rejected
from rfm_spark.app.forgetting.rows import (
    days_of,
    forget_receipts,
    keep_hashes,
    keep_money,
    note_written,
    remove,
)
from rfm_spark.app.jobs import taken_in
from rfm_spark.app.publishing import publish_again, take_back_unpublished
from rfm_spark.app.recording import recorded
from rfm_spark.core.errors import UserError
from rfm_spark.core.table import SUBJECT, Table
from rfm_spark.facts.changes import MADE_OF, note_of_now, up_to_date
from rfm_spark.facts.job import refresh_facts
from rfm_spark.facts.merging import refresh_merged_customers
from rfm_spark.facts.tables import MERGED_CUSTOMERS
from rfm_spark.ingest.forgotten import forgotten_customers
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.identities import IDENTITIES
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.run import Run, note_of_days
from rfm_spark.storage.erasure import purge_files, purge_log
from rfm_spark.storage.locations import is_local, plain
from rfm_spark.storage.secret_key import SecretKey, stored_or_new_key

COMMAND = "forget"

_NOT_AS_OTHERS = (RECEIPTS, INTERACTIONS, QUARANTINE, IDENTITIES, MERGED_CUSTOMERS)
"""Tables that customers leave before the facts are made anew, or after all others."""


@dataclass(frozen=True)
class Told:
    """What was done, in numbers: `runs.details` has them as JSON.

    Attributes:
        customers: different ids in the file, others that were merged with these, and those that
            an earlier command which was killed has left.
        known: of these, who had rows in any table.
        rows: table to the rows that went, or no longer tell whose they are.
    """

    customers: int
    known: int
    rows: dict[str, int]


def forget(run: Run, file: str) -> Told:
    """Forgets the customers of a file.

    What is killed is done by the same command again: every step can be repeated, and nothing is
    known of a customer in the end but a keyed hash of the id.

    Args:
        run: session, settings and warehouse.
        file: ids, one a line, read as those of receipts are.

    Raises:
        UserError: if the file or the key cannot be read, the file holds what can be no id, or no
            key is configured.
    """
    if run.settings.privacy is None:
        raise UserError(
            "privacy.key_file: missing; say in which file the key is to be by which forgotten "
            "customers are known and kept out"
        )
    key_file = Path(run.settings.privacy.key_file)
    if _is_inside(key_file, run.warehouse.place):
        raise UserError(
            f"privacy.key_file: {key_file} lies in the warehouse, whose readers are not to have it"
        )
    listed = listed_customers(run, file)
    with recorded(run, COMMAND, None, [], makes_facts=True) as record:
        before = forgotten_customers(run)  # the key is the one of those
        take_back_unpublished(run, None)  # of every table, one version is to be left
        refresh_merged_customers(run)
        merged = with_merged_ids(run, listed)
        ids = (merged if before is None else with_ids_left_behind(run, merged, before)).persist()
        try:
            tell_further_ids(run, listed, merged, ids)
            told = _forget(run, ids, stored_or_new_key(key_file))
        finally:
            ids.unpersist()
        record.details = json.dumps(asdict(told))
    return told


def _is_inside(file: Path, place: str) -> bool:
    """Whether a file lies in a folder, whatever links lead there."""
    real = Path(os.path.realpath(file))
    return is_local(place) and real.is_relative_to(os.path.realpath(plain(place)))


def _forget(run: Run, ids: DataFrame, key: SecretKey) -> Told:
    customers = ids.select("line").distinct().count()
    tables = tables_of_customers(run)
    with run.progress.step("look for the customers") as step:
        known, rows = _found(run, tables, ids)
        step.says(f"{known:,} of {customers:,} are known")
    keep_hashes(run, ids, key, are_rows_there=bool(rows))
    with run.progress.step("forget in what was taken in"):
        if rows.get(RECEIPTS.name):
            forget_receipts(run, ids)
        if rows.get(INTERACTIONS.name):
            remove(run, INTERACTIONS, ids, note_of_days(days_of(run, INTERACTIONS, ids)))
        if rows.get(CUSTOMER_TOTALS.name):
            keep_money(run, ids, key)
        if QUARANTINE in tables:
            rows[QUARANTINE.name] = forget_rejected(run, ids, key)
        tell_numbers_with_ids(run, ids)
    refresh_facts(run)
    with run.progress.step("forget in facts and results"):
        for table in tables:
            if table not in _NOT_AS_OTHERS and rows.get(table.name):
                remove(run, table, ids)
        # Last of all: whoever does this again after a kill has to find all ids once more. What is
        # kept of these is worked out anew by Spark as soon as the merges change.
        if rows.get(IDENTITIES.name):
            forget_merges(run, ids)
    refresh_merged_customers(run)
    with run.progress.step("remove old versions"):
        _purge(run, tables)
    return Told(customers, known, {name: count for name, count in sorted(rows.items()) if count})


def _found(run: Run, tables: list[Table], ids: DataFrame) -> tuple[int, dict[str, int]]:
    """How many of the customers have rows anywhere, and how many rows each table has of them."""
    listed = F.broadcast(ids)
    of_tables = [
        run.read(table).join(listed, SUBJECT).select("line", F.lit(table.name).alias("table"))
        for table in tables
    ]
    if not of_tables:
        return 0, {}
    if IDENTITIES in tables:
        name = F.lit(IDENTITIES.name).alias("table")
        of_tables.append(named_by_merges(run, ids).select("line", name))
    found = reduce(DataFrame.unionByName, of_tables).groupBy("line", "table").count().persist()
    try:
        known = found.select("line").distinct().count()
        counted = found.groupBy("table").agg(F.sum("count").alias("rows")).collect()
    finally:
        found.unpersist()
    return known, {row["table"]: row["rows"] for row in counted}


def _purge(run: Run, tables: Sequence[Table]) -> None:
    """Sources of facts come first: facts that are up to date note the versions they have now.

    Also of tables without a row of theirs: it may have gone before, and the purge been killed.
    What stays is published before anything goes: readers find a whole warehouse at any moment.
    """
    publish_again(run, tables, taken_in())
    current, replaced = up_to_date(run), dict[Table, int]()
    for table in [*[one for one in tables if one not in MADE_OF], *MADE_OF]:
        if table not in tables:
            continue
        note: dict[str, Any] = {}
        if table in current:
            note = note_of_now(run, table, current[table])
        replaced[table] = purge_files(run.warehouse, table, note)
        note_written(run, table)
    publish_again(run, tables, taken_in())
    for table, before in replaced.items():
        purge_log(run.warehouse, table, before)
