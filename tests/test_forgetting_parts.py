"""What forgetting is made of: which rows name a customer, what is left of days, key and log."""

from __future__ import annotations

import json
import os
from datetime import date
from types import SimpleNamespace

import pytest
from support.shop import EVERYTHING

from rfm_spark.app.forgetting.customer_file import column_names
from rfm_spark.app.forgetting.receipt_numbers import numbers_with_ids, tell_numbers_with_ids
from rfm_spark.app.forgetting.rejected import rows_naming
from rfm_spark.core.errors import UserError
from rfm_spark.ingest.rows.rules import ROW_MALFORMED
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.results.cluster_segments.crossing import (
    clusters_left,
    crossed,
    crossing_problems,
)
from rfm_spark.results.moves.days import segments_left
from rfm_spark.storage.commit_log import CommitLog
from rfm_spark.storage.secret_key import stored_or_new_key

ODD = r"a.b\E+c"
"""An id whose letters mean something to patterns."""


def ids(spark, *them):
    """Customers as their file lists them."""
    return spark.createDataFrame([(one, one) for one in them], "line string, customer_id string")


def read(**values):
    """A row that was read: its values by column."""
    return json.dumps(values), ["amount_unreadable"]


def unread(text):
    """A row that was not in the format of its file."""
    return json.dumps({"row": text}), [ROW_MALFORMED]


NAMING = {
    "by its customer": (*read(customer="zelda"), "zelda"),
    "by a value of a row of nobody": (*read(customer="zelda", amount="ten"), None),
    "by a value after a tab": (*read(customer="\tzelda\n"), None),
    "by a number": ('{"customer":4711.0}', ["amount_unreadable"], None),
    "by a value inside another": (*read(customer={"id": "zelda"}), None),
    "by a value with a quote inside another": (*read(customer={"id": 'o"brien'}), None),
    "by a word of a row whose columns slipped": (*unread("1,zelda,2025-01-01,9,9,9"), "2025"),
    "by a word after a tab": (*unread("1\tzelda\t2025-01-01"), None),
    "by a word after a tab as JSON has it": (*unread(r'{"customer":"\tzelda","amount":'), None),
    "by a word after a code as JSON has it": (*unread(r'{"customer":"\u0009zelda",'), None),
    "by a word that is no pattern": (*unread(f"1,{ODD},2025-01-01,9"), None),
}
OTHERS = {
    "somebody else's": (*read(customer="c1", friend="zelda"), "c1"),
    "by a key": (*read(zelda="x"), None),
    "by a key inside a value": (*read(customer={"zelda": "x"}), None),
    "by a longer id": (*read(customer="zelda2"), None),
    "by a text that has the id in it": (*read(note="zelda called"), None),
    "by a longer word": (*unread("1,zelda2,2025-01-01,9,9"), None),
    "by a word with a letter before": (*unread("1,Özelda,2025-01-01,9,9"), None),
    "by what a pattern would find": (*unread("1,aXb+c,aXbbc,2025-01-01"), None),
    "by the word that stands for a row": (*unread("1,2,3,4,5,6"), None),
}


def test_rejected_rows_name_a_customer_by_a_value_or_where_they_were_not_read_by_a_word(spark):
    rows = [
        ("receipts", "a.csv", name, reasons, None, 0, "a.csv", raw, False, customer)
        for name, (raw, reasons, customer) in {**NAMING, **OTHERS}.items()
    ]
    stored = spark.createDataFrame(rows, QUARANTINE.schema)
    gone = ids(spark, "zelda", "4711", 'o"brien', ODD, "row")
    found = [row["row"] for row in rows_naming(stored, gone).collect()]
    assert sorted(found) == sorted(NAMING)


NUMBERS = {
    "zelda|2025-01-01": True,
    "web:zelda|7": True,
    "7|4711.0": True,
    "zelda": True,
    "zelda2|7": False,
    "till|z": False,
    r"a\|zelda|7": False,
    r"a\\|zelda": True,
    None: False,
}


def test_a_number_of_several_columns_holds_an_id_where_one_of_its_parts_is_the_id(spark):
    rows = spark.createDataFrame([(one,) for one in NUMBERS], "receipt_id string")
    found = numbers_with_ids(rows, ids(spark, "zelda", "4711")).collect()
    wanted = [one for one, holds in NUMBERS.items() if holds]
    assert sorted(row["receipt_id"] for row in found) == sorted(wanted)


