"""Versions: which delivery of a receipt wins, whatever the order of arrival."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from support import assert_rows, rows_of

from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.ingest.versions.merging import merged_versions


def version(receipt, delivery, net_cents=1_00, status="current", on="2026-01-15", **fields):
    """A stored or incoming version of a receipt."""
    return {
        "receipt_id": receipt,
        "delivery": delivery,
        "net_cents": net_cents,
        "status": status,
        "business_date": on,
        "month": on[:7],
    } | fields


def merged(spark, stored, incoming, came):
    known = rows_of(spark, RECEIPTS, stored)
    new = rows_of(spark, RECEIPTS, incoming).drop("status")
    of_these = F.col("delivery").isin(*came)
    parts = merged_versions(known, new, of_these, "receipt_id", broadcast_keys=True)
    return reduce(DataFrame.unionByName, parts)


def test_the_newest_delivery_wins_whole(spark):
    stored = [version("r1", "a", 1_00)]
    assert_rows(
        merged(spark, stored, [version("r1", "b", 2_00)], ["b"]),
        [version("r1", "a", 1_00, "superseded"), version("r1", "b", 2_00, "current")],
    )


def test_a_first_delivery_is_current_and_of_several_the_last_by_name(spark):
    incoming = [version("r1", "b", 2_00), version("r1", "c", 3_00), version("r2", "b", 4_00)]
    assert_rows(
        merged(spark, [], incoming, ["b", "c"]),
        [
            version("r1", "b", 2_00, "superseded"),
            version("r1", "c", 3_00, "current"),
            version("r2", "b", 4_00, "current"),
        ],
    )


def test_a_void_version_removes_the_receipt(spark):
    found = merged(spark, [version("r1", "a")], [version("r1", "b", is_void=True)], ["b"])
    assert_rows(found, [version("r1", "a", status="superseded"), version("r1", "b", status="void")])


def test_an_older_delivery_that_comes_later_brings_nothing_back(spark):
    stored = [
        version("voided", "c", status="void", is_void=True),
        version("changed", "c", 3_00),
    ]
    incoming = [version("voided", "b", 2_00), version("changed", "b", 2_00)]
    assert_rows(
        merged(spark, stored, incoming, ["b"]),
        [
            version("voided", "b", 2_00, "superseded"),
            version("voided", "c", status="void"),
            version("changed", "b", 2_00, "superseded"),
            version("changed", "c", 3_00, "current"),
        ],
    )


def test_a_later_delivery_can_bring_a_void_receipt_back(spark):
    stored = [
        version("r1", "a", status="superseded"),
        version("r1", "b", status="void", is_void=True),
    ]
    assert_rows(
        merged(spark, stored, [version("r1", "c", 9_00)], ["c"]),
        [
            version("r1", "a", status="superseded"),
            version("r1", "b", status="superseded"),
            version("r1", "c", 9_00, "current"),
        ],
    )


def test_a_delivery_that_comes_again_replaces_what_it_brought(spark):
    stored = [version("gone", "b"), version("fewer", "a", 1_00, "superseded"),
              version("fewer", "b", 2_00), version("kept", "b", 3_00)]  # fmt: skip
    assert_rows(
        merged(spark, stored, [version("kept", "b", 4_00)], ["b"]),
        [version("fewer", "a", 1_00, "current"), version("kept", "b", 4_00, "current")],
    )


def test_the_same_delivery_again_changes_nothing(spark):
    stored = [version("r1", "a", 1_00, "superseded"), version("r1", "b", 2_00), version("r2", "a")]
    again = [one for one in stored if one["delivery"] == "b"]
    assert_rows(merged(spark, stored, again, ["b"]), stored)


def test_rows_that_are_not_touched_stay_as_they_are(spark):
    # The newer version of `elsewhere` lies on a day that is not read.
    stored = [version("elsewhere", "a", status="superseded"), version("r1", "a")]
    found = merged(spark, stored, [version("r2", "b")], ["b"])
    assert_rows(found, [*stored, version("r2", "b")])


def test_a_receipt_can_move_to_another_day_and_customer(spark):
    stored = [version("r1", "a", customer_id="anna", on="2026-01-15")]
    moved = version("r1", "b", customer_id="ben", on="2026-02-03")
    assert_rows(
        merged(spark, stored, [moved], ["b"]),
        [version("r1", "a", status="superseded", customer_id="anna"), moved],
    )


def test_the_stored_columns_keep_their_order(spark):
    assert merged(spark, [], [version("r1", "a")], ["a"]).columns == RECEIPTS.column_names
