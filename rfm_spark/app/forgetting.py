"""Forgetting: customers leave every table, its old versions too, and are kept out from then on."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from rfm_spark.app.jobs import told_failure, writing
from rfm_spark.app.run_record import SUCCEEDED, Outcome, record_run
from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.core.errors import UserError
from rfm_spark.core.table import SUBJECT, Table
from rfm_spark.facts.job import MADE_OF, refresh_facts, up_to_date
from rfm_spark.ingest.forgotten import (
    HASH,
    NOT_KEPT,
    digest_as_json,
    forgotten_customers,
    keyed_hash,
    with_pads,
)
from rfm_spark.ingest.rows.identifiers import id_text
from rfm_spark.ingest.rows.rules import trimmed
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.forgotten import FORGOTTEN_CUSTOMERS
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import FORGOTTEN, IS_FORGOTTEN, RECEIPTS
from rfm_spark.run import Run, note_of_days
from rfm_spark.storage.erasure import add_rows, change_rows, changed, purge, remove_rows
from rfm_spark.storage.locations import literal, location, require_file_system
from rfm_spark.storage.secret_key import SecretKey, stored_or_new_key
from rfm_spark.storage.spark_errors import FAILED, first_line
from rfm_spark.storage.warehouse import Commit

COMMAND = "forget"
_QUARANTINE_KEY = ("source", "delivery", "row")


@dataclass(frozen=True)
class Told:
    """What was done, in numbers: `runs.details` has them as JSON.

    Attributes:
        customers: different ids in the file.
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
        UserError: if the file or the key cannot be read, or no key is configured.
    """
    if run.settings.privacy is None:
        raise UserError(
            "privacy.key_file: missing; say in which file the key is to be by which forgotten "
            "customers are known and kept out"
        )
    ids = _ids(run, file).persist()
    try:
        with writing(run, COMMAND), _recorded(run) as told:
            forgotten_customers(run)  # the key is the one of those who were forgotten before
            key = stored_or_new_key(Path(run.settings.privacy.key_file))
            told.append(_forget(run, ids, key))
    finally:
        ids.unpersist()
    return told[0]


def _ids(run: Run, file: str) -> DataFrame:
    """Ids of a file, also as they stand, as older releases took them in; which of which line."""
    place = location(file)
    require_file_system(run.sessions, place)
    line = F.col("value")
    both = F.explode(F.array_distinct(F.array(id_text(line, StringType()), trimmed(line))))
    try:
        lines = run.spark.read.text(literal(place)).where(id_text(line, StringType()).isNotNull())
        ids = lines.select(id_text(line, StringType()).alias("line"), both.alias(SUBJECT))
        if ids.isEmpty():
            raise UserError(f"{place}: holds no id of a customer: give one on each line")
    except FAILED as error:
        raise UserError(f"{place}: cannot be read: {first_line(error)}") from None
    return ids.distinct()


def _forget(run: Run, ids: DataFrame, key: SecretKey) -> Told:
    customers = ids.select("line").distinct().count()
    tables = [one for one in ALL_TABLES if one.subject and run.warehouse.is_there(one)]
    with run.progress.step("look for the customers") as step:
        known, rows = _found(run, tables, ids)
        step.says(f"{known:,} of {customers:,} are known")
    _keep_hashes(run, ids, key)
    with run.progress.step("forget in what was taken in"):
        if rows.get(RECEIPTS.name):
            _forget_receipts(run, ids)
        if rows.get(INTERACTIONS.name):
            _remove(run, INTERACTIONS, ids, note_of_days(_days(run, INTERACTIONS, ids)))
        if rows.get(CUSTOMER_TOTALS.name):
            _keep_money(run, ids, key)
        if QUARANTINE in tables:
            rows[QUARANTINE.name] = _forget_rejected(run, ids, key)
    refresh_facts(run)
    with run.progress.step("forget in facts and results"):
        for table in tables:
            if table not in (RECEIPTS, INTERACTIONS, QUARANTINE) and rows.get(table.name):
                _remove(run, table, ids)
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
    found = reduce(DataFrame.unionByName, of_tables).groupBy("line", "table").count().persist()
    try:
        known = found.select("line").distinct().count()
        counted = found.groupBy("table").agg(F.sum("count").alias("rows")).collect()
    finally:
        found.unpersist()
    return known, {row["table"]: row["rows"] for row in counted}


def _keep_hashes(run: Run, ids: DataFrame, key: SecretKey) -> None:
    """First of all, so that whoever was asked to go does not come in meanwhile."""
    hashes = with_pads(ids.select("line").distinct(), key).select(
        keyed_hash(F.col("line")).alias(HASH),
        F.lit(key.check).alias("key_check"),
        F.lit(run.today).alias("forgotten_on"),
    )
    add_rows(run.warehouse, FORGOTTEN_CUSTOMERS, hashes)
    _note_written(run, FORGOTTEN_CUSTOMERS)


def _forget_receipts(run: Run, ids: DataFrame) -> None:
    """Versions stay, to be compared and counted, without what tells whose they were."""
    nothing = {name: F.lit(None).cast(kind) for name, kind in NOT_KEPT.items()}
    values = {**nothing, "status": F.lit(FORGOTTEN), IS_FORGOTTEN: F.lit(True)}
    days = note_of_days(_days(run, RECEIPTS, ids))
    change_rows(run.warehouse, RECEIPTS, _distinct(ids), (SUBJECT,), values, days)
    _note_written(run, RECEIPTS)


def _keep_money(run: Run, ids: DataFrame, key: SecretKey) -> None:
    """Totals that are to go stay in quarantine as money that is nobody's, as when taken in again."""
    theirs = run.warehouse.read(CUSTOMER_TOTALS).join(
        F.broadcast(_distinct(ids)), SUBJECT, "left_semi"
    )
    digest = keyed_hash(F.concat_ws("#", SUBJECT, "as_of"))
    rows = with_pads(theirs, key).select(
        F.lit(CUSTOMER_TOTALS.name).alias("source"),
        "delivery",
        digest.alias("row"),
        F.array(F.lit(FORGOTTEN)).alias("reasons"),
        F.lit(None).alias("receipt_id"),
        "net_cents",
        F.col("delivery").alias("file"),
        F.to_json(F.struct(digest.alias(FORGOTTEN))).alias("raw"),
        F.lit(False).alias("is_amount_unknown"),
        F.lit(None).alias(SUBJECT),
    )
    add_rows(run.warehouse, QUARANTINE, rows)
    _note_written(run, QUARANTINE)