def test_numbers_that_hold_an_id_are_told_and_the_id_is_not(spark):
    receipts = [("zelda|1", True), ("zelda|1", True), ("zelda|2", False), ("7", True)]
    tables = {
        "receipts": spark.createDataFrame(receipts, "receipt_id string, is_forgotten boolean"),
        "quarantine": spark.createDataFrame([("zelda|3",), (None,)], "receipt_id string"),
    }
    warehouse = SimpleNamespace(is_there=lambda _: True, read=lambda table: tables[table.name])
    run = SimpleNamespace(warehouse=warehouse, notes=[])
    tell_numbers_with_ids(run, ids(spark, "zelda"))
    [told] = run.notes
    assert "2 forgotten receipts and 1 rejected rows" in told
    assert "zelda" not in told
    tell_numbers_with_ids(run, ids(spark, "yorick"))
    assert run.notes == [told]


def test_what_a_header_would_say_is_known_of_every_source(load):
    assert {"customer", "customer_id", "receipt", "click", "city"} <= set(
        column_names(load(EVERYTHING))
    )


DAY = date(2025, 3, 20)


def test_segments_of_a_day_are_those_of_who_is_left_in_it(spark):
    rows = [("p", DAY, "A", 5), ("p", DAY, "A", -2), ("p", DAY, "B", None)]
    scored = spark.createDataFrame(
        rows, "profile string, as_of date, segment string, monetary_cents long"
    )
    found = {
        row["segment"]: (row["customers"], row["revenue_cents"])
        for row in segments_left(scored)["p", DAY]
    }
    assert found == {"A": (2, 3), "B": (1, 0)}


def test_clusters_of_who_is_left_are_crossed_and_nobody_else_may_be_missing(spark):
    assigned = [("c1", 1), ("c2", 1), ("c3", 2)]
    assignments = spark.createDataFrame(assigned, "customer_id string, cluster int")
    features = spark.createDataFrame(
        [("c1", 10.0, 5.0), ("c2", 20.0, 7.0), ("c3", 30.0, 9.0), ("c4", 30.0, 9.0)],
        "customer_id string, tenure_days double, monetary_cents double",
    )
    segments = spark.createDataFrame(
        [("c1", "A"), ("c3", "B")], "customer_id string, segment string"
    )
    left = [row.asDict() for row in clusters_left(assignments, features).collect()]
    assert sorted(left, key=lambda row: row["cluster"]) == [
        {"cluster": 1, "customers": 2, "revenue_cents": 12},
        {"cluster": 2, "customers": 1, "revenue_cents": 9},
    ]
    rows = [row.asDict() for row in crossed(assignments, features, segments, DAY).collect()]
    assert not list(crossing_problems(rows, left))
    without = features.where("customer_id <> 'c3'")
    left = [row.asDict() for row in clusters_left(assignments, without).collect()]
    rows = [row.asDict() for row in crossed(assignments, without, segments, DAY).collect()]
    assert list(crossing_problems(rows, left)) == [
        "cluster 2 by segment: 0 of 1 customers",
        "cluster 2 by cohort: 0 of 1 customers",
    ]


@pytest.mark.parametrize("stops_in", ["fsync", "link"])
def test_a_key_is_there_whole_or_not_at_all(tmp_path, monkeypatch, stops_in):
    file = tmp_path / "key"

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, stops_in, stop)
        with pytest.raises(KeyboardInterrupt):
            stored_or_new_key(file)
    assert list(tmp_path.iterdir()) == []
    key = stored_or_new_key(file)
    assert len(key.content) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    assert stored_or_new_key(file) == key


def test_of_two_who_make_a_key_both_have_the_first(tmp_path, monkeypatch):
    file, link = tmp_path / "key", os.link

    def meanwhile(made, name):
        monkeypatch.setattr(os, "link", link)
        stored_or_new_key(file)
        link(made, name)

    monkeypatch.setattr(os, "link", meanwhile)
    key = stored_or_new_key(file)
    assert key.content.hex() == file.read_text().strip()
    assert list(tmp_path.iterdir()) == [file]


def test_a_key_that_cannot_be_put_there_is_told(tmp_path):
    with pytest.raises(UserError, match="the key cannot be written: No such file or directory"):
        stored_or_new_key(tmp_path / "no folder" / "key")


def test_the_newest_checkpoint_is_the_one_that_delta_names_and_that_is_there(tmp_path):
    folder = tmp_path / "_delta_log"
    folder.mkdir()
    log = CommitLog(SimpleNamespace(), str(tmp_path))

    def file(version, ending):
        (folder / f"{version:020}.{ending}").touch()

    for version in range(10):
        file(version, "json")
        file(version, "crc")
    file(4, "checkpoint.parquet")
    file(9, "checkpoint.parquet")
    assert log.last_checkpoint() is None
    (folder / "_last_checkpoint").write_text('{"version":5,"size":7}')
    assert log.last_checkpoint() is None
    file(5, "checkpoint.0000000001.0000000001.parquet")
    assert log.last_checkpoint() == 5
    log.forget_until(4)
    assert log.versions() == [5, 6, 7, 8, 9]
    assert {path.name[:20] for path in folder.iterdir()} == {
        *(f"{version:020}" for version in range(5, 10)),
        "_last_checkpoint",
    }