def _forget_rejected(run: Run, ids: DataFrame, key: SecretKey) -> int:
    """Takes away what rejected rows say, where they name a customer, or may.

    Of a row whose customer is not known, since it could not be read or an older release put it
    there, the text is searched for the id as a word.
    """
    stored = run.warehouse.read(QUARANTINE)
    named = stored.join(F.broadcast(_distinct(ids)), SUBJECT, "left_semi")
    nobodys = stored.where(F.col(SUBJECT).isNull()).join(
        F.broadcast(_words(ids)), _holds_word(), "left_semi"
    )
    theirs = with_pads(named.unionByName(nobodys), key).withColumn("blank", digest_as_json())
    # As rows are named that are taken in again: by a digest of the text, and a number among equals.
    number = F.substring_index("row", "-", -1)
    blanks = theirs.select(
        *_QUARANTINE_KEY, "blank", F.concat_ws("-", F.md5("blank"), number).alias("named")
    ).persist()
    try:
        rows = blanks.count()
        if rows:
            values = {
                "raw": changed("blank"),
                "row": changed("named"),
                SUBJECT: F.lit(None).cast("string"),
            }
            change_rows(run.warehouse, QUARANTINE, blanks, _QUARANTINE_KEY, values)
            _note_written(run, QUARANTINE)
    finally:
        blanks.unpersist()
    return rows


def _words(ids: DataFrame) -> DataFrame:
    """Ids as JSON text has them: `word`."""
    text = F.to_json(F.struct(F.col(SUBJECT).alias("i")))
    return ids.select(F.regexp_extract(text, r'^\{"i":"(.*)"\}$', 1).alias("word")).distinct()


def _holds_word() -> Column:
    quoted = F.replace("word", F.lit("\\E"), F.lit("\\E\\\\E\\Q"))
    pattern = F.concat(F.lit(r"(?<![\p{L}\p{N}])\Q"), quoted, F.lit(r"\E(?![\p{L}\p{N}])"))
    return F.contains("raw", "word") & F.rlike("raw", pattern)


def _remove(run: Run, table: Table, ids: DataFrame, note: Mapping[str, Any] | None = None) -> None:
    remove_rows(run.warehouse, table, _distinct(ids), SUBJECT, note)
    _note_written(run, table)


def _distinct(ids: DataFrame) -> DataFrame:
    return ids.select(SUBJECT).distinct()


def _days(run: Run, table: Table, ids: DataFrame) -> set[date]:
    theirs = run.warehouse.read(table).join(F.broadcast(_distinct(ids)), SUBJECT, "left_semi")
    return {row["business_date"] for row in theirs.select("business_date").distinct().collect()}


def _note_written(run: Run, table: Table) -> None:
    run.versions.add_written(table, Commit(run.warehouse.version(table), 0))


def _purge(run: Run, tables: Sequence[Table]) -> None:
    """Sources of facts come first: facts that are up to date note the versions they have now.

    Also of tables without a row of theirs: it may have gone before, and the purge been killed.
    """
    current = up_to_date(run)
    for table in [*[one for one in tables if one not in MADE_OF], *MADE_OF]:
        if table not in tables:
            continue
        note: dict[str, Any] = {}
        if table in current:
            of = run.warehouse.version(MADE_OF[table])
            note = {**current[table].content, "of": of, "days": []}
        purge(run.warehouse, table, note)
        _note_written(run, table)


@contextmanager
def _recorded(run: Run) -> Iterator[list[Told]]:
    """A record of the run with what was told at its end."""
    started, clock = datetime.now(UTC), time.monotonic()
    done: list[Told] = []

    def record(told: str) -> None:
        details = json.dumps(asdict(done[0])) if done else None
        outcome = Outcome(told, started, time.monotonic() - clock, details)
        record_run(run, COMMAND, str(uuid.uuid4()), None, outcome)

    try:
        yield done
    except BaseException as error:
        if run.versions.written:
            with suppress(Exception):  # a record of the failure must not hide the failure
                record(told_failure(error))
        raise
    record(SUCCEEDED)
